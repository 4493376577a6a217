// The model's cuBLASLt: handles, layouts, operations, preferences.
#include <bit>

#include "kernels/model/cublaslt.h"

using namespace vae::model;

struct cublasLtContext {
  int device = 0;
};

namespace {

Living<cublasLtContext>& handles() {
  static auto* handles = new Living<cublasLtContext>;
  return *handles;
}

/// Initializes an opaque structure that the caller says has `size` bytes.
template <class Held, class Opaque>
cublasStatus_t initialize(const Held& held, Opaque* opaque, size_t size) {
  if (!opaque) return CUBLAS_STATUS_INVALID_VALUE;
  if (size < sizeof *opaque) return CUBLAS_STATUS_ALLOC_FAILED;
  lt::put(held, opaque);
  return CUBLAS_STATUS_SUCCESS;
}

/// A value that an attribute is set to: `bytes` bytes that must be as many as a T has.
struct Value {
  const void* data;
  size_t bytes;

  template <class T>
  cublasStatus_t into(T& field) const {
    if (!data || bytes != sizeof field) return CUBLAS_STATUS_INVALID_VALUE;
    std::memcpy(&field, data, bytes);
    return CUBLAS_STATUS_SUCCESS;
  }
};

cublasStatus_t set(lt::Operation& operation, cublasLtMatmulDescAttributes_t attribute, const Value& value) {
  switch (attribute) {
    case CUBLASLT_MATMUL_DESC_POINTER_MODE:
      return value.into(operation.pointer_mode);
    case CUBLASLT_MATMUL_DESC_TRANSA:
      return value.into(operation.transpose_a);
    case CUBLASLT_MATMUL_DESC_TRANSB:
      return value.into(operation.transpose_b);
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
      return value.into(operation.epilogue);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
      return value.into(operation.bias);
    default:
      return CUBLAS_STATUS_NOT_SUPPORTED;
  }
}

cublasStatus_t set(lt::Preference& preference, cublasLtMatmulPreferenceAttributes_t attribute,
                   const Value& value) {
  lt::Alignments& promised = preference.promised;
  switch (attribute) {
    case CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES:
      return value.into(preference.workspace);
    case CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK:
      return value.into(preference.reductions);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES:
      return value.into(promised.a);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES:
      return value.into(promised.b);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES:
      return value.into(promised.c);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES:
      return value.into(promised.d);
    default:
      return CUBLAS_STATUS_NOT_SUPPORTED;
  }
}

/// Sets an attribute of what an opaque structure holds.
template <class Held, class Opaque, class Attribute>
cublasStatus_t set_attribute(Opaque* opaque, Attribute attribute, const Value& value) {
  auto held = lt::held_by<Held>(opaque);
  if (!held) return CUBLAS_STATUS_INVALID_VALUE;
  const cublasStatus_t status = set(*held, attribute, value);
  if (status == CUBLAS_STATUS_SUCCESS) lt::put(*held, opaque);
  return status;
}

}  // namespace

namespace vae::model::lt {

std::optional<int> device_of_handle(cublasLtHandle_t handle) {
  if (!handles().has(handle)) return {};
  return handle->device;
}

}  // namespace vae::model::lt

const char* cublasLtGetStatusString(cublasStatus_t status) {
  const Call model_call("cublasLtGetStatusString");
  return describe(status);
}

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  VAE_MODEL_CALL("cublasLtCreate");
  if (!handle) return CUBLAS_STATUS_INVALID_VALUE;
  *handle = handles().make();
  (*handle)->device = current_device();
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutInit_internal(cublasLtMatrixLayout_t layout, size_t size,
                                                 cudaDataType type, uint64_t rows, uint64_t columns,
                                                 int64_t ld) {
  VAE_MODEL_CALL("cublasLtMatrixLayoutInit_internal");
  return initialize(lt::Layout{.type = type, .rows = rows, .columns = columns, .stride = ld}, layout, size);
}

cublasStatus_t cublasLtMatmulDescInit_internal(cublasLtMatmulDesc_t operation, size_t size,
                                               cublasComputeType_t compute, cudaDataType_t scale) {
  VAE_MODEL_CALL("cublasLtMatmulDescInit_internal");
  return initialize(lt::Operation{.compute = compute, .scale = scale}, operation, size);
}

cublasStatus_t cublasLtMatmulPreferenceInit_internal(cublasLtMatmulPreference_t preference, size_t size) {
  VAE_MODEL_CALL("cublasLtMatmulPreferenceInit_internal");
  return initialize(lt::Preference{}, preference, size);
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t operation,
                                              cublasLtMatmulDescAttributes_t attribute, const void* buffer,
                                              size_t bytes) {
  VAE_MODEL_CALL("cublasLtMatmulDescSetAttribute");
  return set_attribute<lt::Operation>(operation, attribute, {buffer, bytes});
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t attribute,
                                                    const void* buffer, size_t bytes) {
  VAE_MODEL_CALL("cublasLtMatmulPreferenceSetAttribute");
  return set_attribute<lt::Preference>(preference, attribute, {buffer, bytes});
}
