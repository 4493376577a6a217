#pragma once
// The operators of ONNX that exports use, as its specification defines them.
#include <functional>

#include "tests/export/onnx_graph.h"

namespace vae::test {

/// Attributes of a node, with the defaults of its operator.
struct NodeSettings {
  std::map<std::string, std::vector<int64_t>> lists;
  std::map<std::string, double> numbers;
  double number(const std::string& name, double fallback) const {
    return numbers.contains(name) ? numbers.at(name) : fallback;
  }
};

using Operator = std::function<Array(const std::vector<Array>&, const NodeSettings&)>;

/// By their types; throws for an unknown one.
const Operator& find_operator(const std::string& type);
/// Those of images, added to the others.
void add_image_operators(std::map<std::string, Operator>& all);

inline int64_t count_of(const std::vector<int64_t>& extents) {
  int64_t count = 1;
  for (const int64_t extent : extents) count *= extent;
  return count;
}

}  // namespace vae::test
