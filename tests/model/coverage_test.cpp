// Every function of the vendors that our code names is called under the model, and counted.
#include "kernels/kernels.h"
#include "tensor/allocator.h"
#include "tensor/runtime.h"
#include "tensor/stream_cuda.h"
#include "tests/expect_error.h"
#include "tests/model/functions.h"
#include "tests/numeric.h"
#include "tests/report.h"

namespace vae::test {
namespace {

const Device kCuda{DeviceType::cuda, 0};

void multiply(DType dtype) {
  const Tensor a = sample_tensor({3, 4}, dtype, kCuda), c = Tensor::zeros({3, 3}, dtype, kCuda);
  kernels::gemm(a, kernels::Transpose::no, a, kernels::Transpose::yes, c, 1, 0);
  kernels::linear_fwd(a, a, sample_tensor({3}, dtype, kCuda), c);
}

/// A convolution of images of a height, and both its gradients.
void convolve(int64_t height) {
  kernels::Window window;
  window.h = window.w = {.kernel = 3, .stride = 1, .padding = 1};
  const Tensor x = sample_tensor({1, height, 3, 1}, DType::f32, kCuda), y = x.clone(), dx = x.clone(),
               w = sample_tensor({1, 3, 3, 1}, DType::f32, kCuda), dw = w.clone();
  kernels::conv2d_fwd(x, w, {}, y, window, {});
  kernels::conv2d_bwd_input(y, w, dx, window, kernels::Write::set);
  kernels::conv2d_bwd_weight(y, x, dw, window, kernels::Write::set);
}

/// Events that streams wait for, and are asked for.
void use_events() {
  CudaEvent here(CudaEvent::Timing::off);
  here.record(compute_stream(0));
  here.hold(compute_stream(0));
  while (!here.reached()) {
  }
}

/// All that a device can do, once, and what fails of it.
void use_everything() {
  DeviceRuntime& cuda = runtime(DeviceType::cuda);
  EXPECT_EQ(cuda.name(0), "model");
  EXPECT_GT(cuda.free_bytes(0).value_or(0), 0);
  for (const DType dtype : {DType::f32, DType::f64}) multiply(dtype);
  for (int64_t height = 3; height < 360; ++height) convolve(height);  // more plans than are kept
  const Tensor x = Tensor::zeros({8}, DType::f32, kCuda), y = x.clone();
  EXPECT_GE(cuda.time_ms(0, [&] { y.copy_from(x); }), 0);
  cuda.record(0, [&] { y.copy_from(x); })->replay();
  use_events();
  synchronize(kCuda);
  for (const auto& [function, status] :
       {std::pair{"cublasGemmEx_64", 13}, {"cublasLtMatmul", 13}, {"cudnnConvolutionForward", 5000}}) {
    const model::Fault fault(function, 1, status);
    EXPECT_THROW((multiply(DType::f32), convolve(5)), Error) << function;
  }
  const model::Fault fault("cudaMemsetAsync", 1, cudaErrorInvalidValue);
  EXPECT_THROW(x.zero(), Error);
  allocator(kCuda).trim();
  model::reset();  // the last error
}

TEST(Coverage, EveryFunctionOfTheVendorsIsCalled) {
  std::set<std::string> names =
      functions_named_in({"tensor/runtime_cuda.cpp", "kernels/cuda/launch.cpp", "kernels/gemm_cublas.cpp",
                          "kernels/linear_cublaslt.cpp", "kernels/conv_cudnn.cpp"});
  names.insert("cudaLaunchKernel");
  ASSERT_GE(names.size(), 55u);
  use_everything();
  std::string missing, counts;
  int64_t calls = 0;
  for (const std::string& name : names) {
    const int64_t n = calls_of(name);
    calls += n;
    counts += fmt::format("{:<44}{:>8}\n", name, n);
    if (n == 0) missing += " " + name;
  }
  fmt::print("{}", counts);
  EXPECT_EQ(missing, "");
  report("model", fmt::format("model of CUDA's libraries   {} functions named, {} calls, never called: {}\n",
                              names.size(), calls, missing.empty() ? "none" : missing));
}

TEST(Coverage, EveryKernelHasAnImplementation) {
#define VAE_KERNEL(kernel, ...) EXPECT_TRUE(kernels::kernel.has(DeviceType::cuda)) << #kernel;
#include "kernels/list.h"
#undef VAE_KERNEL
}

}  // namespace
}  // namespace vae::test
