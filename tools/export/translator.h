#pragma once
// Translations of calls write their nodes with this.
#include <algorithm>

#include "tools/export/translate.h"

namespace vae::exporter {

class Translator {
 public:
  Translator(Graph& graph, const Recording& recording, const TensorNames& names)
      : graph(graph), recording_(recording), names_(names) {}

  Graph& graph;

  const Extents& extents(int value) const { return recording_.values.at(static_cast<size_t>(value)).extents; }
  int64_t columns(int value) const { return extents(value).empty() ? 1 : extents(value).back(); }
  bool is_images(int value) const { return extents(value).size() == 4; }
  /// The axis of columns, or channels.
  static constexpr int64_t kColumns = 1;

  /// The name of a value; images have their channels first.
  std::string name(int value);
  void define(int value, const std::string& name) { parts_[value] = {{name, columns(value)}}; }
  /// An operand of an elementwise function whose result is another value. Throws Error(usage) where it does
  /// not broadcast as ONNX has it.
  std::string operand(int value, int result);
  std::string number(double value) { return graph.constant(Tensor::scalar(static_cast<float>(value))); }
  /// The name of a constant that is written in another shape or order.
  std::string constant(int value, const Tensor& as);
  const Tensor& constant_of(int value) const {
    return recording_.values.at(static_cast<size_t>(value)).constant;
  }

  /// Columns side by side are written once somebody needs them in one.
  struct Part {
    std::string name;  ///< empty: room, not yet written
    int64_t width;
  };
  std::vector<Part> parts(int value);
  void define(int value, std::vector<Part> parts) { parts_[value] = std::move(parts); }
  /// Columns [begin, end) of parts.
  std::vector<Part> cut(const std::vector<Part>& parts, int64_t begin, int64_t end);

 private:
  const Recording& recording_;
  const TensorNames& names_;
  std::map<int, std::vector<Part>> parts_;
};

/// f(x), or x where there is no function.
std::string activated(Translator& t, const kernels::Activation& activation, const std::string& x);
/// Writes the nodes of a call of map().
void translate_map(Translator& t, const Call& call);
/// Writes the nodes of another call.
void translate_other(Translator& t, const Call& call);

}  // namespace vae::exporter
