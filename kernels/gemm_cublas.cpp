// Matrix products through cuBLAS, in the arithmetic of the element type of the result unless TF32 is allowed;
// of bf16 factors sums are f32. cuBLAS thinks in columns: the row-major c = op(a) op(b) is its c' = op(b)'
// op(a)' over the same memory.
#include <cublas_v2.h>

#include "kernels/cuda/per_device.h"
#include "kernels/kernels.h"
#include "kernels/precision.h"
#include "tensor/allocator.h"
#include "tensor/stream_cuda.h"

namespace vae::kernels::cuda {
namespace {

constexpr size_t kWorkspaceBytes = size_t{32} << 20;  // what cuBLAS asks for on its largest devices

void check_cublas(cublasStatus_t status, const char* what) {
  if (status != CUBLAS_STATUS_SUCCESS) fail_in_library("cuBLAS", what, cublasGetStatusString(status));
}

/// The handle of a device, which must be current, on its compute stream. It and its workspace live until the
/// process ends.
cublasHandle_t handle_of(Device device) {
  static auto* handles = new PerDevice<cublasHandle_t>;
  return handles->get(device, [device] {
    cublasHandle_t handle = nullptr;
    check_cublas(cublasCreate(&handle), "create");
    check_cublas(cublasSetStream(handle, compute_stream(device.index)), "set stream");
    check_cublas(cublasSetWorkspace(handle, allocator(device).allocate(kWorkspaceBytes), kWorkspaceBytes),
                 "set workspace");
    return handle;
  });
}

cublasOperation_t operation(Transpose transpose) {
  return transpose == Transpose::yes ? CUBLAS_OP_T : CUBLAS_OP_N;
}

cudaDataType type_of(In x) {
  if (x.dtype() == DType::bf16) return CUDA_R_16BF;
  return x.dtype() == DType::f32 ? CUDA_R_32F : CUDA_R_64F;
}

cublasComputeType_t compute_type(DType factors) {
  if (factors == DType::f64) return CUBLAS_COMPUTE_64F;
  return factors == DType::f32 && precision() == Precision::tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32
                                                                 : CUBLAS_COMPUTE_32F;
}

}  // namespace

void gemm(In a, Transpose ta, In b, Transpose tb, Out c, double alpha, double beta) {
  const GemmSizes s = gemm_sizes(a, ta, b, tb, c);
  if (c.numel() == 0) return;
  if (s.k == 0) {
    const Params scale{beta, 0};
    return beta == 0 ? c.zero() : map_fwd(Map::affine, scale, {&c, 1}, c);
  }
  use_device(c.device().index);
  cublasHandle_t handle = handle_of(c.device());
  dispatch_floating(c.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T scale = static_cast<T>(alpha), keep = static_cast<T>(beta);
    check_cublas(cublasGemmEx_64(handle, operation(tb), operation(ta), s.n, s.m, s.k, &scale, b.raw(),
                                 type_of(b), s.ldb, a.raw(), type_of(a), s.lda, &keep, c.raw(), type_of(c),
                                 s.ldc, compute_type(a.dtype()), CUBLAS_GEMM_DEFAULT),
                 "gemm");
  });
  wait_if_asked(compute_stream(c.device().index), "gemm");
}

}  // namespace vae::kernels::cuda
