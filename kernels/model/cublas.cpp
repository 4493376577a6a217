// The model's cuBLAS: a handle of a device, and the product. Rules: the cuBLAS documentation, cublasGemmEx().
#include "kernels/model/cublas.h"

#include <cublas_v2.h>

using namespace vae::model;

/// A handle: of the device that was current at its creation.
struct cublasContext {
  int device = 0;
  cudaStream_t stream = nullptr;
  void* workspace = nullptr;  ///< the caller's; null: the library's own
  size_t workspace_bytes = 0;
};

namespace {

constexpr size_t kWorkspaceAlignment = 256;
constexpr size_t kScratch = size_t{64} << 10;  // of the caller's workspace, that a product overwrites

Living<cublasContext>& handles() {
  static auto* handles = new Living<cublasContext>;
  return *handles;
}

}  // namespace

namespace vae::model {

const char* describe(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS:
      return "success";
    case CUBLAS_STATUS_NOT_INITIALIZED:
      return "the library was not initialized";
    case CUBLAS_STATUS_ALLOC_FAILED:
      return "the resource allocation failed";
    case CUBLAS_STATUS_INVALID_VALUE:
      return "an invalid value was given";
    case CUBLAS_STATUS_ARCH_MISMATCH:
      return "the device lacks a feature";
    case CUBLAS_STATUS_MAPPING_ERROR:
      return "an access to device memory failed";
    case CUBLAS_STATUS_EXECUTION_FAILED:
      return "the work failed to launch";
    case CUBLAS_STATUS_INTERNAL_ERROR:
      return "an internal operation failed";
    case CUBLAS_STATUS_NOT_SUPPORTED:
      return "the operation is not supported";
    case CUBLAS_STATUS_LICENSE_ERROR:
      return "the license is missing";
  }
  return "unknown status";
}

Arithmetic arithmetic_of(cudaDataType a, cudaDataType b, cudaDataType c, cublasComputeType_t compute) {
  const bool tf32 = compute == CUBLAS_COMPUTE_32F_FAST_TF32, plain = compute == CUBLAS_COMPUTE_32F;
  if (a != b) return {};
  if (c == CUDA_R_64F) return {a == c && compute == CUBLAS_COMPUTE_64F, DType::f64, DType::f64};
  if (c != CUDA_R_32F) return {};
  if (a == CUDA_R_16BF) return {plain, DType::bf16};
  return {a == c && (tf32 || plain), DType::f32, DType::f32, tf32};
}

}  // namespace vae::model

const char* cublasGetStatusString(cublasStatus_t status) {
  const Call model_call("cublasGetStatusString");
  return describe(status);
}

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
  VAE_MODEL_CALL("cublasCreate_v2");
  if (!handle) return CUBLAS_STATUS_INVALID_VALUE;
  *handle = handles().make();
  (*handle)->device = current_device();
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream) {
  VAE_MODEL_CALL("cublasSetStream_v2");
  if (!handles().has(handle)) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (stream && device_of(stream) != handle->device)
    return violation("cublasSetStream_v2", "the stream is not of the handle's device",
                     CUBLAS_STATUS_INVALID_VALUE);
  *handle = {handle->device, stream};  // documented: this gives the caller's workspace up
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, size_t bytes) {
  VAE_MODEL_CALL("cublasSetWorkspace_v2");
  if (!handles().has(handle)) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (reinterpret_cast<uintptr_t>(workspace) % kWorkspaceAlignment) return CUBLAS_STATUS_INVALID_VALUE;
  if (const std::string fault = fault_of({workspace, bytes, "the workspace"}, handle->device); !fault.empty())
    return violation("cublasSetWorkspace_v2", fault, CUBLAS_STATUS_INVALID_VALUE);
  handle->workspace = workspace, handle->workspace_bytes = bytes;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGemmEx_64(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb,
                               int64_t m, int64_t n, int64_t k, const void* alpha, const void* A,
                               cudaDataType Atype, int64_t lda, const void* B, cudaDataType Btype,
                               int64_t ldb, const void* beta, void* C, cudaDataType Ctype, int64_t ldc,
                               cublasComputeType_t computeType, cublasGemmAlgo_t algo) {
  constexpr const char* name = "cublasGemmEx_64";
  VAE_MODEL_CALL(name);
  if (!handles().has(handle)) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (m < 0 || n < 0 || k < 0 || !is_transposition(transa) || !is_transposition(transb) || !alpha || !beta)
    return CUBLAS_STATUS_INVALID_VALUE;
  const Arithmetic arithmetic = arithmetic_of(Atype, Btype, Ctype, computeType);
  if (!arithmetic.supported || algo != CUBLAS_GEMM_DEFAULT) return CUBLAS_STATUS_NOT_SUPPORTED;

  const auto factor = [&](bool transposed, int64_t rows, int64_t columns, int64_t stride) {
    return Matrix{arithmetic.factors, transposed ? columns : rows, transposed ? rows : columns, stride};
  };
  Product product{.a = factor(transa != CUBLAS_OP_N, m, k, lda),
                  .b = factor(transb != CUBLAS_OP_N, k, n, ldb),
                  .c = {arithmetic.result, m, n, ldc},
                  .d = {arithmetic.result, m, n, ldc},
                  .transpose_a = transa != CUBLAS_OP_N,
                  .transpose_b = transb != CUBLAS_OP_N,
                  .tf32 = arithmetic.tf32};
  if (!product.consistent()) return CUBLAS_STATUS_INVALID_VALUE;  // a leading dimension is too small
  if (m == 0 || n == 0) return CUBLAS_STATUS_SUCCESS;
  if (!C || (k > 0 && (!A || !B))) return CUBLAS_STATUS_INVALID_VALUE;
  if (!on_its_device(name, handle->device)) return CUBLAS_STATUS_EXECUTION_FAILED;
  const auto scalar = arithmetic.result == vae::DType::f64 ? host_scalar<double> : host_scalar<float>;
  const Scalar scale = scalar(name, alpha), keep = scalar(name, beta);
  if (!scale.readable || !keep.readable) return CUBLAS_STATUS_EXECUTION_FAILED;
  product.alpha = scale.value, product.beta = keep.value;

  std::vector<Use> uses = product.uses(A, B, C, C, nullptr);
  void* scratch = handle->workspace;
  const size_t scratch_bytes = std::min(handle->workspace_bytes, kScratch);
  uses.push_back({{scratch, handle->workspace_bytes, "the workspace"}, kWorkspaceAlignment, true});
  return status_of(submit(handle->stream, name, uses, [=] {
    if (scratch) poison(scratch, scratch_bytes);
    product.run(A, B, C, C, nullptr);
  }));
}
