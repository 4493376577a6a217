// What our own code makes of what the CUDA libraries answer: errors, absent drivers, algorithms offered and
// declined, work of the host within a recorded step.
#include <cublas_v2.h>

#include "kernels/cuda/launch.h"
#include "kernels/kernels.h"
#include "kernels/model/heuristics.h"
#include "kernels/model/stream.h"
#include "tensor/allocator.h"
#include "tests/expect_error.h"
#include "tests/model/vendor.h"
#include "tests/scoped_variable.h"

namespace vae::kernels {
namespace {

using test::expect_error;
using test::sample_tensor;

const Device kCuda{DeviceType::cuda, 0};

class Host : public test::Vendor {};

/// Runs `body` in a process of its own, where nothing has been asked of the device yet: it ends with the exit
/// code and the message of an Error, or with 0.
void alone(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    std::exit(error.exit_code());
  }
  std::exit(testing::Test::HasFailure());
}

TEST_F(Host, ADeviceThatIsNotThereSaysWhy) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto refused = [](const char* variable, const char* value, const char* reason) {
    const test::ScopedVariable set(variable, value);
    EXPECT_EXIT(alone([] { Tensor::zeros({2}, DType::f32, kCuda); }), testing::ExitedWithCode(6),
                fmt::format("no device cuda:0: this machine has 0 of type cuda, {}\n", reason));
  };
  refused("VAE_MODEL_DRIVER", "none", "no CUDA driver is installed");
  refused("VAE_MODEL_DRIVER", "old", "its driver serves CUDA 11.0, this program needs [0-9]+.[0-9]");
  refused("VAE_MODEL_DEVICES", "0", "no CUDA-capable device is detected");
  EXPECT_EXIT(alone([] {
                Tensor::zeros({2}, DType::f32, {DeviceType::cuda, 1});
              }),
              testing::ExitedWithCode(6), "no device cuda:1: this machine has 1 of type cuda\n");
}

/// Everything that a step does, on one device.
void use(Device device) {
  const Tensor x = sample_tensor({4, 4}, DType::f32, device), b = sample_tensor({4}, DType::f32, device),
               y = x.clone(), images = sample_tensor({2, 5, 5, 3}, DType::f32, device),
               weights = sample_tensor({2, 3, 3, 3}, DType::f32, device),
               maps = Tensor::zeros({2, 3, 3, 2}, DType::f32, device);
  const auto step = [&] {
    y.zero();
    gemm(x, Transpose::no, x, Transpose::yes, y, 1, 0);
    linear_fwd(x, x, b, y);
    softmax_fwd(y, y);
    conv2d_fwd(images, weights, {}, maps, Window(3), {});
  };
  step();
  const auto work = runtime(DeviceType::cuda).record(device.index, step);
  work->replay();
  runtime(DeviceType::cuda).time_ms(device.index, step);
  runtime(DeviceType::cuda).free_bytes(device.index);
  EXPECT_FALSE(std::isnan(y.to_vector<float>()[0]));
  synchronize(device);
}

TEST_F(Host, OnlyADeviceThatIsUsedHasAContext) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const test::ScopedVariable two("VAE_MODEL_DEVICES", "2");
  EXPECT_EXIT(alone([] {
                use({DeviceType::cuda, 1});
                EXPECT_TRUE(model::has_context(1));
                EXPECT_FALSE(model::has_context(0));
              }),
              testing::ExitedWithCode(0), "");
}

TEST_F(Host, TwoDevicesInTurnsKeepApart) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const test::ScopedVariable two("VAE_MODEL_DEVICES", "2");
  EXPECT_EXIT(alone([] {
                const Device second{DeviceType::cuda, 1};
                const Tensor x = sample_tensor({5, 3}, DType::f32, kCuda), y = x.to(kCpu).to(second);
                for (int i = 0; i < 3; ++i)  // each call finds the other device current
                  for (const Tensor& t : {x, y}) map_fwd(Map::affine, {2, 1}, {&t, 1}, t);
                for (const Device device : {kCuda, second}) use(device);
                EXPECT_EQ(x.to_vector<float>(), y.to_vector<float>());
                EXPECT_TRUE(model::violations().empty());
              }),
              testing::ExitedWithCode(0), "");
}

TEST_F(Host, AnErrorIsReportedOnceAndByItsName) {
  const Tensor x = Tensor::zeros({8}, DType::f32, kCuda);
  {
    const model::Fault fault("cudaMemsetAsync", 1, cudaErrorInvalidValue);
    expect_error(ErrorKind::device, "CUDA fill: invalid argument", [&] { x.zero(); });
  }
  EXPECT_EQ(cudaGetLastError(), cudaSuccess) << "no later call reports it";
  fill(x, 1);
  EXPECT_EQ(x.to_vector<float>()[0], 1);
  const model::Fault fault("cudaFree", 1, cudaErrorInvalidValue);
  allocator(kCuda).release(allocator(kCuda).allocate(100), 100);
  expect_error(ErrorKind::device, "CUDA free: invalid argument", [&] { allocator(kCuda).trim(); });
}

TEST_F(Host, ABrokenDeviceIsNotOutOfMemory) {
  CachingAllocator memory(kCuda);
  const model::Fault fault("cudaMalloc", 1, cudaErrorIllegalAddress);
  expect_error(ErrorKind::device, "CUDA, at or before allocate: an illegal memory access was encountered",
               [&] { memory.allocate(100); });
}

