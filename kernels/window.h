#pragma once
// Window: the geometry of what slides over an image, shared by convolutions and pooling. Images are
// [n, h, w, channels]; a window at position o of an axis covers the pixels o * stride - padding + tap.
#include "kernels/kernel.h"
#include "tensor/host_device.h"

namespace vae::kernels {

/// Indices [begin, end).
struct Span {
  int64_t begin, end;
  VAE_HD int64_t size() const { return end > begin ? end - begin : 0; }
};

struct WindowAxis {
  int64_t kernel = 1, stride = 1, padding = 0;
  bool operator==(const WindowAxis&) const = default;

  /// Number of positions over an extent; below one where the kernel exceeds the padded image.
  VAE_HD int64_t positions(int64_t extent) const {
    const int64_t room = extent + 2 * padding - kernel;
    return room < 0 ? 0 : room / stride + 1;
  }
  /// Pixels of the image under the window at position o.
  VAE_HD Span pixels(int64_t o, int64_t extent) const {
    const int64_t first = o * stride - padding, last = first + kernel;
    return {first < 0 ? 0 : first, last < extent ? last : extent};
  }
  /// Positions whose windows cover pixel i.
  VAE_HD Span covering(int64_t i, int64_t positions) const {
    const int64_t beyond = i + padding - kernel + 1, last = (i + padding) / stride + 1;
    return {beyond <= 0 ? 0 : (beyond + stride - 1) / stride, last < positions ? last : positions};
  }
  /// Tap of the window at position o that lies on pixel i.
  VAE_HD int64_t tap(int64_t o, int64_t i) const { return i + padding - o * stride; }
};

struct Window {
  WindowAxis h, w;
  Window() = default;
  VAE_HD Window(const WindowAxis& of_h, const WindowAxis& of_w) : h(of_h), w(of_w) {}
  /// The same along both axes.
  VAE_HD Window(int64_t kernel, int64_t stride = 1, int64_t padding = 0)
      : h{kernel, stride, padding}, w{kernel, stride, padding} {}
  bool operator==(const Window&) const = default;
  /// Extents [n, positions, positions, channels] of what a window leaves of images [n, h, w, *]. Throws
  /// naming `what` for another rank, a kernel or stride below 1, a negative padding, a kernel that does not
  /// fit.
  Shape output(const char* what, const Shape& images, int64_t channels) const;
  /// "3x3 stride 1x1 padding 0x0"
  std::string str() const;
};

/// The sizes of images under a window.
struct Sliding {
  int64_t n, h, w, c;  ///< the images
  int64_t oh, ow;      ///< positions
  Window window;
  VAE_HD int64_t positions() const { return n * oh * ow; }
};

}  // namespace vae::kernels
