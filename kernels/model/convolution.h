#pragma once
// Convolution and its gradients over images and filters in memory, in any order of their axes, summed in f64.
#include <cstdint>
#include <vector>

namespace vae::model {

/// A tensor of f32 with axes (n, c, h, w) as cuDNN counts them; a filter has n outputs and c inputs.
struct Axes {
  int64_t n = 0, c = 0, h = 0, w = 0;
  bool channels_last = true;  ///< NHWC in memory, else NCHW

  int64_t size() const { return n * c * h * w; }
  bool operator==(const Axes&) const = default;
};

/// Along one axis.
struct Sweep {
  int64_t padding = 0, stride = 1, dilation = 1;

  /// Places of a kernel on an extent; below 1 where there are none.
  int64_t places(int64_t extent, int64_t kernel) const {
    const int64_t reach = dilation * (kernel - 1) + 1, room = extent + 2 * padding - reach;
    return room < 0 ? 0 : room / stride + 1;
  }
};

struct Convolution {
  Axes x, w, y;
  Sweep vertical, horizontal;
  bool mirrored = false;  ///< the mathematicians' convolution, not a correlation
  bool tf32 = false;      ///< factors are rounded to TF32
  bool ordered = true;    ///< false: the last bits of the result differ from run to run

  /// out = alpha result + beta out; out is not read where beta is 0.
  struct Scale {
    double alpha = 1, beta = 0;
  };
  void forward(const float* x, const float* w, float* y, Scale scale) const;
  void input_gradient(const float* w, const float* dy, float* dx, Scale scale) const;
  void weight_gradient(const float* x, const float* dy, float* dw, Scale scale) const;

 private:
  template <class Body>
  void for_rows(const Body& body) const;
  std::vector<double> read(const Axes& axes, const float* data, bool flip = false) const;
  void write(const Axes& axes, const std::vector<double>& result, float* data, Scale scale,
             bool flip = false) const;
};

}  // namespace vae::model
