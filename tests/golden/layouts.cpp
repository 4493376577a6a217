#include "layouts.h"

#include <algorithm>

namespace vae::golden {
namespace {

/// x [n, a, b, m] with the axes a and b exchanged.
Tensor exchanged(const Tensor& x, int64_t n, int64_t a, int64_t b, int64_t m, Shape shape) {
  return dispatch_floating(x.dtype(), [&](auto zero) {
    const auto from = x.to_vector<decltype(zero)>();
    std::vector<decltype(zero)> to(from.size());
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < a; ++j)
        for (int64_t k = 0; k < b; ++k)
          std::copy_n(from.begin() + ((i * a + j) * b + k) * m, m, to.begin() + ((i * b + k) * a + j) * m);
    return Tensor::from(to, shape, golden_device());
  });
}

}  // namespace

Tensor to_ours(const Tensor& theirs, const Axes& axes, Shape ours) {
  return exchanged(theirs, axes.n, axes.channels, axes.pixels, axes.m, ours);
}

Tensor to_theirs(const Tensor& ours, const Axes& axes, Shape theirs) {
  return exchanged(ours, axes.n, axes.pixels, axes.channels, axes.m, theirs);
}

Axes axes_of(const Shape& theirs) {
  if (theirs.rank() != 4) return {.n = theirs.numel()};
  return {.n = theirs[0], .channels = theirs[1], .pixels = theirs[2] * theirs[3]};
}

Shape their_shape(const Shape& ours) {
  return ours.rank() == 4 ? Shape{ours[0], ours[3], ours[1], ours[2]} : ours;
}

Tensor to_ours(const Tensor& theirs) {
  const Shape& s = theirs.shape();
  return to_ours(theirs, axes_of(s), s.rank() == 4 ? Shape{s[0], s[2], s[3], s[1]} : s);
}

Tensor to_theirs(const Tensor& ours) {
  const Shape theirs = their_shape(ours.shape());
  return to_theirs(ours, axes_of(theirs), theirs);
}

}  // namespace vae::golden
