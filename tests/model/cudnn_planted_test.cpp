// Mistakes in calls of cuDNN, one after the other: each is answered by a status, a violation, or numbers that
// a comparison refuses.
#include "tests/model/cudnn_calls.h"

namespace vae {
namespace {

using namespace test;

using PlantedInCudnn = Cudnn;

TEST_F(PlantedInCudnn, DescriptorUsedBeforeItIsSet) {
  const ConvolutionCase& p = kSmall;
  const DeviceArray<float> x(p.x()), w(p.weights()), y(nans(p.y_size()));
  Descriptors d(p);
  cudnnDestroyTensorDescriptor(d.x);
  cudnnCreateTensorDescriptor(&d.x);
  EXPECT_EQ(forward(d, x, w, y), CUDNN_STATUS_BAD_PARAM);
}

TEST_F(PlantedInCudnn, DescriptorUsedAfterItsEnd) {
  const ConvolutionCase& p = kSmall;
  const DeviceArray<float> x(p.x()), w(p.weights()), y(nans(p.y_size()));
  Descriptors d(p);
  const cudnnFilterDescriptor_t gone = d.w;
  cudnnDestroyFilterDescriptor(d.w);
  cudnnCreateFilterDescriptor(&d.w);  // may not lie where the other did
  cudnnSetFilter4dDescriptor(d.w, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, 4, 3, 3, 3);
  EXPECT_EQ(
      cudnnConvolutionForward(handle_, &kOne, d.x, x.data(), gone, w.data(), d.convolution,
                              CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, nullptr, 0, &kZero, d.y, y.data()),
      CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(cudnnDestroyFilterDescriptor(gone), CUDNN_STATUS_BAD_PARAM);
  expect_violation("there is no such descriptor");
}

TEST_F(PlantedInCudnn, FilterSizesInTheOrderOfMemory) {
  // [o, kh, kw, c] where [o, c, kh, kw] is asked for.
  const ConvolutionCase p{2, 6, 5, 5, 4, 3, 3, 1, 1};
  const Descriptors d(p);
  cudnnSetFilter4dDescriptor(d.w, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, 4, 3, 3, 5);
  const DeviceArray<float> x(p.x()), w(p.weights()), y(nans(p.y_size()));
  EXPECT_EQ(forward(d, x, w, y), CUDNN_STATUS_BAD_PARAM);
}

TEST_F(PlantedInCudnn, WeightsOihwForOhwi) {
  const ConvolutionCase& p = kSmall;
  const DeviceArray<float> x(p.x()), y(nans(p.y_size()));
  // Weights that lie [o, c, kh, kw] under a descriptor that says [o, kh, kw, c] ...
  const DeviceArray<float> w(channels_first(p.weights(), p.o, p.kh * p.kw, p.c));
  EXPECT_EQ(forward(Descriptors(p), x, w, y), CUDNN_STATUS_SUCCESS);
  EXPECT_FALSE(distance(y.values(), p.forward()) < 0.1);
  // ... and weights as they should be under one that says [o, c, kh, kw].
  Descriptors d(p);
  cudnnSetFilter4dDescriptor(d.w, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NCHW, 4, 3, 3, 3);
  EXPECT_EQ(forward(d, x, DeviceArray<float>(p.weights()), y), CUDNN_STATUS_NOT_SUPPORTED);
  // Everything under descriptors of the other order: the sizes fit, the numbers do not.
  EXPECT_EQ(forward(Descriptors(p, CUDNN_TENSOR_NCHW), x, w, y), CUDNN_STATUS_SUCCESS);
  EXPECT_FALSE(distance(y.values(), p.forward()) < 0.1);
}

TEST_F(PlantedInCudnn, MirroredKernel) {
  ConvolutionCase p = kSmall;
  const DeviceArray<float> x(p.x()), w(p.weights()), y(nans(p.y_size()));
  p.mirrored = true;
  EXPECT_EQ(forward(Descriptors(p), x, w, y), CUDNN_STATUS_SUCCESS);
  EXPECT_FALSE(distance(y.values(), kSmall.forward()) < 0.1);
}

TEST_F(PlantedInCudnn, BetaOneForZero) {
  const ConvolutionCase& p = kSmall;
  const DeviceArray<float> x(p.x()), w(p.weights()), y(nans(p.y_size()));
  EXPECT_EQ(forward(Descriptors(p), x, w, y, 1), CUDNN_STATUS_SUCCESS);
  EXPECT_FALSE(distance(y.values(), p.forward()) < 0.1);
}

TEST_F(PlantedInCudnn, WorkspaceSmallerThanPromised) {
  const ConvolutionCase& p = kSmall;
  const Descriptors d(p);
  const DeviceArray<float> x(p.x()), w(p.weights()), y(nans(p.y_size())), small(nans(4));
  const auto found = forward_algorithms(d);
  const auto with_workspace = std::find_if(
      found.begin(), found.end(), [](const auto& perf) { return acceptable(perf) && perf.memory > 16; });
  ASSERT_NE(with_workspace, found.end());
  const auto run = [&](void* workspace, size_t bytes) {
    return cudnnConvolutionForward(handle_, &kOne, d.x, x.data(), d.w, w.data(), d.convolution,
                                   with_workspace->algo, workspace, bytes, &kZero, d.y, y.data());
  };
  EXPECT_EQ(CUDNN_STATUS_CATEGORY(run(small.data(), small.bytes())), CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(CUDNN_STATUS_CATEGORY(run(nullptr, with_workspace->memory)), CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(run(small.data(), with_workspace->memory), CUDNN_STATUS_SUCCESS);
  expect_violation("the workspace has");
}

TEST_F(PlantedInCudnn, AlgorithmOfAnotherProblem) {
  // The workspace of a smaller convolution's algorithm, and that of another math type.
  const ConvolutionCase larger{2, 12, 10, 3, 4, 3, 3, 1, 1};
  const Descriptors d(larger);
  const DeviceArray<float> x(larger.x()), w(larger.weights()), y(nans(larger.y_size())),
      workspace(nans(4096));
  const auto run = [&](const cudnnConvolutionFwdAlgoPerf_t& perf) {
    return CUDNN_STATUS_CATEGORY(cudnnConvolutionForward(handle_, &kOne, d.x, x.data(), d.w, w.data(),
                                                         d.convolution, perf.algo, workspace.data(),
                                                         perf.memory, &kZero, d.y, y.data()));
  };
  const auto found = forward_algorithms(Descriptors(kSmall)).at(3);
  ASSERT_EQ(found.algo, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM);
  EXPECT_EQ(run(found), CUDNN_STATUS_BAD_PARAM);
  const auto right = forward_algorithms(d).at(3);
  EXPECT_EQ(run(right), CUDNN_STATUS_SUCCESS);
  cudnnSetConvolutionMathType(d.convolution, CUDNN_DEFAULT_MATH);
  EXPECT_EQ(run(right), CUDNN_STATUS_BAD_PARAM);
}

TEST_F(PlantedInCudnn, ResultTooSmall) {
  const ConvolutionCase& p = kSmall;
  const DeviceArray<float> x(p.x()), w(p.weights()), y(nans(p.y_size() - 1));
  EXPECT_EQ(forward(Descriptors(p), x, w, y), CUDNN_STATUS_SUCCESS);
  expect_violation("y has 960 bytes, 956 are left");
}

TEST_F(PlantedInCudnn, WorkOnAnotherStream) {
  // The null stream does not wait for it, so what is read there may be old.
  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
  ASSERT_EQ(cudnnSetStream(handle_, stream), CUDNN_STATUS_SUCCESS);
  const ConvolutionCase& p = kSmall;
  const DeviceArray<float> x(p.x()), w(p.weights()), y(nans(p.y_size()));
  EXPECT_EQ(forward(Descriptors(p), x, w, y), CUDNN_STATUS_SUCCESS);
  y.values();
  expect_violation("used by work that is queued on another stream");
}

}  // namespace
}  // namespace vae
