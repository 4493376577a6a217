// f32 through oneDNN's sgemm, f64 through OpenBLAS: on the shapes of these models oneDNN reaches the higher
// rate (docs/results.md). bf16 through a primitive of oneDNN or, where the processor has no instructions for
// it, widened to f32.
#include "kernels/gemm_cpu.h"

#include <cblas.h>
#include <dnnl.h>

#include "kernels/gemm_onednn.h"
#include "kernels/kernels.h"
#include "kernels/precision.h"

namespace vae::kernels::cpu {

void gemm(const GemmSizes& s, Transpose ta, Transpose tb, double alpha, const float* a, const float* b,
          double beta, float* c) {
  const dnnl_status_t status =
      dnnl_sgemm(ta == Transpose::yes ? 'T' : 'N', tb == Transpose::yes ? 'T' : 'N', s.m, s.n, s.k,
                 static_cast<float>(alpha), a, s.lda, b, s.ldb, static_cast<float>(beta), c, s.ldc);
  VAE_CHECK(status == dnnl_success, "gemm: oneDNN status {}", static_cast<int>(status));
}

void gemm(const GemmSizes& s, Transpose ta, Transpose tb, double alpha, const double* a, const double* b,
          double beta, double* c) {
  cblas_dgemm(CblasRowMajor, ta == Transpose::yes ? CblasTrans : CblasNoTrans,
              tb == Transpose::yes ? CblasTrans : CblasNoTrans, static_cast<int>(s.m), static_cast<int>(s.n),
              static_cast<int>(s.k), alpha, a, static_cast<int>(s.lda), b, static_cast<int>(s.ldb), beta, c,
              static_cast<int>(s.ldc));
}

void gemm(In a, Transpose ta, In b, Transpose tb, Out c, double alpha, double beta) {
  const GemmSizes s = gemm_sizes(a, ta, b, tb, c);
  if (c.numel() == 0) return;
  if (s.k == 0) {
    const Params scale{beta, 0};
    return beta == 0 ? c.zero() : map_fwd(Map::affine, scale, {&c, 1}, c);
  }
  if (a.dtype() == DType::bf16) {
    if (alpha == 1 && processor_has_bf16() && onednn::gemm(s, a, ta, b, tb, c, beta)) return;
    const Tensor wide_a = converted(a, DType::f32), wide_b = converted(b, DType::f32);
    return gemm(s, ta, tb, alpha, wide_a.data<float>(), wide_b.data<float>(), beta, c.data<float>());
  }
  dispatch_floating(c.dtype(), [&](auto zero) {
    using T = decltype(zero);
    gemm(s, ta, tb, alpha, a.data<T>(), b.data<T>(), beta, c.data<T>());
  });
}

void linear_fwd(In x, In w, In bias, Out y) {
  linear_sizes(x, w, bias, y);
  product_on_bias(x, w, bias, y);
}

}  // namespace vae::kernels::cpu
