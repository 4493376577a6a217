#pragma once
// What the model's cuBLAS and cuBLASLt share.
#include <cublas_api.h>

#include "kernels/model/product.h"

namespace vae::model {

/// The documented sentence for a status.
const char* describe(cublasStatus_t status);

/// How a product is computed, from the types that its caller names.
struct Arithmetic {
  bool supported = false;  ///< by the library: f32 alone, in TF32 or not, bf16 into f32, and f64
  DType factors = DType::f32, result = DType::f32;
  bool tf32 = false;
};
Arithmetic arithmetic_of(cudaDataType a, cudaDataType b, cudaDataType c, cublasComputeType_t compute);

inline bool is_transposition(cublasOperation_t operation) {
  return operation == CUBLAS_OP_N || operation == CUBLAS_OP_T || operation == CUBLAS_OP_C;
}

/// What the stream makes of work, as the library's status.
inline cublasStatus_t status_of(cudaError_t error) {
  return error == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

}  // namespace vae::model
