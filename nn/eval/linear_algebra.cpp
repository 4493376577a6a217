#include "nn/eval/linear_algebra.h"

#include <algorithm>

// OpenBLAS holds LAPACK; Debian's package has no header of it. Matrices are stored by columns.
extern "C" {
void dsyevd_(const char* job, const char* triangle, const int* n, double* a, const int* lda, double* values,
             double* work, const int* work_size, int* integers, const int* integers_size, int* info);
void dgesdd_(const char* job, const int* m, const int* n, double* a, const int* lda, double* values,
             double* u, const int* ldu, double* vt, const int* ldvt, double* work, const int* work_size,
             int* integers, int* info);
}

namespace vae::eval {
namespace {

/// An extent as LAPACK counts.
int extent(const Tensor& a, int axis) {
  VAE_CHECK(a.rank() == 2 && a.dtype() == DType::f64 && a.size(axis) < 1 << 30, "LAPACK on {}", a.str());
  return static_cast<int>(a.size(axis));
}

void check(int info, const char* what) {
  if (info != 0) fail(ErrorKind::numeric, "{} did not converge (LAPACK: {})", what, info);
}

}  // namespace

Eigen symmetric_eigen(const Tensor& a) {
  const int n = extent(a, 0);
  VAE_CHECK(extent(a, 1) == n, "eigenvalues of {}", a.str());
  Eigen result{std::vector<double>(n), a.clone()};
  if (n == 0) return result;
  double* vectors = result.vectors.data<double>();
  int info = 0, work_size = -1, integers_size = -1;  // the first call asks for sizes
  std::vector<double> work(1);
  std::vector<int> integers(1);
  const auto run = [&] {
    dsyevd_("V", "U", &n, vectors, &n, result.values.data(), work.data(), &work_size, integers.data(),
            &integers_size, &info);
    check(info, "the eigenvalues of a symmetric matrix");
  };
  run();
  work.resize(work_size = static_cast<int>(work[0]));
  integers.resize(integers_size = integers[0]);
  run();
  return result;
}

std::vector<double> singular_values(const Tensor& a) {
  const int m = extent(a, 1), n = extent(a, 0);  // by columns it is the transpose, with the same values
  const int count = std::min(m, n), one = 1;
  std::vector<double> values(count);
  if (count == 0) return values;
  const Tensor scratch = a.clone();
  int info = 0, work_size = -1;
  std::vector<double> work(1);
  std::vector<int> integers(8 * static_cast<size_t>(count));
  const auto run = [&] {
    dgesdd_("N", &m, &n, scratch.data<double>(), &m, values.data(), nullptr, &one, nullptr, &one, work.data(),
            &work_size, integers.data(), &info);
    check(info, "the singular values of a matrix");
  };
  run();
  work.resize(work_size = static_cast<int>(work[0]));
  run();
  return values;
}

}  // namespace vae::eval
