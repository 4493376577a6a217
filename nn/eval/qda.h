#pragma once
// Quadratic discriminant analysis: a Gaussian per class, in closed form, as a probe of how much of the class
// a code holds.
#include <vector>

#include "tensor/tensor.h"

namespace vae::eval {

class Qda {
 public:
  /// Means, covariances (divided by n - 1, `ridge` added to the diagonal) and shares of the classes 0 to
  /// classes - 1 in x f32 [N, D] with i64 labels [N], both on the host. A class of fewer than two rows has no
  /// covariance and is never predicted. Throws Error(data) where no class has two, for a label outside, or a
  /// covariance that is not positive definite.
  Qda(const Tensor& x, const Tensor& labels, int64_t classes, double ridge);

  /// Most probable class of each row of x [N, D].
  std::vector<int64_t> predict(const Tensor& x) const;
  /// Share of rows whose class is predicted.
  double accuracy(const Tensor& x, const Tensor& labels) const;

 private:
  struct Class {
    int64_t label;
    std::vector<double> mean, cholesky;  ///< lower triangle L with L L^T = covariance, [D, D]
    double log_weight;                   ///< log share - log det L
  };
  Class fit(const Tensor& x, int64_t label, const std::vector<int64_t>& rows, double ridge) const;
  double log_density(const Class& c, const float* x) const;
  int64_t dims_;
  std::vector<Class> classes_;
};

}  // namespace vae::eval
