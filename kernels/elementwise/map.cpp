#include "kernels/elementwise/map.h"

#include "kernels/elementwise/call.h"
#include "kernels/elementwise/own_map.h"

namespace vae::kernels {

std::string_view name_of(Map op) {
  if (const OwnMap* own = own_map(op)) return own->name;
  static constexpr std::string_view names[] = {
#define VAE_MAP(type, name) #name,
#include "kernels/elementwise/list.h"
#undef VAE_MAP
  };
  return names[static_cast<int>(op)];
}

int arity_of(Map op) {
  if (const OwnMap* own = own_map(op)) return own->arity;
  return dispatch_map(op, [](auto f) { return f.arity; });
}

bool is_surrogate(Map op) {
  if (const OwnMap* own = own_map(op)) return own->surrogate;
  return dispatch_map(op, []<class F>(F) {
    return requires { F::surrogate; };
  });
}

bool is_activation(Map op) {
  return !own_map(op) && dispatch_map(op, []<class F>(F) { return IsActivation<F>; });
}

int64_t columns_of(const Shape& shape) { return shape.rank() ? shape[-1] : 1; }

int64_t rows_of(const Shape& shape) {
  int64_t rows = 1;
  for (int i = 0; i + 1 < shape.rank(); ++i) rows *= shape[i];
  return rows;
}

const Tensor& frame_operand(Inputs x) {
  const auto wider = [](const Tensor& a, const Tensor& b) {
    if ((a.numel() == 0) != (b.numel() == 0)) return a.numel() == 0;
    return a.numel() != b.numel() ? a.numel() > b.numel() : columns_of(a.shape()) > columns_of(b.shape());
  };
  const Tensor* frame = &x[0];
  for (const Tensor& operand : x)
    if (wider(operand, *frame)) frame = &operand;
  return *frame;
}

Operand broadcast(std::string_view what, const Tensor& x, const Shape& shape, DType dtype) {
  VAE_CHECK(x.defined() && x.dtype() == dtype, "{}: operand {} in a computation of {}", what, x.str(),
            name_of(dtype));
  const int64_t columns = columns_of(shape), rows = rows_of(shape);
  const int64_t own_columns = columns_of(x.shape()), own_rows = rows_of(x.shape());
  if (x.numel() == 1) return {x.raw(), 1, 0, 0};
  if (own_columns == columns && own_rows > 0 && rows % own_rows == 0) return {x.raw(), own_rows, columns, 1};
  if (own_columns == 1 && own_rows == rows) return {x.raw(), rows, 1, 0};
  VAE_CHECK(shape.numel() == 0 && x.numel() == 0, "{}: operand {} does not broadcast to {}", what, x.str(),
            shape.str());
  return {};
}

namespace {

Frame make_frame(std::string_view what, Map op, Inputs x, const Shape& shape, DType dtype) {
  VAE_CHECK(is_floating(dtype), "{} {}: expected f32 or f64, got {}", what, name_of(op), name_of(dtype));
  VAE_CHECK(static_cast<int>(x.size()) == arity_of(op), "{} {}: {} operands", what, name_of(op), x.size());
  Frame frame;
  frame.columns = columns_of(shape);
  frame.rows = rows_of(shape);
  frame.dtype = dtype;
  for (size_t i = 0; i < x.size(); ++i) frame.operands[i] = broadcast(name_of(op), x[i], shape, dtype);
  return frame;
}

/// One long row when every used operand runs along with the output, or is one number.
void flatten(Frame& frame, int operands, bool with_dy) {
  for (int i = 0; i < 4; ++i) {
    const bool used = i < operands || (i == 3 && with_dy);
    const Operand& operand = frame.operands[i];
    const bool along = operand.wrap == frame.rows && operand.column_stride == 1;
    const bool number = operand.wrap == 1 && operand.row_stride == 0 && operand.column_stride == 0;
    if (used && !along && !number) return;
  }
  frame.columns *= frame.rows;
  frame.rows = frame.rows > 0 ? 1 : 0;
}

}  // namespace

Frame map_frame(Map op, Inputs x, const Tensor& y) {
  Frame frame = make_frame("map_fwd", op, x, y.shape(), y.dtype());
  flatten(frame, static_cast<int>(x.size()), false);
  return frame;
}

Frame map_bwd_frame(Map op, int wrt, const Tensor& dy, Inputs x, const Tensor& y, const Tensor& dx) {
  Frame frame = make_frame("map_bwd", op, x, dx.shape(), dx.dtype());
  VAE_CHECK(wrt >= 0 && wrt < arity_of(op), "map_bwd {}: no operand {}", name_of(op), wrt);
  VAE_CHECK(!y.defined() || (y.dtype() == dx.dtype() && y.numel() == dx.numel()),
            "map_bwd {}: y is {}, dx is {}", name_of(op), y.str(), dx.str());
  frame.operands[3] = broadcast(name_of(op), dy, dx.shape(), dx.dtype());
  flatten(frame, static_cast<int>(x.size()), true);
  return frame;
}

Frame map_gradients_frame(Map op, const Tensor& dy, Inputs x, const Tensor& y,
                          std::span<const MapGradient> gradients) {
  VAE_CHECK(!gradients.empty(), "map_gradients {}: of no operand", name_of(op));
  const Shape& shape = gradients[0].dx.shape();
  for (const MapGradient& g : gradients)
    VAE_CHECK(g.dx.shape() == shape, "map_gradients {}: {} beside {}", name_of(op), g.dx.str(), shape.str());
  Frame frame{};
  for (const MapGradient& g : gradients) frame = map_bwd_frame(op, g.wrt, dy, x, y, g.dx);
  return frame;
}

Frame rowsum_frame(Map op, Inputs x, const Tensor& y) {
  VAE_CHECK(!x.empty(), "rowsum_fwd {}: no operands", name_of(op));
  Frame frame = make_frame("rowsum_fwd", op, x, frame_operand(x).shape(), y.dtype());
  VAE_CHECK(y.numel() == frame.rows, "rowsum_fwd {}: {} for {} rows", name_of(op), y.str(), frame.rows);
  return frame;
}

}  // namespace vae::kernels
