// The model's cuBLASLt: the heuristics and the product. Rules: the documentation of cublasLtMatmul() and of
// the attributes in cublasLt.h. An algorithm knows the problem and the alignments that it was found for.
#include "kernels/model/cublaslt.h"

#include <fmt/format.h>

#include <initializer_list>

#include "kernels/model/heuristics.h"

namespace vae::model::lt {
namespace {

constexpr size_t kWorkspaceAlignment = 256;
constexpr uint32_t kVector = 16;  // bytes that the fast algorithms read at once

uint64_t combine(std::initializer_list<int64_t> numbers) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (const int64_t number : numbers) hash = (hash ^ static_cast<uint64_t>(number)) * 0x100000001B3u;
  return hash;
}

/// The largest power of two, 256 at most, that divides an address.
uint32_t alignment_of(const void* pointer) {
  const auto address = reinterpret_cast<uintptr_t>(pointer) | 256;
  return static_cast<uint32_t>(address & (~address + 1));
}

/// Algorithms for a problem, the fastest first: one that adds in any order, one that splits sums and reads 16
/// bytes at once, one that goes everywhere.
std::vector<Algorithm> candidates(const Described& problem, const Preference& preference) {
  const Alignments& p = preference.promised;
  const bool vectors = p.a >= kVector && p.b >= kVector && p.d >= kVector && p.bias >= kVector;
  const auto parts =
      static_cast<uint64_t>(2 * problem.product.m() * problem.product.n()) * problem.product.d.element();
  std::vector<Algorithm> found;
  const auto offer = [&](bool ordered, uint64_t workspace) {
    if (workspace <= preference.workspace)
      found.push_back({.ordered = ordered,
                       .problem = problem.problem,
                       .workspace = workspace,
                       .promised = preference.promised});
  };
  if (vectors && preference.reductions & CUBLASLT_REDUCTION_SCHEME_INPLACE) offer(false, sizeof(int32_t));
  if (vectors && preference.reductions & CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE) offer(true, parts);
  offer(true, 0);
  return found;
}

}  // namespace

Described describe(const char* function, int device, cublasLtMatmulDesc_t operation, cublasLtMatrixLayout_t a,
                   cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d) {
  Described result;
  const auto op = held_by<Operation>(operation);
  const auto la = held_by<Layout>(a), lb = held_by<Layout>(b), lc = held_by<Layout>(c),
             ld = held_by<Layout>(d);
  if (!op || !la || !lb || !lc || !ld) return result;
  if (!is_transposition(op->transpose_a) || !is_transposition(op->transpose_b)) return result;
  const Arithmetic arithmetic = arithmetic_of(la->type, lb->type, ld->type, op->compute);
  const bool known_epilogue =
      op->epilogue == CUBLASLT_EPILOGUE_DEFAULT || op->epilogue == CUBLASLT_EPILOGUE_BIAS;
  if (!arithmetic.supported || lc->type != ld->type || op->scale != ld->type || !known_epilogue ||
      op->pointer_mode != CUBLASLT_POINTER_MODE_HOST) {
    result.status = CUBLAS_STATUS_NOT_SUPPORTED;
    return result;
  }
  const auto matrix = [](DType type, const Layout& layout) {
    return Matrix{type, static_cast<int64_t>(layout.rows), static_cast<int64_t>(layout.columns),
                  layout.stride};
  };
  result.product = {.a = matrix(arithmetic.factors, *la),
                    .b = matrix(arithmetic.factors, *lb),
                    .c = matrix(arithmetic.result, *lc),
                    .d = matrix(arithmetic.result, *ld),
                    .transpose_a = op->transpose_a != CUBLAS_OP_N,
                    .transpose_b = op->transpose_b != CUBLAS_OP_N,
                    .tf32 = arithmetic.tf32};
  const Product& p = result.product;
  const bool has_bias = op->epilogue == CUBLASLT_EPILOGUE_BIAS;
  if (!p.consistent() || p.m() == 0 || p.n() == 0 || p.k() == 0) return result;
  if (has_bias && !op->bias) {
    violate(fmt::format("{}: a bias is to be added, and there is none", function));
    return result;
  }
  result.bias = has_bias ? op->bias : nullptr;
  result.problem =
      combine({device, op->compute, op->scale, op->epilogue, la->type, ld->type, p.transpose_a, p.transpose_b,
               p.m(), p.n(), p.k(), p.a.stride, p.b.stride, p.c.stride, p.d.stride});
  result.status = CUBLAS_STATUS_SUCCESS;
  return result;
}

