#include "autograd/elementwise.h"

#include <algorithm>

#include "autograd/function.h"
#include "autograd/trace.h"

namespace vae::autograd {
namespace {

using kernels::Axis;
using kernels::Map;
using kernels::Write;

/// Whether the extents of x, ones in front aside, are the last ones of a shape.
bool is_end_of(const Shape& x, const Shape& shape) {
  std::span<const int64_t> own = x.extents(), all = shape.extents();
  while (!own.empty() && own.front() == 1) own = own.subspan(1);
  return own.size() <= all.size() && std::ranges::equal(own, all.last(own.size()));
}

/// A call of map() or rowsum() for messages; without a signature, of the function of the list itself.
struct Call {
  const char* signature;
  Map op;
  std::string function() const {
    return signature ? std::string(detail::function_of(signature))
                     : fmt::format("map {}", kernels::name_of(op));
  }
  std::string operand(size_t i) const {
    return signature ? std::string(detail::operand_of(signature, i)) : fmt::format("operand {}", i);
  }
};

[[noreturn, gnu::cold]] void fail_fit(const Call& call, const std::vector<Tensor>& x, size_t i,
                                      const Tensor& frame, bool rows) {
  const auto f = static_cast<size_t>(&frame - x.data());
  const std::string operand = call.operand(i), is = detail::text_of(x[i]);
  const std::string beside = fmt::format("{} is {}", call.operand(f), detail::text_of(frame));
  if (rows)
    misuse(call.function(), "{} is {}, {}: rows repeat only where asked for, by repeating({})", operand, is,
           beside, operand);
  misuse(call.function(),
         "{} is {}, {}: expected the same shape, its last extents [{}], a column [{}, 1] or one number",
         operand, is, beside, kernels::columns_of(frame.shape()), kernels::rows_of(frame.shape()));
}

/// Throws unless operand i may stand beside the largest; rows repeat where `any` or the handle says so.
void check_fit(const Call& call, const std::vector<Tensor>& x, size_t i, const Tensor& frame, bool repeats) {
  const Shape &own = x[i].shape(), &full = frame.shape();
  if (own == full || x[i].numel() == 1) return;
  const int64_t columns = kernels::columns_of(own), rows = kernels::rows_of(own);
  const int64_t full_columns = kernels::columns_of(full), full_rows = kernels::rows_of(full);
  if (rows == full_rows && (columns == full_columns || columns == 1)) return;
  if (x[i].numel() == 0 && frame.numel() == 0) return;
  if (columns != full_columns || rows == 0 || full_rows % rows != 0) fail_fit(call, x, i, frame, false);
  if (rows != 1 && !repeats && !is_end_of(own, full)) fail_fit(call, x, i, frame, true);
}

/// The values of the operands, checked.
std::vector<Tensor> operands_of(const Call& call, std::initializer_list<Var> x) {
  std::vector<Tensor> values;
  for (const Var& v : x) {
    const size_t i = values.size();
    if (!v.defined()) misuse(call.function(), "{} is undefined", call.operand(i));
    values.push_back(v.value());
    if (v.value().dtype() != values[0].dtype() || v.value().device() != values[0].device())
      misuse(call.function(), "{} is {}, but {} is {}: operands have one dtype and lie on one device",
             call.operand(i), v.value().str(), call.operand(0), values[0].str());
  }
  const Tensor& frame = kernels::frame_operand(values);
  size_t i = 0;
  for (const Var& v : x) check_fit(call, values, i++, frame, !call.signature || v.repeats());
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

/// The derivative by operand i, where it is the same everywhere.
std::optional<double> slope_of(Map op, kernels::Params params, size_t i) {
  if (op == Map::affine) return params.a;
  if (op == Map::add) return 1;
  if (op == Map::sub) return i == 0 ? 1 : -1;
  if (op == Map::add_scaled) return i == 0 ? 1 : params.a;
  return {};
}

/// Gives operand i its gradient where that takes no derivative to compute: a uniform one through a linear
/// function, or dy itself.
bool give_linear(const Backward& b, size_t i, std::optional<double> slope, const Tensor& x,
                 const Shape& full) {
  if (!slope) return false;
  if (const auto dy = b.uniform(); dy && x.numel() > 0) {
    const auto terms = static_cast<double>(full.numel() / x.numel());  // that broadcasting adds up
    b.give(i, Uniform{dy->number, dy->factor * *slope * terms});
    return true;
  }
  if (*slope != 1) return false;
  if (x.numel() == full.numel())
    b.give(i, b.dy());
  else
    reduce_broadcast(b.dy(), full, b.into(i), 1.0);
  return true;
}

/// Gradients of the operands that want one and have a derivative to compute. dy is full; or, of sums of
/// `rows`, a column.
void operand_gradients(Map op, kernels::Params params, const std::vector<size_t>& wanted, int64_t rows,
                       const std::vector<Tensor>& x, const Tensor& y, const Shape& full, const Backward& b) {
  if (wanted.empty()) return;
  const auto uniform = b.uniform();
  if (uniform) params.scale *= uniform->factor;
  const Tensor dy = uniform ? uniform->number : rows ? b.dy().reshape({rows, 1}) : b.dy();
  std::vector<kernels::MapGradient> gradients;
  for (const size_t i : wanted) {
    const auto wrt = static_cast<int>(i);
    if (x[i].numel() != full.numel()) {
      gradients.push_back({wrt, Tensor::empty(full, dy.dtype(), dy.device())});
      continue;
    }
    const Slot slot = b.into(i);
    gradients.push_back({wrt, slot.tensor.reshape(full), slot.write});
  }
  kernels::map_gradients(op, params, dy, x, y, gradients);
  for (const auto& [wrt, dx, write] : gradients)
    if (const auto i = static_cast<size_t>(wrt); x[i].numel() != full.numel())
      reduce_broadcast(dx, full, b.into(i), 1.0);
}

Var compute_map(const Call& call, std::initializer_list<Var> inputs, kernels::Params params) {
  const Map op = call.op;
  if (params.scale != 1) misuse(call.function(), "scale {}: only row sums have one", params.scale);
  std::vector<Tensor> x = operands_of(call, inputs);
  const Tensor& frame = kernels::frame_operand(x);
  Tensor y = Tensor::empty(frame.shape(), frame.dtype(), frame.device());
  kernels::map_fwd(op, params, x, y);
  const Tensor kept = x.size() == 1 ? y : Tensor{};
  Var result = record(kernels::name_of(op).data(), y, inputs,
                      [op, params, x, kept, full = y.shape()](const Backward& b) {
                        std::vector<size_t> wanted;
                        for (size_t i = 0; i < x.size(); ++i)
                          if (b.wants(i) && !give_linear(b, i, slope_of(op, params, i), x[i], full))
                            wanted.push_back(i);
                        operand_gradients(op, params, wanted, 0, x, kept, full, b);
                      });
  return traced(std::move(result), {.function = op, .params = params});
}

Var compute_rowsum(const Call& call, std::initializer_list<Var> inputs, kernels::Params params) {
  const Map op = call.op;
  if (op == Map::add || op == Map::sub || op == Map::add_scaled)
    misuse("rowsum", "of {} there is none: sum the operands apart", kernels::name_of(op));
  std::vector<Tensor> x = operands_of(call, inputs);
  const Tensor& frame = kernels::frame_operand(x);
  const int64_t rows = kernels::rows_of(frame.shape());
  if (call.signature && frame.rank() > 2) {
    const std::string operand = call.operand(static_cast<size_t>(&frame - x.data()));
    misuse(
        call.function(),
        "{0} is {1}: the result would have a number for each of its {2} rows of {3}, not one for each image; "
        "flatten({0}) first",
        operand, detail::text_of(frame), rows, kernels::columns_of(frame.shape()));
  }
  const Tensor y = Tensor::empty({rows}, frame.dtype(), frame.device());
  kernels::rowsum_fwd(op, params, x, y);
  return record(kernels::name_of(op).data(), y, inputs,
                [op, params, x, full = frame.shape(), rows](const Backward& b) {
                  std::vector<size_t> wanted;
                  for (size_t i = 0; i < x.size(); ++i)
                    if (b.wants(i)) wanted.push_back(i);
                  operand_gradients(op, params, wanted, rows, x, {}, full, b);
                });
}

}  // namespace

Var map(Map op, std::initializer_list<Var> x, kernels::Params params) {
  return compute_map({nullptr, op}, x, params);
}
Var rowsum(Map op, std::initializer_list<Var> x, kernels::Params params) {
  return compute_rowsum({nullptr, op}, x, params);
}
Var detail::map(const char* signature, Map op, std::initializer_list<Var> x, kernels::Params params) {
  return compute_map({signature, op}, x, params);
}
Var detail::rowsum(const char* signature, Map op, std::initializer_list<Var> x, kernels::Params params) {
  return compute_rowsum({signature, op}, x, params);
}

Var activate(const kernels::Activation& activation, const Var& x) {
  return activation.function ? map(*activation.function, {x}, activation.params) : x;
}

}  // namespace vae::autograd
