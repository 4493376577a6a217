// y = x w^T + bias in one pass on CUDA devices, through cuBLASLt, whose products may add a vector at their
// end, or a matrix beside their result. It thinks in columns: y' = w x' + bias, over the same memory.
// Algorithms come from its heuristics, without timing, and only those whose sums have a fixed order are
// allowed. Whatever it does not offer is a product of cuBLAS on top of the bias. A status that blames the
// arguments is an error, not an offer declined.
#include <cublasLt.h>

#include <array>
#include <map>
#include <mutex>

#include "kernels/cuda/per_device.h"
#include "kernels/kernels.h"
#include "kernels/precision.h"
#include "tensor/stream_cuda.h"

namespace vae::kernels::cuda {
namespace {

constexpr size_t kMaxWorkspace = size_t{32} << 20;
constexpr size_t kMaxChoices = 1024;
/// Of the bias: its epilogue reads whole vectors, and no preference tells the heuristics of less.
constexpr uint32_t kBiasAlignment = 16;

void check_cublaslt(cublasStatus_t status, const char* what) {
  if (status != CUBLAS_STATUS_SUCCESS) fail_in_library("cuBLASLt", what, cublasLtGetStatusString(status));
}

/// Whether the library offers what it was asked for; throws where it finds fault with the question.
bool offers(cublasStatus_t status, const char* what) {
  if (status != CUBLAS_STATUS_NOT_SUPPORTED) check_cublaslt(status, what);
  return status == CUBLAS_STATUS_SUCCESS;
}

/// The largest power of two, 256 at most, that divides an address.
uint32_t alignment_of(In x) {
  const auto address = reinterpret_cast<uintptr_t>(x.raw()) | 256;
  return static_cast<uint32_t>(address & (~address + 1));
}

/// A product with its bias as cuBLASLt describes it.
struct Product {
  cublasLtMatmulDescOpaque_t operation{};
  cublasLtMatrixLayoutOpaque_t w{}, x{}, y{};

  /// Factors are f32 or bf16. A bias of one row goes to the end; null: there is none.
  Product(const GemmSizes& s, DType factors, const void* bias) {
    const bool tf32 = factors == DType::f32 && precision() == Precision::tf32;
    check_cublaslt(cublasLtMatmulDescInit(
                       &operation, tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F, CUDA_R_32F),
                   "operation");
    set(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
    if (bias) {
      set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
      set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
    }
    const cudaDataType type = factors == DType::bf16 ? CUDA_R_16BF : CUDA_R_32F;
    describe(w, type, s.k, s.n), describe(x, type, s.k, s.m), describe(y, CUDA_R_32F, s.n, s.m);
  }

 private:
  template <class T>
  void set(cublasLtMatmulDescAttributes_t attribute, const T& value) {
    check_cublaslt(cublasLtMatmulDescSetAttribute(&operation, attribute, &value, sizeof value), "attribute");
  }
  static void describe(cublasLtMatrixLayoutOpaque_t& matrix, cudaDataType type, int64_t rows,
                       int64_t columns) {
    check_cublaslt(cublasLtMatrixLayoutInit(&matrix, type, static_cast<uint64_t>(rows),
                                            static_cast<uint64_t>(columns), rows),
                   "matrix");
  }
};

/// How a product is computed.
struct Choice {
  cublasLtMatmulAlgo_t algorithm{};
  size_t workspace = 0;
  bool usable = false;
};

/// `c` is what is added beside the result: y itself, times zero, or a bias of its size.
Choice choose(cublasLtHandle_t handle, Product& p, In w, In x, In c, In y) {
  cublasLtMatmulPreferenceOpaque_t preference{};
  check_cublaslt(cublasLtMatmulPreferenceInit(&preference), "preference");
  const auto prefer = [&](cublasLtMatmulPreferenceAttributes_t attribute, const auto& value) {
    check_cublaslt(cublasLtMatmulPreferenceSetAttribute(&preference, attribute, &value, sizeof value),
                   "preference");
  };
  prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kMaxWorkspace);
  prefer(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, uint32_t{CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE});
  prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignment_of(w));
  prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment_of(x));
  prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignment_of(c));
  prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignment_of(y));
  cublasLtMatmulHeuristicResult_t found{};
  int count = 0;
  const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(handle, &p.operation, &p.w, &p.x, &p.y, &p.y,
                                                               &preference, 1, &found, &count);
  if (!offers(status, "heuristics") || count == 0 || !offers(found.state, "candidate")) return {};
  return {found.algo, found.workspaceSize, true};
}

/// The handle of a device, which must be current. It lives until the process ends.
cublasLtHandle_t handle_of(Device device) {
  static auto* handles = new PerDevice<cublasLtHandle_t>;
  return handles->get(device, [] {
    cublasLtHandle_t handle = nullptr;
    check_cublaslt(cublasLtCreate(&handle), "create");
    return handle;
  });
}

/// Runs the product, or returns false where cuBLASLt does not offer it.
bool run(const GemmSizes& s, In x, In w, In bias, Out y) {
  static auto* mutex = new std::mutex;
  static auto* choices = new std::map<std::array<int64_t, 11>, Choice>;
  cublasLtHandle_t handle = handle_of(y.device());
  const bool row = bias.numel() == s.n;
  Product p(s, x.dtype(), row ? bias.raw() : nullptr);
  const Tensor& c = row ? y : bias;
  const std::array<int64_t, 11> key{y.device().index,
                                    s.m,
                                    s.n,
                                    s.k,
                                    alignment_of(w),
                                    alignment_of(x),
                                    alignment_of(y),
                                    alignment_of(bias),
                                    row,
                                    static_cast<int64_t>(x.dtype()),
                                    precision() == Precision::tf32};
  const std::lock_guard lock(*mutex);
  auto found = choices->find(key);
  if (found == choices->end()) {
    if (choices->size() >= kMaxChoices) choices->clear();
    found = choices->emplace(key, choose(handle, p, w, x, c, y)).first;
  }
  Choice& choice = found->second;
  if (!choice.usable) return false;
  const Tensor workspace = Tensor::empty({static_cast<int64_t>(choice.workspace)}, DType::u8, y.device());
  const float one = 1, beta = row ? 0.0f : 1.0f;
  const cublasStatus_t status = cublasLtMatmul(
      handle, &p.operation, &one, w.raw(), &p.w, x.raw(), &p.x, &beta, c.raw(), &p.y, y.raw(), &p.y,
      &choice.algorithm, workspace.raw(), choice.workspace, compute_stream(y.device().index));
  choice.usable = offers(status, "linear_fwd");
  if (choice.usable) wait_if_asked(compute_stream(y.device().index), "linear_fwd");
  return choice.usable;
}

}  // namespace

void linear_fwd(In x, In w, In bias, Out y) {
  const GemmSizes s = linear_sizes(x, w, bias, y);
  use_device(y.device().index);
  const bool offered =
      takes_bias(s, bias, y) && (bias.numel() != s.n || alignment_of(bias) >= kBiasAlignment);
  if (!offered || !run(s, x, w, bias, y)) product_on_bias(x, w, bias, y);
}

}  // namespace vae::kernels::cuda
