#pragma once
// Matrix product: sizes and leading dimensions of c = alpha op(a) op(b) + beta c; the product of a linear
// layer.
#include "kernels/kernel.h"

namespace vae::kernels {

enum class Transpose : bool { no, yes };

struct GemmSizes {
  int64_t m, n, k;        ///< c is [m, n], the inner dimension is k
  int64_t lda, ldb, ldc;  ///< row lengths as stored
};

/// Whether a product of two factors has such a result: all of one floating dtype, or bf16 factors and f32.
bool is_product(In a, In b, In c);
/// Checks dtypes and shapes (tensors of any rank are rows x columns) and returns the sizes.
GemmSizes gemm_sizes(In a, Transpose ta, In b, Transpose tb, Out c);

/// Checked sizes of linear_fwd, y[m, n] = x[m, k] w[n, k]^T + bias: a defined bias broadcasts to y.
GemmSizes linear_sizes(In x, In w, In bias, Out y);
/// Whether the product itself may add the bias on CUDA devices (cuBLASLt): one row of it or all, f32.
bool takes_bias(const GemmSizes& s, In bias, Out y);
/// linear_fwd on any device: the bias is laid down and the product added to it.
void product_on_bias(In x, In w, In bias, Out y);

}  // namespace vae::kernels
