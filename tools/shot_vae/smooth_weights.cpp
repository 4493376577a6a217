#include "tools/shot_vae/smooth_weights.h"

#include "tensor/compare.h"

namespace vae::shot_vae {
namespace {

/// The same values, where units [rows, columns] of an axis become [columns, rows].
Tensor exchanged(const Tensor& tensor, int axis, int64_t rows, int64_t columns) {
  const int64_t units = rows * columns, inner = axis + 1 < tensor.rank() ? tensor.size(axis + 1) : 1;
  const std::vector<double> values = to_doubles(tensor);
  std::vector<double> turned(values.size());
  for (int64_t i = 0; i < std::ssize(turned); ++i) {
    const int64_t unit = i / inner % units, row = unit % rows, column = unit / rows;
    turned[i] = values[i + (row * columns + column - unit) * inner];
  }
  return dispatch_floating(tensor.dtype(), [&](auto zero) {
    return Tensor::from(std::vector<decltype(zero)>(turned.begin(), turned.end()), tensor.shape());
  });
}

}  // namespace

void reorder_units(SafeTensors& state, int64_t maps, Units order) {
  for (const auto& [name, axis] : {std::pair{"features_to_hidden.0.weight", 1},
                                   {"latent_to_features.2.weight", 0},
                                   {"latent_to_features.2.bias", 0}}) {
    const auto at = state.tensors.find(name);
    if (at == state.tensors.end() || maps < 1) continue;
    Tensor& tensor = at->second;
    if (!is_floating(tensor.dtype()) || axis >= tensor.rank() || tensor.size(axis) % maps != 0) continue;
    const int64_t pixels = tensor.size(axis) / maps;
    tensor = order == Units::maps_last ? exchanged(tensor, axis, maps, pixels)
                                       : exchanged(tensor, axis, pixels, maps);
  }
}

}  // namespace vae::shot_vae
