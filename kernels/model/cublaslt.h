#pragma once
// The model's reading of cuBLASLt's half-opaque structures. Each begins with a mark, so that memory that was
// never initialized is told from one that was.
#include <cublasLt.h>

#include <array>
#include <cstring>
#include <optional>

#include "kernels/model/cublas.h"

namespace vae::model::lt {

struct Layout {
  static constexpr uint32_t kMark = 0x4C617931;
  uint32_t mark = kMark;
  cudaDataType type = CUDA_R_32F;
  uint64_t rows = 0, columns = 0;
  int64_t stride = 0;
};

struct Operation {
  static constexpr uint32_t kMark = 0x4C617932;
  uint32_t mark = kMark;
  cublasComputeType_t compute = CUBLAS_COMPUTE_32F;
  cudaDataType scale = CUDA_R_32F;
  cublasLtPointerMode_t pointer_mode = CUBLASLT_POINTER_MODE_HOST;
  cublasOperation_t transpose_a = CUBLAS_OP_N, transpose_b = CUBLAS_OP_N;
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const void* bias = nullptr;
};

/// The alignment in bytes of what a product reads and writes.
struct Alignments {
  uint32_t a = 256, b = 256, c = 256, d = 256, bias = 256;
};

struct Preference {
  static constexpr uint32_t kMark = 0x4C617933;
  uint32_t mark = kMark;
  uint32_t reductions = CUBLASLT_REDUCTION_SCHEME_MASK;
  uint64_t workspace = 0;
  Alignments promised;
};

/// An algorithm and the problem that it was found for.
struct Algorithm {
  static constexpr uint32_t kMark = 0x4C617934;
  uint32_t mark = kMark;
  bool ordered = true;
  uint64_t problem = 0;
  uint64_t workspace = 0;
  Alignments promised;
};

/// What an opaque structure holds; nothing where it was never initialized.
template <class Held, class Opaque>
std::optional<Held> held_by(const Opaque* opaque) {
  static_assert(sizeof(Held) <= sizeof(Opaque));
  if (!opaque) return {};
  Held held;
  std::memcpy(static_cast<void*>(&held), opaque, sizeof held);
  if (held.mark != Held::kMark) return {};
  return held;
}

template <class Held, class Opaque>
void put(const Held& held, Opaque* opaque) {
  static_assert(sizeof(Held) <= sizeof(Opaque));
  std::memset(opaque, 0, sizeof *opaque);
  std::memcpy(opaque, static_cast<const void*>(&held), sizeof held);
}

/// A product as an operation and its four layouts describe it.
struct Described {
  cublasStatus_t status = CUBLAS_STATUS_INVALID_VALUE;  ///< whether it can be computed
  Product product;
  const void* bias = nullptr;
  uint64_t problem = 0;  ///< a number of all that an algorithm depends on but addresses
};
Described describe(const char* function, int device, cublasLtMatmulDesc_t operation, cublasLtMatrixLayout_t a,
                   cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d);

/// The device of a handle, which was current at its creation; nothing for one that is none of ours.
std::optional<int> device_of_handle(cublasLtHandle_t handle);

}  // namespace vae::model::lt
