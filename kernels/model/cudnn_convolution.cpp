// The model's cuDNN: what the heuristics list for a convolution, and the convolutions. An algorithm is known
// by its number and by the math type of the descriptor at the call, as in cuDNN.
#include <array>
#include <span>

#include "kernels/model/cudnn.h"
#include "kernels/model/heuristics.h"

using namespace vae::model;

namespace vae::model::dnn {
namespace {

constexpr size_t kWorkspaceAlignment = 16;

/// One way to compute a convolution.
struct Way {
  int algorithm = 0;
  bool tensor_cores = false;  ///< rounds to TF32, where the math type is not FMA
  bool deterministic = true;
  bool supported = true;
  size_t (*workspace)(const Convolution&) = [](const Convolution&) -> size_t { return 0; };
};

size_t oversized(const Convolution&) { return size_t{2} << 30; }
size_t indices(const Convolution& c) { return sizeof(int32_t) * static_cast<size_t>(c.y.h * c.y.w * c.w.h); }
size_t rounded_copies(const Convolution& c) {
  return sizeof(float) * static_cast<size_t>(c.x.size() + c.w.size());
}

// In the order of the heuristics: those that a caller may have to pass over come first.
constexpr std::array kForward{
    Way{.algorithm = CUDNN_CONVOLUTION_FWD_ALGO_FFT, .supported = false},
    Way{.algorithm = CUDNN_CONVOLUTION_FWD_ALGO_GEMM, .workspace = oversized},
    Way{.algorithm = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM,
        .tensor_cores = true,
        .workspace = rounded_copies},
    Way{.algorithm = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, .workspace = indices},
    Way{.algorithm = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM}};
constexpr std::array kInput{
    Way{.algorithm = CUDNN_CONVOLUTION_BWD_DATA_ALGO_FFT, .supported = false},
    Way{.algorithm = CUDNN_CONVOLUTION_BWD_DATA_ALGO_0, .deterministic = false},
    Way{.algorithm = CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD_NONFUSED, .workspace = oversized},
    Way{.algorithm = CUDNN_CONVOLUTION_BWD_DATA_ALGO_1, .tensor_cores = true, .workspace = rounded_copies},
    Way{.algorithm = CUDNN_CONVOLUTION_BWD_DATA_ALGO_1, .workspace = indices}};
constexpr std::array kWeight{
    Way{.algorithm = CUDNN_CONVOLUTION_BWD_FILTER_ALGO_FFT, .supported = false},
    Way{.algorithm = CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3, .deterministic = false},
    Way{.algorithm = CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0, .deterministic = false},
    Way{.algorithm = CUDNN_CONVOLUTION_BWD_FILTER_ALGO_WINOGRAD_NONFUSED, .workspace = oversized},
    Way{.algorithm = CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1, .tensor_cores = true, .workspace = rounded_copies},
    Way{.algorithm = CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1, .workspace = indices}};

bool offered(const Way& way, const Convolution& convolution) {
  switch (current_offer()) {
    case Offer::usual:
    case Offer::blamed:
      return true;
    case Offer::nothing:
      return false;
    case Offer::declined:
      return !way.supported;
    case Offer::nondeterministic:
      return !way.deterministic;
    case Offer::oversized:
      return way.workspace(convolution) == oversized(convolution);
    case Offer::tf32:
      return way.tensor_cores;
    case Offer::plain:
      return !way.tensor_cores;
  }
  return false;
}

/// cudnnGetConvolution...Algorithm_v7().
template <class Perf>
cudnnStatus_t list(const Described& problem, std::span<const Way> ways, int requested, int* returned,
                   Perf* results) {
  if (problem.status != CUDNN_STATUS_SUCCESS) return problem.status;
  if (requested < 1 || !returned || !results) return CUDNN_STATUS_BAD_PARAM;
  *returned = 0;
  for (const Way& way : ways) {
    if (*returned == requested) break;
    if (!offered(way, problem.convolution)) continue;
    Perf& result = results[(*returned)++];
    result = {};
    result.algo = static_cast<decltype(result.algo)>(way.algorithm);
    result.status = way.supported ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_NOT_SUPPORTED;
    if (current_offer() == Offer::blamed) result.status = CUDNN_STATUS_BAD_PARAM;
    result.time = way.supported ? static_cast<float>(*returned) : -1;
    result.memory = way.workspace(problem.convolution);
    result.determinism = way.deterministic ? CUDNN_DETERMINISTIC : CUDNN_NON_DETERMINISTIC;
    result.mathType = way.tensor_cores ? CUDNN_DEFAULT_MATH : CUDNN_FMA_MATH;
  }
  return CUDNN_STATUS_SUCCESS;
}

/// The way that an algorithm takes under a math type, or null.
const Way* way_of(std::span<const Way> ways, int algorithm, cudnnMathType_t math) {
  const Way* found = nullptr;
  for (const Way& way : ways) {
    if (way.algorithm != algorithm || (way.tensor_cores && math == CUDNN_FMA_MATH)) continue;
    if (!found || way.tensor_cores) found = &way;
  }
  return found;
}

/// A call of one of the three convolutions.
struct Call {
  const char* function;
  cudnnHandle_t handle;
  const void *alpha, *beta;
  std::span<const Way> ways;
  int algorithm;
  void* workspace;
  size_t bytes;
};

struct Data {
  const Axes& axes;
  const void* pointer;
  const char* what;
};

/// Checks a call and queues it. body(convolution, scale) is what runs.
template <class Body>
cudnnStatus_t convolve(const Call& call, const Described& problem, const Data& in1, const Data& in2,
                       const Data& out, const Body& body) {
  if (problem.status != CUDNN_STATUS_SUCCESS) return problem.status;
  if (!call.alpha || !call.beta || !in1.pointer || !in2.pointer || !out.pointer)
    return CUDNN_STATUS_BAD_PARAM;
  const Way* way = way_of(call.ways, call.algorithm, problem.math);
  if (!way || !way->supported) return CUDNN_STATUS_NOT_SUPPORTED;
  const size_t needed = way->workspace(problem.convolution);
  if (call.bytes < needed || (needed > 0 && !call.workspace)) return CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT;
  if (!on_its_device(call.function, call.handle->device)) return CUDNN_STATUS_EXECUTION_FAILED;
  const Scalar alpha = host_scalar<float>(call.function, call.alpha),
               beta = host_scalar<float>(call.function, call.beta);
  if (!alpha.readable || !beta.readable) return CUDNN_STATUS_EXECUTION_FAILED;

  Convolution convolution = problem.convolution;
  convolution.tf32 = way->tensor_cores, convolution.ordered = way->deterministic;
  const auto use = [](const Data& data, bool written) {
    return Use{{data.pointer, static_cast<size_t>(data.axes.size()) * sizeof(float), data.what},
               sizeof(float),
               written};
  };
  void* workspace = call.workspace;
  const size_t bytes = call.bytes;
  const std::vector<Use> uses{use(in1, false),
                              use(in2, false),
                              use(out, true),
                              {{workspace, bytes, "the workspace"}, kWorkspaceAlignment, true}};
  const Convolution::Scale scale{alpha.value, beta.value};
  const cudaError_t error = submit(call.handle->stream, call.function, uses, [=] {
    if (bytes) poison(workspace, bytes);
    body(convolution, scale);
  });
  return error == cudaSuccess ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_EXECUTION_FAILED;
}

const float* floats(const void* data) { return static_cast<const float*>(data); }

}  // namespace
}  // namespace vae::model::dnn

cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(cudnnHandle_t handle, cudnnTensorDescriptor_t x,
                                                     cudnnFilterDescriptor_t w,
                                                     cudnnConvolutionDescriptor_t convolution,
                                                     cudnnTensorDescriptor_t y, int requested, int* returned,
                                                     cudnnConvolutionFwdAlgoPerf_t* results) {
  VAE_MODEL_CALL("cudnnGetConvolutionForwardAlgorithm_v7");
  return dnn::list(dnn::describe(handle, x, w, convolution, y), dnn::kForward, requested, returned, results);
}

cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithm_v7(cudnnHandle_t handle, cudnnFilterDescriptor_t w,
                                                          cudnnTensorDescriptor_t dy,
                                                          cudnnConvolutionDescriptor_t convolution,
                                                          cudnnTensorDescriptor_t dx, int requested,
                                                          int* returned,
                                                          cudnnConvolutionBwdDataAlgoPerf_t* results) {
  VAE_MODEL_CALL("cudnnGetConvolutionBackwardDataAlgorithm_v7");
  return dnn::list(dnn::describe(handle, dx, w, convolution, dy), dnn::kInput, requested, returned, results);
}

cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithm_v7(cudnnHandle_t handle, cudnnTensorDescriptor_t x,
                                                            cudnnTensorDescriptor_t dy,
                                                            cudnnConvolutionDescriptor_t convolution,
                                                            cudnnFilterDescriptor_t dw, int requested,
                                                            int* returned,
                                                            cudnnConvolutionBwdFilterAlgoPerf_t* results) {
  VAE_MODEL_CALL("cudnnGetConvolutionBackwardFilterAlgorithm_v7");
  return dnn::list(dnn::describe(handle, x, dw, convolution, dy), dnn::kWeight, requested, returned, results);
}

cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t handle, const void* alpha, cudnnTensorDescriptor_t x_desc,
                                      const void* x, cudnnFilterDescriptor_t w_desc, const void* w,
                                      cudnnConvolutionDescriptor_t convolution,
                                      cudnnConvolutionFwdAlgo_t algorithm, void* workspace, size_t bytes,
                                      const void* beta, cudnnTensorDescriptor_t y_desc, void* y) {
  constexpr const char* name = "cudnnConvolutionForward";
  VAE_MODEL_CALL(name);
  const dnn::Described problem = dnn::describe(handle, x_desc, w_desc, convolution, y_desc);
  const Convolution& c = problem.convolution;
  return dnn::convolve({name, handle, alpha, beta, dnn::kForward, algorithm, workspace, bytes}, problem,
                       {c.x, x, "x"}, {c.w, w, "w"}, {c.y, y, "y"},
                       [=](const Convolution& run, Convolution::Scale scale) {
                         run.forward(dnn::floats(x), dnn::floats(w), static_cast<float*>(y), scale);
                       });
}

cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t handle, const void* alpha,
                                           cudnnFilterDescriptor_t w_desc, const void* w,
                                           cudnnTensorDescriptor_t dy_desc, const void* dy,
                                           cudnnConvolutionDescriptor_t convolution,
                                           cudnnConvolutionBwdDataAlgo_t algorithm, void* workspace,
                                           size_t bytes, const void* beta, cudnnTensorDescriptor_t dx_desc,
                                           void* dx) {
  constexpr const char* name = "cudnnConvolutionBackwardData";
  VAE_MODEL_CALL(name);
  const dnn::Described problem = dnn::describe(handle, dx_desc, w_desc, convolution, dy_desc);
  const Convolution& c = problem.convolution;
  return dnn::convolve({name, handle, alpha, beta, dnn::kInput, algorithm, workspace, bytes}, problem,
                       {c.w, w, "w"}, {c.y, dy, "dy"}, {c.x, dx, "dx"},
                       [=](const Convolution& run, Convolution::Scale scale) {
                         run.input_gradient(dnn::floats(w), dnn::floats(dy), static_cast<float*>(dx), scale);
                       });
}

cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t handle, const void* alpha,
                                             cudnnTensorDescriptor_t x_desc, const void* x,
                                             cudnnTensorDescriptor_t dy_desc, const void* dy,
                                             cudnnConvolutionDescriptor_t convolution,
                                             cudnnConvolutionBwdFilterAlgo_t algorithm, void* workspace,
                                             size_t bytes, const void* beta, cudnnFilterDescriptor_t dw_desc,
                                             void* dw) {
  constexpr const char* name = "cudnnConvolutionBackwardFilter";
  VAE_MODEL_CALL(name);
  const dnn::Described problem = dnn::describe(handle, x_desc, dw_desc, convolution, dy_desc);
  const Convolution& c = problem.convolution;
  return dnn::convolve({name, handle, alpha, beta, dnn::kWeight, algorithm, workspace, bytes}, problem,
                       {c.x, x, "x"}, {c.y, dy, "dy"}, {c.w, dw, "dw"},
                       [=](const Convolution& run, Convolution::Scale scale) {
                         run.weight_gradient(dnn::floats(x), dnn::floats(dy), static_cast<float*>(dw), scale);
                       });
}
