#pragma once
// Matrix product: sizes and leading dimensions of c = alpha op(a) op(b) + beta c.
#include "kernels/kernel.h"

namespace vae::kernels {

enum class Transpose : bool { no, yes };

struct GemmSizes {
  int64_t m, n, k;        ///< c is [m, n], the inner dimension is k
  int64_t lda, ldb, ldc;  ///< row lengths as stored
};

/// Checks dtypes and shapes (tensors of any rank are rows x columns) and returns the sizes.
GemmSizes gemm_sizes(In a, Transpose ta, In b, Transpose tb, Out c);

}  // namespace vae::kernels
