#pragma once
// The family of elementwise kernels: an enumerator per function of list.h (call.h calls them), and the frame
// into which operands broadcast.
#include <array>
#include <string_view>

#include "kernels/kernel.h"

namespace vae::kernels {

enum class Map : int {
#define VAE_MAP(type, name) name,
#include "kernels/elementwise/list.h"
#undef VAE_MAP
};

/// How many there are.
inline constexpr int kMaps = 0
#define VAE_MAP(type, name) +1
#include "kernels/elementwise/list.h"
#undef VAE_MAP
    ;

inline constexpr double kLog2Pi = 1.8378770664093454836;

/// Up to two constants of a function: a slope, an interval, an epsilon. `scale` is a factor of the sums of
/// rowsum_fwd, and of the gradients of map_bwd; map_fwd knows none.
struct Params {
  double a = 0, b = 0, scale = 1;
  bool operator==(const Params&) const = default;
};

std::string_view name_of(Map op);
int arity_of(Map op);
/// Whether the derivative of a function is deliberately not that of its value.
bool is_surrogate(Map op);
/// Whether nets may choose it (kernels/activation.h).
bool is_activation(Map op);

/// One operand seen in a frame of rows x columns: element (r, c) is data[(r % wrap) * row_stride + c *
/// column_stride].
struct Operand {
  const void* data = nullptr;
  int64_t wrap = 1, row_stride = 0, column_stride = 0;
};

/// rows x columns of an output, and its operands. Operands may be the output's shape, a block of its last
/// rows that repeats (a bias [n], images [B, n] under K * B rows), a column [m, 1], or a single number.
struct Frame {
  int64_t rows = 0, columns = 0;
  std::array<Operand, 4> operands{};
  DType dtype = DType::f32;
};

/// Number of columns of a shape: its last extent, 1 for a scalar.
int64_t columns_of(const Shape& shape);
/// Number of rows: the product of the other extents.
int64_t rows_of(const Shape& shape);
/// The operand into whose shape the others broadcast: an empty one if there is any, else the largest.
const Tensor& frame_operand(Inputs x);

/// The operand of `x` in a frame of `shape`; throws naming `what` when it does not broadcast or has another
/// dtype.
Operand broadcast(std::string_view what, const Tensor& x, const Shape& shape, DType dtype);

/// Checked frame of map_fwd: operands x in the shape of y. Flattened to one row when nothing broadcasts.
Frame map_frame(Map op, Inputs x, const Tensor& y);
/// Checked frame of map_bwd in the shape of dx; operand 3 is dy. dx has one element per output element even
/// where x[wrt] was broadcast: summing it is the caller's. y may be undefined; it is then computed again
/// where needed.
Frame map_bwd_frame(Map op, int wrt, const Tensor& dy, Inputs x, const Tensor& y, const Tensor& dx);
/// A gradient of map_gradients: as dx of map_bwd.
struct MapGradient {
  int wrt = 0;
  Tensor dx;
  Write write = Write::set;
  void each_tensor(const auto& f) const { f(dx); }
};
/// Checked frame of map_gradients, of at least one gradient.
Frame map_gradients_frame(Map op, const Tensor& dy, Inputs x, const Tensor& y,
                          std::span<const MapGradient> gradients);

/// Checked frame of rowsum_fwd: the shape is that of frame_operand(x), y has one element per row.
Frame rowsum_frame(Map op, Inputs x, const Tensor& y);

}  // namespace vae::kernels
