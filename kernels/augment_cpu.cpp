#include "kernels/kernels.h"
#include "tensor/parallel.h"

namespace vae::kernels::cpu {
namespace {

constexpr int64_t kGrain = 16384;  // elements worth a second thread

/// Calls body(image, output row) in parallel.
template <class Body>
void for_each_row(const ImageSizes& s, const Body& body) {
  const int64_t row = std::max<int64_t>(s.out_width * s.channels, 1);
  parallel_for(s.images * s.out_height, std::max<int64_t>(1, kGrain / row), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) body(i / s.out_height, i % s.out_height);
  });
}

}  // namespace

void crop_images(In x, In corner, In flip, Out y, int64_t pad) {
  const ImageSizes s = check_crop(x, corner, flip, y, pad);
  const int64_t *corners = corner.data<int64_t>(), *flips = flip.defined() ? flip.data<int64_t>() : nullptr;
  for (int64_t i = 0; i < s.images; ++i)
    VAE_CHECK(crop_fits(s, pad, corners[2 * i], corners[2 * i + 1]),
              "crop_images: corner ({}, {}) of image {}: {} from {} padded by {}", corners[2 * i],
              corners[2 * i + 1], i, y.str(), x.str(), pad);
  dispatch_any(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_each_row(s, [&](int64_t i, int64_t r) {
      const T* image = x.data<T>() + i * s.height * s.width * s.channels;
      T* row = y.data<T>() + (i * s.out_height + r) * s.out_width * s.channels;
      for (int64_t c = 0; c < s.out_width; ++c) {
        const CropSource from =
            crop_source(s, pad, corners[2 * i], corners[2 * i + 1], flips && flips[i], r, c);
        std::copy_n(image + (from.row * s.width + from.column) * s.channels, s.channels,
                    row + c * s.channels);
      }
    });
  });
}

namespace {

template <class T>
void resize(const T* x, T* y, const ImageSizes& s) {
  for_each_row(s, [&](int64_t i, int64_t r) {
    const T* image = x + i * s.height * s.width * s.channels;
    T* row = y + (i * s.out_height + r) * s.out_width * s.channels;
    const Taps vertical = taps_of(r, s.height, s.out_height);
    for (int64_t c = 0; c < s.out_width; ++c) {
      const Taps horizontal = taps_of(c, s.width, s.out_width);
      for (int64_t channel = 0; channel < s.channels; ++channel)
        row[c * s.channels + channel] = resized(image, s, vertical, horizontal, channel);
    }
  });
}

}  // namespace

void resize_images(In x, Out y) {
  const ImageSizes s = check_resize(x, y);
  if (x.dtype() == DType::u8) return resize(x.data<uint8_t>(), y.data<uint8_t>(), s);
  dispatch_floating(x.dtype(),
                    [&](auto zero) { resize(x.data<decltype(zero)>(), y.data<decltype(zero)>(), s); });
}

void normalize_pixels(In x, In mean, In deviation, Out y) {
  check_normalize(x, mean, deviation, y);
  const int64_t n = columns_of(y.shape());
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T *centre = mean.defined() ? mean.data<T>() : nullptr,
            *scale = deviation.defined() ? deviation.data<T>() : nullptr;
    const uint8_t* pixels = x.data<uint8_t>();
    T* out = y.data<T>();
    parallel_for(n ? y.numel() / n : 0, std::max<int64_t>(1, kGrain / std::max<int64_t>(n, 1)),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t r = begin; r < end; ++r)
                     for (int64_t c = 0; c < n; ++c)
                       out[r * n + c] =
                           (static_cast<T>(pixels[r * n + c]) / T(255) - (centre ? centre[c] : T(0))) /
                           (scale ? scale[c] : T(1));
                 });
  });
}

}  // namespace vae::kernels::cpu
