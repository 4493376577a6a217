#pragma once
// Mean and covariance of features that come in batches.
#include "tensor/tensor.h"

namespace vae::eval {

/// Of `count` rows: mean f64 [d] and covariance f64 [d, d], divided by count - 1.
struct Statistics {
  int64_t count = 0;
  Tensor mean{}, covariance{};
  int64_t width() const { return mean.size(0); }
};

class Moments {
 public:
  explicit Moments(int64_t width);

  /// Further rows [n, width], f32 or f64, on the host. Throws Error(data) for another width or a feature
  /// that is not finite.
  void add(const Tensor& features);
  int64_t count() const { return count_; }
  /// Throws Error(data) for fewer than two rows.
  Statistics statistics() const;

 private:
  void add_block(const Tensor& rows);
  int64_t count_ = 0;
  Tensor mean_, scatter_;  ///< scatter: sum of (x - mean)(x - mean)^T
};

/// Those of the rows of one tensor.
Statistics statistics(const Tensor& features);

}  // namespace vae::eval
