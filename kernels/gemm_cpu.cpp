// f32 through oneDNN's sgemm, f64 through OpenBLAS: on the shapes of these models oneDNN reaches the higher
// rate (docs/results.md).
#include <cblas.h>
#include <dnnl.h>

#include "kernels/kernels.h"

namespace vae::kernels::cpu {

void gemm(In a, Transpose ta, In b, Transpose tb, Out c, double alpha, double beta) {
  const GemmSizes s = gemm_sizes(a, ta, b, tb, c);
  if (c.numel() == 0) return;
  if (s.k == 0) {
    const Params scale{beta, 0};
    return beta == 0 ? c.zero() : map_fwd(Map::affine, scale, {&c, 1}, c);
  }
  if (c.dtype() == DType::f32) {
    const dnnl_status_t status =
        dnnl_sgemm(ta == Transpose::yes ? 'T' : 'N', tb == Transpose::yes ? 'T' : 'N', s.m, s.n, s.k,
                   static_cast<float>(alpha), a.data<float>(), s.lda, b.data<float>(), s.ldb,
                   static_cast<float>(beta), c.data<float>(), s.ldc);
    VAE_CHECK(status == dnnl_success, "gemm: oneDNN status {}", static_cast<int>(status));
  } else {
    cblas_dgemm(CblasRowMajor, ta == Transpose::yes ? CblasTrans : CblasNoTrans,
                tb == Transpose::yes ? CblasTrans : CblasNoTrans, static_cast<int>(s.m),
                static_cast<int>(s.n), static_cast<int>(s.k), alpha, a.data<double>(),
                static_cast<int>(s.lda), b.data<double>(), static_cast<int>(s.ldb), beta, c.data<double>(),
                static_cast<int>(s.ldc));
  }
}

}  // namespace vae::kernels::cpu
