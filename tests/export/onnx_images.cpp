#include <algorithm>
#include <limits>

#include "tests/export/onnx_operators.h"

namespace vae::test {
namespace {

/// Sizes of a window over images [n, c, h, w]; f(image pixel, tap, window) for all pairs that overlap.
struct Sliding {
  int64_t h, w, oh, ow, kh, kw, sh, sw, ph, pw;
  template <class F>
  void each(const F& f) const {
    for (int64_t oy = 0; oy < oh; ++oy)
      for (int64_t ox = 0; ox < ow; ++ox)
        for (int64_t ky = 0; ky < kh; ++ky)
          for (int64_t kx = 0; kx < kw; ++kx) {
            const int64_t y = oy * sh - ph + ky, x = ox * sw - pw + kx;
            if (y >= 0 && y < h && x >= 0 && x < w) f(y * w + x, ky * kw + kx, oy * ow + ox);
          }
  }
};

Sliding sliding(const NodeSettings& s, int64_t h, int64_t w, bool transposed) {
  const auto &k = s.lists.at("kernel_shape"), &stride = s.lists.at("strides"), &pads = s.lists.at("pads");
  Sliding r{h, w, 0, 0, k[0], k[1], stride[0], stride[1], pads[0], pads[1]};
  if (transposed) {  // the image is what comes out
    r.oh = h, r.ow = w;
    r.h = (h - 1) * stride[0] - pads[0] - pads[2] + k[0],
    r.w = (w - 1) * stride[1] - pads[1] - pads[3] + k[1];
  } else {
    r.oh = (h + pads[0] + pads[2] - k[0]) / stride[0] + 1,
    r.ow = (w + pads[1] + pads[3] - k[1]) / stride[1] + 1;
  }
  return r;
}

Array conv(const std::vector<Array>& in, const NodeSettings& s, bool transposed) {
  const Array &x = in[0], &w = in[1];
  const int64_t n = x.extents[0], channels = x.extents[1], out = w.extents[transposed ? 1 : 0];
  const Sliding window = sliding(s, x.extents[2], x.extents[3], transposed);
  const int64_t from = x.extents[2] * x.extents[3], taps = window.kh * window.kw;
  const std::vector<int64_t> sides =
      transposed ? std::vector{window.h, window.w} : std::vector{window.oh, window.ow};
  const int64_t to = sides[0] * sides[1];
  Array y{{n, out, sides[0], sides[1]}, std::vector<double>(n * out * to)};
  for (int64_t i = 0; i < n; ++i)
    for (int64_t o = 0; o < out; ++o) {
      double* const pixels = &y.values[(i * out + o) * to];
      if (in.size() > 2) std::fill_n(pixels, to, in[2].values[o]);
      for (int64_t c = 0; c < channels; ++c) {
        const double* const image = &x.values[(i * channels + c) * from];
        const double* const weight = &w.values[(transposed ? c * out + o : o * channels + c) * taps];
        window.each([&](int64_t pixel, int64_t tap, int64_t at) {
          transposed ? pixels[pixel] += weight[tap] * image[at] : pixels[at] += weight[tap] * image[pixel];
        });
      }
    }
  return y;
}

Array pool(const Array& x, const NodeSettings& s, bool average) {
  const Sliding window = sliding(s, x.extents[2], x.extents[3], false);
  const int64_t maps = x.extents[0] * x.extents[1], from = window.h * window.w, to = window.oh * window.ow;
  Array y{{x.extents[0], x.extents[1], window.oh, window.ow},
          std::vector<double>(maps * to, average ? 0 : -std::numeric_limits<double>::infinity())};
  for (int64_t m = 0; m < maps; ++m) {
    std::vector<double> covered(to);
    window.each([&](int64_t pixel, int64_t, int64_t at) {
      double& value = y.values[m * to + at];
      const double seen = x.values[m * from + pixel];
      value = average ? value + seen : std::max(value, seen);
      ++covered[at];
    });
    const auto whole = static_cast<double>(window.kh * window.kw);
    for (int64_t at = 0; average && at < to; ++at)
      y.values[m * to + at] /= s.number("count_include_pad", 0) != 0 ? whole : covered[at];
  }
  return y;
}

}  // namespace

void add_image_operators(std::map<std::string, Operator>& all) {
  all["Conv"] = [](const auto& in, const auto& s) { return conv(in, s, false); };
  all["ConvTranspose"] = [](const auto& in, const auto& s) { return conv(in, s, true); };
  all["MaxPool"] = [](const auto& in, const auto& s) { return pool(in[0], s, false); };
  all["AveragePool"] = [](const auto& in, const auto& s) { return pool(in[0], s, true); };
}

}  // namespace vae::test
