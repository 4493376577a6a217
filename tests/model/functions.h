#pragma once
// Which functions of the vendors our code names, and how often they were called.
#include <initializer_list>
#include <regex>
#include <set>

#include "tests/model/vendor.h"
#include "tests/read_text.h"

namespace vae::test {

/// Names of the vendors' functions in host files of the CUDA side, as their libraries export them: called,
/// or, of descriptors, handed over. VAE_SOURCE_DIR: the folder of the sources.
inline std::set<std::string> functions_named_in(std::initializer_list<const char*> files) {
  static const std::regex function(
      R"(\b(?:(?:cuda|cublas|cublasLt|cudnn|nccl)[A-Z]\w*(?=\()|cudnn(?:Create|Destroy)\w+))");
  std::set<std::string> names;
  for (const char* file : files) {
    const std::string text = read_text(std::string(VAE_SOURCE_DIR "/") + file);
    for (std::sregex_iterator match(text.begin(), text.end(), function), end; match != end; ++match)
      names.insert(match->str());
  }
  return names;
}

/// Calls under any of the names under which a function is counted: headers give some another one.
inline int64_t calls_of(const std::string& function) {
  int64_t all = 0;
  for (const char* suffix : {"", "_v2", "_internal"}) all += called(function + suffix);
  return all;
}

}  // namespace vae::test
