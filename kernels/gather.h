#pragma once
// Filling, copying and indexing: the checks shared by all backends.
#include "kernels/kernel.h"

namespace vae::kernels {

/// How stored pixels become numbers: value / 255, or 1 where the pixel is at least 128 and 0 elsewhere.
enum class Pixels : int { unit, binary };

/// Calls f(From{}, To{}) with the types of a cast from x to y: bf16 comes from f32 and becomes f32.
template <class F>
void dispatch_cast(In x, Out y, const F& f) {
  const auto fits = [](DType one, DType other) { return one != DType::bf16 || other == DType::f32; };
  VAE_CHECK(x.numel() == y.numel() && fits(x.dtype(), y.dtype()) && fits(y.dtype(), x.dtype()),
            "cast: {} into {}", x.str(), y.str());
  if (y.dtype() == DType::bf16) return f(float{}, bf16{});
  if (x.dtype() == DType::bf16) return f(bf16{}, float{});
  dispatch_any(x.dtype(), [&](auto from) { dispatch_any(y.dtype(), [&](auto to) { f(from, to); }); });
}

/// A copy of x as another dtype, as cast() makes it.
Tensor converted(In x, DType dtype);

/// Rows of x named by i64 index: y is [index.numel(), row of x].
void check_gather(const char* kernel, In x, In index, Out y);
/// One i64 label per row of x; y (or dy) has one element per row.
void check_pick(const char* kernel, In x, In label, In y);
/// y[K * B, H] from v[K, H] and a[B, H], shared by all K, or a[K * B, H]. Returns K.
int64_t check_outer_add(In a, In v, Out y);
/// One i64 label per row of y.
void check_one_hot(In labels, Out y);
/// u8 images by index into a floating y.
void check_gather_pixels(In x, In index, Out y);
/// y is x with rows and columns exchanged.
void check_transpose(In x, Out y);
/// An i64 scalar.
void check_increment(Out y);
/// So many numbers, of one dtype, those that are undefined being left out; at most kMostCounters i64 scalars.
void check_tally(Inputs numbers, Out sums, Inputs counters);
inline constexpr size_t kMostCounters = 4;

}  // namespace vae::kernels
