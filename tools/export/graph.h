#pragma once
// A graph of ONNX, written node by node.
#include <filesystem>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "tensor/tensor.h"
#include "tools/export/recording.h"

namespace vae::exporter {

/// Attributes of a node.
using Settings = std::vector<std::pair<std::string, std::variant<int64_t, float, std::vector<int64_t>>>>;

/// Operator set 13, IR version 7. Values are known by their names; -1 (kBatch) among extents is the axis
/// "batch".
class Graph {
 public:
  /// Throws Error(usage) where the program was built without ONNX.
  Graph(const std::string& name, const std::string& doc);
  ~Graph();
  Graph(Graph&&) noexcept;

  void add_input(const std::string& name, const std::string& doc, const Extents& extents);
  /// A value that a node has, an input or a constant, under the name of an output.
  void add_output(const std::string& name, const std::string& doc, const Extents& extents,
                  const std::string& value);
  /// f32 numbers; `wanted` is their name, or its beginning where that is taken.
  std::string constant(const Tensor& values, const std::string& wanted = "constant");
  std::string constant(const std::vector<int64_t>& values);
  /// The output of a new node; an input "" is left out.
  std::string node(const std::string& type, const std::vector<std::string>& inputs,
                   const Settings& settings = {});
  /// A line of the model's metadata.
  void describe(const std::string& key, const std::string& value);
  void save(const std::filesystem::path& file) const;

 private:
  struct Model;
  std::unique_ptr<Model> model_;
};

}  // namespace vae::exporter
