#include "tests/fuzz/target.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>

#include "tests/temporary_directory.h"

namespace vae::fuzz {

std::map<std::string, Target>& targets() {
  static std::map<std::string, Target> all;
  return all;
}

bool accepts(const std::function<void()>& read, std::initializer_list<ErrorKind> also) {
  try {
    read();
    return true;
  } catch (const Error& e) {
    const std::string message = e.what();
    if (e.kind() != ErrorKind::data && std::ranges::count(also, e.kind()) == 0) {
      std::fprintf(stderr, "an error of kind %d: %s\n", e.exit_code(), message.c_str());
      std::abort();
    }
    require(!message.empty(), "an error says what is wrong");
    return false;
  }
}

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

std::filesystem::path folder() {
  static const test::TemporaryDirectory own;
  return own.path();
}

std::filesystem::path file(const std::string& name, Bytes content) {
  const std::filesystem::path path = folder() / name;
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(content.data()), content.size());
  return path;
}

std::vector<std::string> parts(Bytes input) {
  const std::string all = text(input), mark = "\n--\n";
  std::vector<std::string> found;
  for (size_t begin = 0;;) {
    const size_t end = all.find(mark, begin);
    found.push_back(all.substr(begin, end - begin));
    if (end == std::string::npos) return found;
    begin = end + mark.size();
  }
}

std::string text(Bytes input) { return {reinterpret_cast<const char*>(input.data()), input.size()}; }

Bytes bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

}  // namespace vae::fuzz