namespace {

/// What contradicts the promises that an algorithm was found with; empty if nothing does.
std::string broken_promise(const Algorithm& algorithm, const Described& now, const void* a, const void* b,
                           const void* c, const void* d) {
  if (algorithm.problem != now.problem) return "the algorithm was found for another problem";
  const struct {
    const char* what;
    const void* pointer;
    uint32_t promised;
  } all[] = {{"A", a, algorithm.promised.a},
             {"B", b, algorithm.promised.b},
             {"C", now.product.beta != 0 ? c : nullptr, algorithm.promised.c},
             {"D", d, algorithm.promised.d},
             {"the bias", now.bias, algorithm.promised.bias}};
  for (const auto& [what, pointer, promised] : all)
    if (pointer && alignment_of(pointer) < promised)
      return fmt::format("{} was promised to be aligned to {} bytes and is to {}", what, promised,
                         alignment_of(pointer));
  return "";
}

cublasStatus_t multiply(int device, const Described& problem, const void* a, const void* b, const void* c,
                        void* d, const Algorithm& algorithm, void* workspace, size_t bytes,
                        cudaStream_t stream) {
  constexpr const char* name = "cublasLtMatmul";
  if (!a || !b || !d || (problem.product.beta != 0 && !c)) return CUBLAS_STATUS_INVALID_VALUE;
  if (c == d && problem.product.c.stride != problem.product.d.stride) return CUBLAS_STATUS_INVALID_VALUE;
  if (bytes < algorithm.workspace || (bytes > 0 && !workspace)) return CUBLAS_STATUS_INVALID_VALUE;
  if (const std::string broken = broken_promise(algorithm, problem, a, b, c, d); !broken.empty())
    return violation(name, broken, CUBLAS_STATUS_INVALID_VALUE);
  if (!on_its_device(name, device)) return CUBLAS_STATUS_EXECUTION_FAILED;
  Product product = problem.product;
  product.ordered = algorithm.ordered;
  const void* bias = problem.bias;
  std::vector<Use> uses = product.uses(a, b, c, d, bias);
  uses.push_back({{workspace, bytes, "the workspace"}, kWorkspaceAlignment, true});
  return status_of(submit(stream, name, uses, [=] {
    if (bytes) poison(workspace, bytes);
    product.run(a, b, c, d, bias);
  }));
}

}  // namespace
}  // namespace vae::model::lt

using namespace vae::model;

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int requested,
                                              cublasLtMatmulHeuristicResult_t results[], int* returned) {
  constexpr const char* name = "cublasLtMatmulAlgoGetHeuristic";
  VAE_MODEL_CALL(name);
  const auto device = lt::device_of_handle(handle);
  if (!device) return CUBLAS_STATUS_NOT_INITIALIZED;
  auto preferred = lt::held_by<lt::Preference>(preference);
  if (!preferred || requested <= 0 || !results || !returned) return CUBLAS_STATUS_INVALID_VALUE;
  *returned = 0;
  const lt::Described problem = lt::describe(name, *device, operation, a, b, c, d);
  if (problem.status != CUBLAS_STATUS_SUCCESS) return problem.status;
  preferred->promised.bias = lt::alignment_of(problem.bias);
  if (current_offer() == Offer::nothing) return CUBLAS_STATUS_SUCCESS;
  for (const lt::Algorithm& algorithm : lt::candidates(problem, *preferred)) {
    if (*returned == requested) break;
    cublasLtMatmulHeuristicResult_t& result = results[(*returned)++];
    result = {};
    result.state = current_offer() == Offer::declined ? CUBLAS_STATUS_NOT_SUPPORTED
                   : current_offer() == Offer::blamed ? CUBLAS_STATUS_INVALID_VALUE
                                                      : CUBLAS_STATUS_SUCCESS;
    result.workspaceSize = algorithm.workspace;
    result.wavesCount = 1;
    lt::put(algorithm, &result.algo);
  }
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation, const void* alpha,
                              const void* A, cublasLtMatrixLayout_t a, const void* B,
                              cublasLtMatrixLayout_t b, const void* beta, const void* C,
                              cublasLtMatrixLayout_t c, void* D, cublasLtMatrixLayout_t d,
                              const cublasLtMatmulAlgo_t* algorithm, void* workspace, size_t bytes,
                              cudaStream_t stream) {
  constexpr const char* name = "cublasLtMatmul";
  VAE_MODEL_CALL(name);
  const auto device = lt::device_of_handle(handle);
  if (!device) return CUBLAS_STATUS_NOT_INITIALIZED;
  const auto chosen = lt::held_by<lt::Algorithm>(algorithm);
  lt::Described problem = lt::describe(name, *device, operation, a, b, c, d);
  if (problem.status != CUBLAS_STATUS_SUCCESS) return problem.status;
  if (!chosen || !alpha || !beta) return CUBLAS_STATUS_INVALID_VALUE;
  const auto scalar = problem.product.d.type == vae::DType::f64 ? host_scalar<double> : host_scalar<float>;
  const Scalar scale = scalar(name, alpha), keep = scalar(name, beta);
  if (!scale.readable || !keep.readable) return CUBLAS_STATUS_EXECUTION_FAILED;
  problem.product.alpha = scale.value, problem.product.beta = keep.value;
  return lt::multiply(*device, problem, A, B, C, D, *chosen, workspace, bytes, stream);
}
