#pragma once
// Graphs of ONNX evaluated in double precision, plainly: an independent view of what an export says.
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace vae::test {

struct Array {
  std::vector<int64_t> extents;
  std::vector<double> values;
};
using Arrays = std::map<std::string, Array>;

struct EvaluatedModel {
  std::vector<std::string> inputs;
  std::map<std::string, std::string> metadata;
  Arrays outputs;
};

/// Checks a file by ONNX's own checker and shape inference, both strict, and evaluates its graph. Throws for
/// what they refuse, and for operators that exports have no need of.
EvaluatedModel evaluate(const std::filesystem::path& file, const Arrays& inputs);

}  // namespace vae::test
