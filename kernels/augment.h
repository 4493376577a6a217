#pragma once
// Images [N, H, W, C] on their way to a net: cropping out of reflected borders, flipping, resizing, scaling.
// What every backend computes for one element stands here; none of it has a gradient.
#include "kernels/kernel.h"
#include "tensor/host_device.h"

namespace vae::kernels {

/// Sizes of a picture operation: N images of H x W become h x w.
struct ImageSizes {
  int64_t images, height, width, out_height, out_width, channels;
};

/// crop_images: y is the window of y's size whose upper left pixel is corner[i] = (top, left) of image i, of
/// any dtype, after `pad` reflected pixels on every side (the border pixel is not repeated) and, where i64
/// flip[i] is not zero, exchange of left and right of the padded image. Throws for a corner that leaves the
/// padded image; a device, which cannot throw, fills that window with NaN, or zeros.
ImageSizes check_crop(In x, In corner, In flip, Out y, int64_t pad);
/// resize_images: bilinear with half-pixel centres, edges clamped, no averaging when shrinking. Floating
/// types in one pass; u8 in two, first along rows, each rounded to 8 bits with weights of 22 binary places,
/// as Pillow enlarges.
ImageSizes check_resize(In x, Out y);
/// normalize_pixels: u8 into a floating y; mean and deviation have one element per channel, of the dtype of
/// y, and may be undefined (0 and 1).
void check_normalize(In x, In mean, In deviation, Out y);

/// Where coordinate i of a padded axis lies in the axis of n; pad < n.
VAE_HD int64_t reflected(int64_t i, int64_t pad, int64_t n) {
  i -= pad;
  if (i < 0) i = -i;
  return i < n ? i : 2 * (n - 1) - i;
}

/// Source of pixel (r, c) of a window at (top, left).
struct CropSource {
  int64_t row, column;
};
VAE_HD CropSource crop_source(const ImageSizes& s, int64_t pad, int64_t top, int64_t left, bool flip,
                              int64_t r, int64_t c) {
  const int64_t column = flip ? s.width + 2 * pad - 1 - (left + c) : left + c;
  return {reflected(top + r, pad, s.height), reflected(column, pad, s.width)};
}

VAE_HD bool crop_fits(const ImageSizes& s, int64_t pad, int64_t top, int64_t left) {
  return top >= 0 && left >= 0 && top + s.out_height <= s.height + 2 * pad &&
         left + s.out_width <= s.width + 2 * pad;
}

/// The two source positions of an output position and the weight of the second.
struct Taps {
  int64_t first, second;
  double weight;
};
VAE_HD Taps taps_of(int64_t i, int64_t in, int64_t out) {
  double at = (static_cast<double>(i) + 0.5) * static_cast<double>(in) / static_cast<double>(out) - 0.5;
  at = at < 0 ? 0 : at;
  const auto first = static_cast<int64_t>(at);
  return {first, first + 1 < in ? first + 1 : in - 1, at - static_cast<double>(first)};
}

/// Between a and b; u8 in fixed point.
template <class T>
VAE_HD T interpolated(T a, T b, double weight) {
  if constexpr (std::is_same_v<T, uint8_t>) {
    constexpr int kPlaces = 22;
    const auto one = static_cast<double>(1 << kPlaces);
    const auto wa = static_cast<int64_t>((1 - weight) * one + 0.5),
               wb = static_cast<int64_t>(weight * one + 0.5);
    return static_cast<T>((wa * a + wb * b + (1 << (kPlaces - 1))) >> kPlaces);
  } else {
    return a + static_cast<T>(weight) * (b - a);
  }
}

/// Element c of the resized pixel from an image [H, W, C].
template <class T>
VAE_HD T resized(const T* image, const ImageSizes& s, const Taps& row, const Taps& column, int64_t c) {
  const auto along = [&](int64_t r) {
    const T* line = image + r * s.width * s.channels + c;
    return interpolated(line[column.first * s.channels], line[column.second * s.channels], column.weight);
  };
  return interpolated(along(row.first), along(row.second), row.weight);
}

}  // namespace vae::kernels
