// f32 convolutions on CUDA devices through cuDNN, in plain f32 arithmetic unless TF32 is allowed. Algorithms
// are ranked by cuDNN's heuristics rather than by timing, and only deterministic ones are taken, so a run
// repeats bit for bit. What cuDNN does not offer (f64, sizes beyond its descriptors) goes through columns,
// and so do bf16 factors, which come back widened, TF32 being allowed. A status that blames the arguments is
// an error.
#include <cudnn.h>

#include <array>
#include <limits>
#include <map>
#include <memory>
#include <mutex>

#include "kernels/cuda/per_device.h"
#include "kernels/kernels.h"
#include "kernels/precision.h"
#include "tensor/stream_cuda.h"

namespace vae::kernels::cuda {
namespace {

constexpr size_t kMaxWorkspace = size_t{1} << 30;
constexpr size_t kMaxPlans = 1024;

void check_cudnn(cudnnStatus_t status, const char* what) {
  if (status != CUDNN_STATUS_SUCCESS) fail_in_library("cuDNN", what, cudnnGetErrorString(status));
}

/// Whether the library offers what it was asked for; throws where it finds fault with the question.
bool offers(cudnnStatus_t status, const char* what) {
  if (CUDNN_STATUS_CATEGORY(status) != CUDNN_STATUS_NOT_SUPPORTED) check_cudnn(status, what);
  return status == CUDNN_STATUS_SUCCESS;
}

/// The handle of a device, which must be current, on its compute stream. It lives until the process ends.
cudnnHandle_t handle_of(Device device) {
  static auto* handles = new PerDevice<cudnnHandle_t>;
  return handles->get(device, [device] {
    cudnnHandle_t handle = nullptr;
    check_cudnn(cudnnCreate(&handle), "create");
    check_cudnn(cudnnSetStream(handle, compute_stream(device.index)), "set stream");
    return handle;
  });
}

enum class Pass : int64_t { forward, input, weight };

/// A descriptor of cuDNN, while the object lives.
template <class T, auto Create, auto Destroy>
class Descriptor {
 public:
  Descriptor() { check_cudnn(Create(&handle_), "descriptor"); }
  ~Descriptor() { Destroy(handle_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  operator T() const { return handle_; }

 private:
  T handle_ = nullptr;
};
using TensorDescriptor =
    Descriptor<cudnnTensorDescriptor_t, cudnnCreateTensorDescriptor, cudnnDestroyTensorDescriptor>;
using FilterDescriptor =
    Descriptor<cudnnFilterDescriptor_t, cudnnCreateFilterDescriptor, cudnnDestroyFilterDescriptor>;
using ConvolutionDescriptor = Descriptor<cudnnConvolutionDescriptor_t, cudnnCreateConvolutionDescriptor,
                                         cudnnDestroyConvolutionDescriptor>;

/// Descriptors of a convolution and how one pass of it is computed.
class Plan {
 public:
  Plan(cudnnHandle_t handle, Pass pass, const ConvSizes& s);

  TensorDescriptor x, y;
  FilterDescriptor w;
  ConvolutionDescriptor convolution;
  int algorithm = 0;
  size_t workspace = 0;
  bool usable = false;  ///< whether there is a deterministic algorithm

 private:
  template <class Perf>
  void choose(const Perf* ranked, int count);
};

void describe(cudnnTensorDescriptor_t to, int64_t n, int64_t h, int64_t w, int64_t c) {
  check_cudnn(cudnnSetTensor4dDescriptor(to, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, static_cast<int>(n),
                                         static_cast<int>(c), static_cast<int>(h), static_cast<int>(w)),
              "tensor descriptor");
}

Plan::Plan(cudnnHandle_t handle, Pass pass, const ConvSizes& s) {
  const auto& [vertical, horizontal] = s.window;
  const auto narrow = [](int64_t v) { return static_cast<int>(v); };
  describe(x, s.n, s.h, s.w, s.c);
  describe(y, s.n, s.oh, s.ow, s.o);
  check_cudnn(cudnnSetFilter4dDescriptor(w, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, narrow(s.o), narrow(s.c),
                                         narrow(vertical.kernel), narrow(horizontal.kernel)),
              "filter descriptor");
  check_cudnn(cudnnSetConvolution2dDescriptor(
                  convolution, narrow(vertical.padding), narrow(horizontal.padding), narrow(vertical.stride),
                  narrow(horizontal.stride), 1, 1, CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT),
              "convolution descriptor");
  const bool tf32 = precision() == Precision::tf32;
  check_cudnn(cudnnSetConvolutionMathType(convolution, tf32 ? CUDNN_DEFAULT_MATH : CUDNN_FMA_MATH),
              "math type");
  int count = 0;
  if (pass == Pass::forward) {
    std::array<cudnnConvolutionFwdAlgoPerf_t, CUDNN_CONVOLUTION_FWD_ALGO_COUNT> ranked{};
    if (offers(cudnnGetConvolutionForwardAlgorithm_v7(handle, x, w, convolution, y, narrow(ranked.size()),
                                                      &count, ranked.data()),
               "heuristics"))
      choose(ranked.data(), count);
  } else if (pass == Pass::input) {
    std::array<cudnnConvolutionBwdDataAlgoPerf_t, CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT> ranked{};
    if (offers(cudnnGetConvolutionBackwardDataAlgorithm_v7(handle, w, y, convolution, x,
                                                           narrow(ranked.size()), &count, ranked.data()),
               "heuristics"))
      choose(ranked.data(), count);
  } else {
    std::array<cudnnConvolutionBwdFilterAlgoPerf_t, CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT> ranked{};
    if (offers(cudnnGetConvolutionBackwardFilterAlgorithm_v7(handle, x, y, convolution, w,
                                                             narrow(ranked.size()), &count, ranked.data()),
               "heuristics"))
      choose(ranked.data(), count);
  }
}

template <class Perf>
void Plan::choose(const Perf* ranked, int count) {
  for (int i = 0; i < count && !usable; ++i) {
    const Perf& candidate = ranked[i];
    if (CUDNN_STATUS_CATEGORY(candidate.status) == CUDNN_STATUS_BAD_PARAM)
      check_cudnn(candidate.status, "candidate");  // the question is wrong
    usable = candidate.status == CUDNN_STATUS_SUCCESS && candidate.determinism == CUDNN_DETERMINISTIC &&
             (candidate.mathType == CUDNN_FMA_MATH || precision() == Precision::tf32) &&
             candidate.memory <= kMaxWorkspace;
    algorithm = static_cast<int>(candidate.algo);
    workspace = candidate.memory;
    if (usable) check_cudnn(cudnnSetConvolutionMathType(convolution, candidate.mathType), "math type");
  }
}

using Key = std::array<int64_t, 16>;

/// The plan of a pass over sizes s on a device in the precision that is set; kept until there are too many.
std::shared_ptr<Plan> plan_of(Device device, Pass pass, const ConvSizes& s) {
  static auto* mutex = new std::mutex;
  static auto* plans = new std::map<Key, std::shared_ptr<Plan>>;
  const auto& [h, w] = s.window;
  const Key key{device.index,
                static_cast<int64_t>(pass),
                static_cast<int64_t>(precision()),
                s.n,
                s.h,
                s.w,
                s.c,
                s.o,
                s.oh,
                s.ow,
                h.kernel,
                h.stride,
                h.padding,
                w.kernel,
                w.stride,
                w.padding};
  const std::lock_guard lock(*mutex);
  const auto found = plans->find(key);
  if (found != plans->end()) return found->second;
  if (plans->size() >= kMaxPlans) plans->clear();
  return plans->emplace(key, std::make_shared<Plan>(handle_of(device), pass, s)).first->second;
}

/// Whether cuDNN may be asked: f32, something to do, sizes within its descriptors.
bool suits(const ConvSizes& s, In x, In w, In y) {
  const auto fits = [](In t) { return t.numel() > 0 && t.numel() <= std::numeric_limits<int>::max(); };
  const bool f32 = x.dtype() == DType::f32 && w.dtype() == DType::f32 && y.dtype() == DType::f32;
  return f32 && !s.pixelwise() && fits(x) && fits(w) && fits(y);
}

/// Runs call(handle, plan, workspace, beta) -> status; false where cuDNN does not support the convolution.
template <class Call>
bool run(const char* what, Pass pass, const ConvSizes& s, In on, Write write, const Call& call) {
  use_device(on.device().index);
  const std::shared_ptr<Plan> plan = plan_of(on.device(), pass, s);
  if (!plan->usable) return false;
  const Tensor workspace = Tensor::empty({static_cast<int64_t>(plan->workspace)}, DType::u8, on.device());
  const float alpha = 1, beta = write == Write::add ? 1.0f : 0.0f;
  // The heuristics may rank an algorithm that then declines; it says so before it writes.
  plan->usable = offers(call(handle_of(on.device()), *plan, workspace.raw(), &alpha, &beta), what);
  if (!plan->usable) return false;
  wait_if_asked(compute_stream(on.device().index), what);
  note_conv_engine("cuDNN");
  return true;
}

}  // namespace

void conv2d_fwd(In x, In w, In bias, Out y, const Window& window, const Activation& activation) {
  const ConvSizes s = conv_sizes("conv2d_fwd", x, w, y, window);
  check_bias("conv2d_fwd", bias, y);
  const auto call = [&](cudnnHandle_t handle, const Plan& p, void* workspace, const float* alpha,
                        const float* beta) {
    return cudnnConvolutionForward(handle, alpha, p.x, x.raw(), p.w, w.raw(), p.convolution,
                                   static_cast<cudnnConvolutionFwdAlgo_t>(p.algorithm), workspace,
                                   p.workspace, beta, p.y, y.raw());
  };
  if (!suits(s, x, w, y) || !run("conv2d_fwd", Pass::forward, s, y, Write::set, call))
    return columns::conv2d_fwd(x, w, bias, y, window, activation);
  if (bias.defined() || activation.function) bias_activation_fwd(bias, y, activation);
}

void conv2d_bwd_input(In dy, In w, Out dx, const Window& window, Write write) {
  const ConvSizes s = conv_sizes("conv2d_bwd_input", dx, w, dy, window);
  const auto call = [&](cudnnHandle_t handle, const Plan& p, void* workspace, const float* alpha,
                        const float* beta) {
    return cudnnConvolutionBackwardData(handle, alpha, p.w, w.raw(), p.y, dy.raw(), p.convolution,
                                        static_cast<cudnnConvolutionBwdDataAlgo_t>(p.algorithm), workspace,
                                        p.workspace, beta, p.x, dx.raw());
  };
  if (!suits(s, dx, w, dy) || !run("conv2d_bwd_input", Pass::input, s, dx, write, call))
    columns::conv2d_bwd_input(dy, w, dx, window, write);
}

void conv2d_bwd_weight(In dy, In x, Out dw, const Window& window, Write write) {
  const ConvSizes s = conv_sizes("conv2d_bwd_weight", x, dw, dy, window);
  const auto call = [&](cudnnHandle_t handle, const Plan& p, void* workspace, const float* alpha,
                        const float* beta) {
    return cudnnConvolutionBackwardFilter(handle, alpha, p.x, x.raw(), p.y, dy.raw(), p.convolution,
                                          static_cast<cudnnConvolutionBwdFilterAlgo_t>(p.algorithm),
                                          workspace, p.workspace, beta, p.w, dw.raw());
  };
  if (!suits(s, x, dw, dy) || !run("conv2d_bwd_weight", Pass::weight, s, dw, write, call))
    columns::conv2d_bwd_weight(dy, x, dw, window, write);
}

}  // namespace vae::kernels::cuda
