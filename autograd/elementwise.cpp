#include "autograd/elementwise.h"

namespace vae::autograd {
namespace {

using kernels::Axis;
using kernels::Map;
using kernels::Write;

std::vector<Tensor> values_of(std::initializer_list<Var> x) {
  std::vector<Tensor> values;
  for (const Var& v : x) values.push_back(v.value());
  return values;
}

/// Sums a gradient of shape `full` down to an operand that was broadcast into it.
void reduce_broadcast(const Tensor& gradient, const Shape& full, const Slot& slot, double scale) {
  const int64_t columns = kernels::columns_of(full), rows = kernels::rows_of(full);
  const int64_t own = slot.tensor.numel();
  Axis axis = Axis::all(full.numel());
  if (own != 1) {
    const bool is_column = kernels::columns_of(slot.tensor.shape()) == 1 && own == rows;
    axis = is_column ? Axis::columns(rows, columns) : Axis{1, full.numel() / own, own};
  }
  kernels::sum(gradient, slot.tensor, axis, scale, slot.write);
}

/// Gradient of operand i, dy being full or a column.
void operand_gradient(Map op, kernels::Params params, size_t i, const Tensor& dy,
                      const std::vector<Tensor>& x, const Tensor& y, const Shape& full, const Backward& b) {
  const bool broadcast = x[i].numel() != full.numel();
  if (op == Map::add || (op == Map::sub && i == 0)) {  // derivative one: nothing to compute
    if (!broadcast) return b.give(i, dy);
    return reduce_broadcast(dy, full, b.into(i), 1.0);
  }
  if (!broadcast) {
    const Slot slot = b.into(i);
    return kernels::map_bwd(op, params, static_cast<int>(i), dy, x, y, slot.tensor.reshape(full), slot.write);
  }
  const Tensor gradient = Tensor::empty(full, dy.dtype(), dy.device());
  kernels::map_bwd(op, params, static_cast<int>(i), dy, x, y, gradient, Write::set);
  reduce_broadcast(gradient, full, b.into(i), 1.0);
}

}  // namespace

Var map(Map op, std::initializer_list<Var> inputs, kernels::Params params) {
  std::vector<Tensor> x = values_of(inputs);
  const Tensor& frame = kernels::frame_operand(x);
  Tensor y = Tensor::empty(frame.shape(), frame.dtype(), frame.device());
  kernels::map_fwd(op, params, x, y);
  const Tensor kept = x.size() == 1 ? y : Tensor{};
  return record(kernels::name_of(op).data(), y, inputs,
                [op, params, x, kept, full = y.shape()](const Backward& b) {
                  for (size_t i = 0; i < x.size(); ++i)
                    if (b.wants(i)) operand_gradient(op, params, i, b.dy(), x, kept, full, b);
                });
}

Var activate(const kernels::Activation& activation, const Var& x) {
  return activation.function ? map(*activation.function, {x}, activation.params) : x;
}

Var rowsum(Map op, std::initializer_list<Var> inputs, kernels::Params params) {
  VAE_CHECK(op != Map::add && op != Map::sub, "rowsum of {}: sum the operands apart", kernels::name_of(op));
  std::vector<Tensor> x = values_of(inputs);
  const Tensor& frame = kernels::frame_operand(x);
  const int64_t rows = kernels::rows_of(frame.shape());
  const Tensor y = Tensor::empty({rows}, frame.dtype(), frame.device());
  kernels::rowsum_fwd(op, params, x, y);
  return record(kernels::name_of(op).data(), y, inputs,
                [op, params, x, full = frame.shape(), rows](const Backward& b) {
                  const Tensor dy = b.dy().reshape({rows, 1});
                  for (size_t i = 0; i < x.size(); ++i)
                    if (b.wants(i)) operand_gradient(op, params, i, dy, x, {}, full, b);
                });
}

}  // namespace vae::autograd