TEST_F(Host, ALibraryThatFailsOnABrokenDeviceIsNotBlamed) {
  const Tensor x = sample_tensor({4, 4}, DType::f32, kCuda), y = x.clone();
  const auto multiply = [&] { gemm(x, Transpose::no, x, Transpose::no, y, 1, 0); };
  {
    const model::Fault fault("cublasGemmEx_64", 1, CUBLAS_STATUS_EXECUTION_FAILED);
    expect_error(ErrorKind::device, "cuBLAS gemm: ", multiply);
  }
  synchronize(kCuda);
  model::queue(compute_stream(0), "bad", {}, [] { fail(ErrorKind::device, "reads too far"); });
  EXPECT_EQ(cudaStreamSynchronize(compute_stream(0)), cudaErrorIllegalAddress);
  const model::Fault fault("cublasGemmEx_64", 1, CUBLAS_STATUS_EXECUTION_FAILED);
  expect_error(ErrorKind::device, "illegal memory access", multiply);
  expect_violation("device 0, bad: ");
}

/// Sizes that no other test convolves, so that cuDNN is asked.
template <int kHeight>
void convolve_anew() {
  const Tensor x = sample_tensor({1, kHeight, 3, 2}, DType::f32, kCuda),
               w = sample_tensor({1, 3, 3, 2}, DType::f32, kCuda),
               y = Tensor::zeros({1, kHeight - 2, 1, 1}, DType::f32, kCuda);
  conv2d_fwd(x, w, {}, y, Window(3), {});
}

TEST_F(Host, ConvolutionsSayTheirWay) {
  convolve_anew<11>();
  EXPECT_STREQ(last_conv_engine(), "cuDNN");
  {
    const model::OfferScope offer(model::Offer::declined);
    convolve_anew<12>();
    EXPECT_STREQ(last_conv_engine(), "columns");
  }
  {
    const model::OfferScope offer(model::Offer::nothing);
    convolve_anew<13>();
    EXPECT_STREQ(last_conv_engine(), "columns");
  }
  const Tensor x = sample_tensor({1, 5, 5, 2}, DType::f32, kCuda),
               w = sample_tensor({3, 1, 1, 2}, DType::f32, kCuda),
               y = Tensor::zeros({1, 5, 5, 3}, DType::f32, kCuda);
  conv2d_fwd(x, w, {}, y, Window(1), {});
  EXPECT_STREQ(last_conv_engine(), "product");
}

/// A layer of n outputs whose bias begins so many elements into its memory.
void linear(int64_t n, int64_t shift) {
  const auto layer = [&](Device device) {
    const Tensor x = sample_tensor({3, 5}, DType::f32, device), w = sample_tensor({n, 5}, DType::f32, device),
                 b = sample_tensor({n + shift}, DType::f32, device).slice(shift, n + shift),
                 y = Tensor::zeros({3, n}, DType::f32, device);
    linear_fwd(x, w, b, y);
    return to_doubles(y);
  };
  EXPECT_LT(test::distance(layer(kCuda), layer(kCpu)), 1e-6) << n << " outputs, bias shifted by " << shift;
}

TEST_F(Host, TheBiasOfCublasLtIsAligned) {
  const auto products = [](int64_t shift) {
    const int64_t before = test::called("cublasLtMatmul");
    linear(8, shift);
    return test::called("cublasLtMatmul") - before;
  };
  EXPECT_EQ(products(0), 1);
  EXPECT_EQ(products(4), 1) << "16 bytes";
  for (const int64_t shift : {1, 2, 3}) EXPECT_EQ(products(shift), 0) << shift;
}

TEST_F(Host, ACandidateThatBlamesAParameterIsAnError) {
  const model::OfferScope offer(model::Offer::blamed);
  expect_error(ErrorKind::device, "cuDNN candidate: ", convolve_anew<14>);
  expect_error(ErrorKind::device, "cuBLASLt candidate: ", [] { linear(21, 0); });
}

TEST_F(Host, WorkOfTheHostInARecordedStepIsRefusedAlikeEverywhere) {
  const Tensor on_host = sample_tensor({4}, DType::f32, kCpu),
               on_card = sample_tensor({4}, DType::f32, kCuda);
  const auto refuse = [&](const std::string& words, const std::function<void()>& work) {
    for (const DeviceType type : {DeviceType::cpu, DeviceType::cuda})
      expect_error(ErrorKind::device, words, [&] { runtime(type).record(0, work); });
    EXPECT_FALSE(is_recording(compute_stream(0)));
  };
  refuse("a recorded step copies between the host and a tensor on cuda:0",
         [&] { on_card.to_vector<float>(); });
  refuse("a recorded step copies between the host and a tensor on cuda:0", [&] { on_card.to(kCpu); });
  refuse("a recorded step copies between the host and a tensor on cuda:0",
         [&] { on_card.copy_from(on_host); });
  refuse("a recorded step copies between the host and a tensor on cuda:0",
         [&] { Tensor::from(std::vector<float>{1}, {1}, kCuda); });
  refuse("a recorded step copies between the host and a tensor on cpu", [&] { on_host.to_vector<float>(); });
  refuse("a recorded step copies between the host and a tensor on cpu", [&] { Tensor::scalar(1.0f); });
  // What a recorder keeps and a stream does not.
  for (const auto& [what, work] :
       {std::pair<std::string, std::function<void()>>{"fill", [&] { on_host.zero(); }},
        {"copy", [&] { on_host.clone(); }},
        {"softmax_fwd", [&] { softmax_fwd(on_host, on_host); }}})
    expect_error(ErrorKind::device, fmt::format("a recorded step runs {} on the host", what),
                 [&] { runtime(DeviceType::cuda).record(0, work); });
}

}  // namespace
}  // namespace vae::kernels
