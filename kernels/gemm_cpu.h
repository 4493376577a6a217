#pragma once
// The matrix product of the CPU backend over raw rows, for callers whose matrices are parts of larger ones.
#include "kernels/gemm.h"

namespace vae::kernels::cpu {

/// c = alpha op(a) op(b) + beta c; the rows of a, b and c are lda, ldb and ldc elements apart.
void gemm(const GemmSizes& s, Transpose ta, Transpose tb, double alpha, const float* a, const float* b,
          double beta, float* c);
void gemm(const GemmSizes& s, Transpose ta, Transpose tb, double alpha, const double* a, const double* b,
          double beta, double* c);

}  // namespace vae::kernels::cpu
