#include "kernels/model/convolution.h"

#include <algorithm>

#include "kernels/model/product.h"

namespace vae::model {
namespace {

/// Calls body(place in memory, place in NHWC order) for every element; flipped: rows and columns backwards.
template <class Body>
void for_elements(const Axes& a, bool flip, const Body& body) {
  size_t dense = 0;
  for (int64_t n = 0; n < a.n; ++n)
    for (int64_t row = 0; row < a.h; ++row)
      for (int64_t column = 0; column < a.w; ++column)
        for (int64_t c = 0; c < a.c; ++c) {
          const int64_t h = flip ? a.h - 1 - row : row, w = flip ? a.w - 1 - column : column;
          const int64_t at =
              a.channels_last ? ((n * a.h + h) * a.w + w) * a.c + c : ((n * a.c + c) * a.h + h) * a.w + w;
          body(static_cast<size_t>(at), dense++);
        }
}

}  // namespace

std::vector<double> Convolution::read(const Axes& axes, const float* data, bool flip) const {
  std::vector<double> values(static_cast<size_t>(axes.size()));
  for_elements(axes, flip,
               [&](size_t at, size_t dense) { values[dense] = tf32 ? to_tf32(data[at]) : data[at]; });
  return values;
}

void Convolution::write(const Axes& axes, const std::vector<double>& result, float* data, Scale scale,
                        bool flip) const {
  static uint64_t turn = 0;
  ++turn;
  for_elements(axes, flip, [&](size_t at, size_t dense) {
    double value = scale.alpha * result[dense];
    if (scale.beta != 0) value += scale.beta * data[at];
    const auto rounded = static_cast<float>(value);
    data[at] = ordered ? rounded : by_chance(rounded, at, turn);
  });
}

/// Calls body(pixels, x, w, y) for every row of y and every tap: so many pixels of that row, which begin at
/// element y, meet pixels of x that begin at element x and lie a horizontal stride apart, through the weights
/// [outputs, channels] that begin at element w. Elements are counted in NHWC order.
template <class Body>
void Convolution::for_rows(const Body& body) const {
  for (int64_t n = 0; n < y.n; ++n)
    for (int64_t oh = 0; oh < y.h; ++oh)
      for (int64_t kh = 0; kh < w.h; ++kh) {
        const int64_t ih = oh * vertical.stride - vertical.padding + kh * vertical.dilation;
        if (ih < 0 || ih >= x.h) continue;
        for (int64_t kw = 0; kw < w.w; ++kw) {
          const int64_t shift = kw * horizontal.dilation - horizontal.padding, stride = horizontal.stride;
          int64_t first = 0, last = y.w - 1;
          while (first <= last && first * stride + shift < 0) ++first;
          while (last >= first && last * stride + shift >= x.w) --last;
          if (first > last) continue;
          body(last - first + 1, ((n * x.h + ih) * x.w + first * stride + shift) * x.c, (kh * w.w + kw) * w.c,
               ((n * y.h + oh) * y.w + first) * y.c);
        }
      }
}

void Convolution::forward(const float* x_data, const float* w_data, float* y_data, Scale scale) const {
  const std::vector<double> image = read(x, x_data), weights = read(w, w_data, mirrored);
  std::vector<double> sum(static_cast<size_t>(y.size()));
  for_rows([&](int64_t pixels, int64_t at_x, int64_t at_w, int64_t at_y) {
    multiply_add(pixels, y.c, x.c, {image.data() + at_x, false, horizontal.stride * x.c},
                 {weights.data() + at_w, true, w.h * w.w * w.c}, sum.data() + at_y, y.c);
  });
  write(y, sum, y_data, scale);
}

void Convolution::input_gradient(const float* w_data, const float* dy_data, float* dx_data,
                                 Scale scale) const {
  const std::vector<double> weights = read(w, w_data, mirrored), gradient = read(y, dy_data);
  std::vector<double> sum(static_cast<size_t>(x.size()));
  for_rows([&](int64_t pixels, int64_t at_x, int64_t at_w, int64_t at_y) {
    multiply_add(pixels, x.c, y.c, {gradient.data() + at_y, false, y.c},
                 {weights.data() + at_w, false, w.h * w.w * w.c}, sum.data() + at_x, horizontal.stride * x.c);
  });
  write(x, sum, dx_data, scale);
}

void Convolution::weight_gradient(const float* x_data, const float* dy_data, float* dw_data,
                                  Scale scale) const {
  const std::vector<double> image = read(x, x_data), gradient = read(y, dy_data);
  std::vector<double> sum(static_cast<size_t>(w.size()));
  for_rows([&](int64_t pixels, int64_t at_x, int64_t at_w, int64_t at_y) {
    multiply_add(y.c, x.c, pixels, {gradient.data() + at_y, true, y.c},
                 {image.data() + at_x, false, horizontal.stride * x.c}, sum.data() + at_w, w.h * w.w * w.c);
  });
  write(w, sum, dw_data, scale, mirrored);
}

}  // namespace vae::model
