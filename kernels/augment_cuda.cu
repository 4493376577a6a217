// Image kernels on CUDA devices: a thread per output element.
#include "kernels/cuda/launch.h"
#include "kernels/kernels.h"

namespace vae::kernels::VAE_GPU {
namespace {

/// Image, row, column and channel of element i of the output.
struct Place {
  int64_t image, row, column, channel;
  __device__ Place(int64_t i, const ImageSizes& s) {
    channel = i % s.channels, i /= s.channels;
    column = i % s.out_width, i /= s.out_width;
    row = i % s.out_height, image = i / s.out_height;
  }
};

template <class T>
__device__ T no_value() {
  if constexpr (T(0.5) != T(0))
    return static_cast<T>(nanf(""));
  else
    return T(0);
}

template <class T>
__global__ void crop_kernel(const T* x, const int64_t* corner, const int64_t* flip, T* y, int64_t n,
                            ImageSizes s, int64_t pad) {
  for (int64_t i = first_x(); i < n; i += step_x()) {
    const Place at(i, s);
    const int64_t top = corner[2 * at.image], left = corner[2 * at.image + 1];
    if (!crop_fits(s, pad, top, left)) {
      y[i] = no_value<T>();
      continue;
    }
    const CropSource from = crop_source(s, pad, top, left, flip && flip[at.image], at.row, at.column);
    y[i] = x[((at.image * s.height + from.row) * s.width + from.column) * s.channels + at.channel];
  }
}

template <class T>
__global__ void resize_kernel(const T* x, T* y, int64_t n, ImageSizes s) {
  for (int64_t i = first_x(); i < n; i += step_x()) {
    const Place at(i, s);
    y[i] = resized(x + at.image * s.height * s.width * s.channels, s, taps_of(at.row, s.height, s.out_height),
                   taps_of(at.column, s.width, s.out_width), at.channel);
  }
}

template <class T>
__global__ void normalize_kernel(const uint8_t* x, const T* mean, const T* deviation, T* y, int64_t n,
                                 int64_t channels) {
  for (int64_t i = first_x(); i < n; i += step_x()) {
    const int64_t c = i % channels;
    y[i] = (static_cast<T>(x[i]) / T(255) - (mean ? mean[c] : T(0))) / (deviation ? deviation[c] : T(1));
  }
}

template <class T>
const T* data_or_null(const Tensor& tensor) {
  return tensor.defined() ? tensor.data<T>() : nullptr;
}

}  // namespace

void crop_images(In x, In corner, In flip, Out y, int64_t pad) {
  const ImageSizes s = check_crop(x, corner, flip, y, pad);
  const OnDevice gpu(x);
  dispatch_any(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch("crop_images", crop_kernel<T>, gpu.line(y.numel()), x.data<T>(), corner.data<int64_t>(),
           data_or_null<int64_t>(flip), y.data<T>(), y.numel(), s, pad);
  });
}

void resize_images(In x, Out y) {
  const ImageSizes s = check_resize(x, y);
  const OnDevice gpu(x);
  const auto run = [&](auto zero) {
    using T = decltype(zero);
    launch("resize_images", resize_kernel<T>, gpu.line(y.numel()), x.data<T>(), y.data<T>(), y.numel(), s);
  };
  if (x.dtype() == DType::u8) return run(uint8_t{});
  dispatch_floating(x.dtype(), run);
}

void normalize_pixels(In x, In mean, In deviation, Out y) {
  check_normalize(x, mean, deviation, y);
  const OnDevice gpu(x);
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch("normalize_pixels", normalize_kernel<T>, gpu.line(y.numel()), x.data<uint8_t>(),
           data_or_null<T>(mean), data_or_null<T>(deviation), y.data<T>(), y.numel(), columns_of(y.shape()));
  });
}

}  // namespace vae::kernels::VAE_GPU
