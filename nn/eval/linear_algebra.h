#pragma once
// Decompositions of f64 matrices on the host, through LAPACK.
#include <vector>

#include "tensor/tensor.h"

namespace vae::eval {

/// Eigenvalues of a symmetric matrix [d, d], ascending, and its eigenvectors as the rows of a matrix. Throws
/// Error(numeric) where the iteration does not converge.
struct Eigen {
  std::vector<double> values;
  Tensor vectors;
};
Eigen symmetric_eigen(const Tensor& a);

/// Singular values of a matrix [m, n], descending; errors as above.
std::vector<double> singular_values(const Tensor& a);

}  // namespace vae::eval
