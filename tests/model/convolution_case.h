#pragma once
// Convolutions of images [n, h, w, c] with weights [o, kh, kw, c] by plain loops.
#include "tests/numeric.h"

namespace vae::test {

struct ConvolutionCase {
  int64_t n, h, w, c, o, kh, kw;
  int64_t pad_h = 0, pad_w = 0, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  bool mirrored = false;

  static int64_t places(int64_t extent, int64_t kernel, int64_t pad, int64_t stride, int64_t dilation) {
    return (extent + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1;
  }
  int64_t oh() const { return places(h, kh, pad_h, stride_h, dilation_h); }
  int64_t ow() const { return places(w, kw, pad_w, stride_w, dilation_w); }
  int64_t x_size() const { return n * h * w * c; }
  int64_t w_size() const { return o * kh * kw * c; }
  int64_t y_size() const { return n * oh() * ow() * o; }
  std::vector<double> x() const { return sample(x_size(), -1, 1, 1); }
  std::vector<double> weights() const { return sample(w_size(), -1, 1, 2); }
  std::vector<double> dy() const { return sample(y_size(), -1, 1, 3); }

  /// Calls body(place in x, place in weights, place in y) for every product.
  template <class Body>
  void for_products(const Body& body) const {
    for (int64_t b = 0; b < n; ++b)
      for (int64_t i = 0; i < oh(); ++i)
        for (int64_t j = 0; j < ow(); ++j)
          for (int64_t k = 0; k < o; ++k)
            for (int64_t r = 0; r < kh; ++r)
              for (int64_t s = 0; s < kw; ++s)
                for (int64_t l = 0; l < c; ++l) {
                  const int64_t row = i * stride_h - pad_h + r * dilation_h,
                                column = j * stride_w - pad_w + s * dilation_w;
                  if (row < 0 || row >= h || column < 0 || column >= w) continue;
                  const int64_t tap_r = mirrored ? kh - 1 - r : r, tap_s = mirrored ? kw - 1 - s : s;
                  body(static_cast<size_t>(((b * h + row) * w + column) * c + l),
                       static_cast<size_t>(((k * kh + tap_r) * kw + tap_s) * c + l),
                       static_cast<size_t>(((b * oh() + i) * ow() + j) * o + k));
                }
  }
  std::vector<double> forward() const {
    const std::vector<double> xv = x(), wv = weights();
    std::vector<double> y(static_cast<size_t>(y_size()));
    for_products([&](size_t px, size_t pw, size_t py) { y[py] += xv[px] * wv[pw]; });
    return y;
  }
  std::vector<double> dx() const {
    const std::vector<double> g = dy(), wv = weights();
    std::vector<double> result(static_cast<size_t>(x_size()));
    for_products([&](size_t px, size_t pw, size_t py) { result[px] += g[py] * wv[pw]; });
    return result;
  }
  std::vector<double> dw() const {
    const std::vector<double> g = dy(), xv = x();
    std::vector<double> result(static_cast<size_t>(w_size()));
    for_products([&](size_t px, size_t pw, size_t py) { result[pw] += g[py] * xv[px]; });
    return result;
  }
};

/// [n, h, w, c] with the channels before the rows, or back.
inline std::vector<double> channels_first(const std::vector<double>& x, int64_t n, int64_t hw, int64_t c) {
  std::vector<double> y(x.size());
  for (int64_t i = 0; i < n; ++i)
    for (int64_t p = 0; p < hw; ++p)
      for (int64_t l = 0; l < c; ++l)
        y[static_cast<size_t>((i * c + l) * hw + p)] = x[static_cast<size_t>((i * hw + p) * c + l)];
  return y;
}

}  // namespace vae::test
