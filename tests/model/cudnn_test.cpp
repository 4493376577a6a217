// The model's cuDNN: convolutions against plain loops, what its lists of algorithms say, documented statuses.
#include "tests/model/cudnn_calls.h"

namespace vae {
namespace {

using namespace test;

const ConvolutionCase kCases[] = {kSmall,
                                  {1, 1, 1, 1, 1, 1, 1},
                                  {3, 9, 8, 2, 5, 4, 4, 1, 1, 2, 2},
                                  {2, 7, 11, 3, 2, 3, 5, 0, 2, 2, 3},
                                  {1, 9, 9, 2, 3, 3, 2, 2, 3, 1, 2, 2, 3},
                                  {2, 5, 4, 2, 3, 5, 4},
                                  {2, 6, 5, 3, 4, 3, 2, 1, 0, 1, 1, 1, 1, true}};

TEST_F(Cudnn, ForwardMatchesPlainLoops) {
  for (const ConvolutionCase& p : kCases)
    for (const float beta : {0.0f, 0.5f}) {
      const Descriptors d(p);
      const DeviceArray<float> x(p.x()), w(p.weights());
      for (const auto& perf : forward_algorithms(d)) {
        if (!acceptable(perf)) continue;
        std::vector<double> expected = p.forward(), before = p.dy();
        for (size_t i = 0; i < expected.size(); ++i) expected[i] = 2 * expected[i] + beta * before[i];
        const DeviceArray<float> y(beta == 0 ? nans(p.y_size()) : before);
        const DeviceArray<float> workspace(nans(1 + static_cast<int64_t>(perf.memory)));
        const float alpha = 2;
        EXPECT_EQ(cudnnConvolutionForward(handle_, &alpha, d.x, x.data(), d.w, w.data(), d.convolution,
                                          perf.algo, workspace.data(), perf.memory, &beta, d.y, y.data()),
                  CUDNN_STATUS_SUCCESS);
        EXPECT_LE(distance(y.values(), expected), 1e-6);
      }
    }
}

TEST_F(Cudnn, InputGradientMatchesPlainLoops) {
  for (const ConvolutionCase& p : kCases)
    for (const float beta : {0.0f, 0.5f}) {
      const Descriptors d(p);
      const DeviceArray<float> dy(p.dy()), w(p.weights());
      for (const auto& perf : input_algorithms(d)) {
        if (!acceptable(perf)) continue;
        std::vector<double> expected = p.dx(), before = p.x();
        for (size_t i = 0; i < expected.size(); ++i) expected[i] += beta * before[i];
        const DeviceArray<float> dx(beta == 0 ? nans(p.x_size()) : before);
        const DeviceArray<float> workspace(nans(1 + static_cast<int64_t>(perf.memory)));
        EXPECT_EQ(
            cudnnConvolutionBackwardData(handle_, &kOne, d.w, w.data(), d.y, dy.data(), d.convolution,
                                         perf.algo, workspace.data(), perf.memory, &beta, d.x, dx.data()),
            CUDNN_STATUS_SUCCESS);
        EXPECT_LE(distance(dx.values(), expected), 1e-6);
      }
    }
}

TEST_F(Cudnn, WeightGradientMatchesPlainLoops) {
  for (const ConvolutionCase& p : kCases)
    for (const float beta : {0.0f, 0.5f}) {
      const Descriptors d(p);
      const DeviceArray<float> x(p.x()), dy(p.dy());
      for (const auto& perf : weight_algorithms(d)) {
        if (!acceptable(perf)) continue;
        std::vector<double> expected = p.dw(), before = p.weights();
        for (size_t i = 0; i < expected.size(); ++i) expected[i] += beta * before[i];
        const DeviceArray<float> dw(beta == 0 ? nans(p.w_size()) : before);
        const DeviceArray<float> workspace(nans(1 + static_cast<int64_t>(perf.memory)));
        EXPECT_EQ(
            cudnnConvolutionBackwardFilter(handle_, &kOne, d.x, x.data(), d.y, dy.data(), d.convolution,
                                           perf.algo, workspace.data(), perf.memory, &beta, d.w, dw.data()),
            CUDNN_STATUS_SUCCESS);
        EXPECT_LE(distance(dw.values(), expected), 1e-6);
      }
    }
}

TEST_F(Cudnn, ChannelsMayComeFirst) {
  const ConvolutionCase& p = kSmall;
  const Descriptors d(p, CUDNN_TENSOR_NCHW);
  const DeviceArray<float> x(channels_first(p.x(), p.n, p.h * p.w, p.c)),
      w(channels_first(p.weights(), p.o, p.kh * p.kw, p.c)), y(nans(p.y_size()));
  EXPECT_EQ(forward(d, x, w, y), CUDNN_STATUS_SUCCESS);
  EXPECT_LE(distance(y.values(), channels_first(p.forward(), p.n, p.oh() * p.ow(), p.o)), 1e-6);
}

TEST_F(Cudnn, ListsHoldWhatMustNotBeTaken) {
  const Descriptors d(kSmall);
  const auto count = [](const auto& list, auto property) {
    return std::count_if(list.begin(), list.end(), property);
  };
  const auto check = [&](const auto& list, int64_t chance) {
    EXPECT_EQ(count(list, [](auto& p) { return p.status != CUDNN_STATUS_SUCCESS; }), 1);
    EXPECT_EQ(count(list, [](auto& p) { return p.determinism == CUDNN_NON_DETERMINISTIC; }), chance);
    EXPECT_EQ(count(list, [](auto& p) { return p.memory > (size_t{1} << 30); }), 1);
    EXPECT_EQ(count(list, [](auto& p) { return p.mathType != CUDNN_FMA_MATH; }), 1);
    EXPECT_GE(count(list, [](auto& p) { return acceptable(p) && p.determinism == CUDNN_DETERMINISTIC; }), 1);
  };
  check(forward_algorithms(d), 0);
  check(input_algorithms(d), 1);
  check(weight_algorithms(d), 2);
  EXPECT_EQ(forward_algorithms(d, 2).size(), 2u);
}

TEST_F(Cudnn, NonDeterministicAlgorithmsDifferFromRunToRun) {
  const ConvolutionCase& p = kSmall;
  const Descriptors d(p);
  const DeviceArray<float> x(p.x()), dy(p.dy()), dw(nans(p.w_size()));
  const auto repeated = [&](cudnnConvolutionBwdFilterAlgo_t algorithm) {
    std::vector<std::vector<double>> results;
    const DeviceArray<float> workspace(nans(1024));
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(cudnnConvolutionBackwardFilter(handle_, &kOne, d.x, x.data(), d.y, dy.data(), d.convolution,
                                               algorithm, workspace.data(), workspace.bytes(), &kZero, d.w,
                                               dw.data()),
                CUDNN_STATUS_SUCCESS);
      results.push_back(dw.values());
      EXPECT_LE(distance(results.back(), p.dw()), 1e-6);
    }
    return std::count(results.begin(), results.end(), results[0]) == 4;
  };
  EXPECT_FALSE(repeated(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0));
  EXPECT_FALSE(repeated(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3));
  EXPECT_TRUE(repeated(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1));
}

TEST_F(Cudnn, Tf32RoundsTheFactors) {
  const ConvolutionCase& p = kSmall;
  const Descriptors d(p);
  ASSERT_EQ(cudnnSetConvolutionMathType(d.convolution, CUDNN_DEFAULT_MATH), CUDNN_STATUS_SUCCESS);
  const DeviceArray<float> x(p.x()), w(p.weights()), y(nans(p.y_size())), workspace(nans(4096));
  EXPECT_EQ(cudnnConvolutionForward(handle_, &kOne, d.x, x.data(), d.w, w.data(), d.convolution,
                                    CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, workspace.data(),
                                    workspace.bytes(), &kZero, d.y, y.data()),
            CUDNN_STATUS_SUCCESS);
  EXPECT_GT(distance(y.values(), p.forward()), 1e-5);
  EXPECT_LT(distance(y.values(), p.forward()), 1e-2);
}

TEST_F(Cudnn, RefusesWhatIsDocumentedAsBad) {
  const ConvolutionCase& p = kSmall;
  const DeviceArray<float> x(p.x()), w(p.weights()), y(nans(p.y_size()));
  const auto status = [&](auto spoil) {
    Descriptors d(p);
    spoil(d);
    return forward(d, x, w, y);
  };
  const auto f = CUDNN_DATA_FLOAT;
  const auto last = CUDNN_TENSOR_NHWC;
  EXPECT_EQ(status([](auto&) {}), CUDNN_STATUS_SUCCESS);
  EXPECT_EQ(status([&](auto& d) { cudnnSetTensor4dDescriptor(d.y, last, f, 2, 4, 6, 6); }),
            CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(status([&](auto& d) { cudnnSetTensor4dDescriptor(d.x, last, CUDNN_DATA_HALF, 2, 3, 6, 5); }),
            CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(status([&](auto& d) { cudnnSetFilter4dDescriptor(d.w, f, CUDNN_TENSOR_NCHW, 4, 3, 3, 3); }),
            CUDNN_STATUS_NOT_SUPPORTED);
  Descriptors d(p);
  EXPECT_EQ(cudnnSetTensor4dDescriptor(d.x, last, f, 2, 0, 6, 5), CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(cudnnSetTensor4dDescriptor(d.x, last, f, 2048, 1024, 1024, 1), CUDNN_STATUS_NOT_SUPPORTED);
  EXPECT_EQ(cudnnSetFilter4dDescriptor(d.w, f, last, -1, 1, 1, 1), CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(cudnnSetConvolution2dDescriptor(d.convolution, -1, 0, 1, 1, 1, 1, CUDNN_CROSS_CORRELATION, f),
            CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(cudnnSetConvolution2dDescriptor(d.convolution, 0, 0, 1, 0, 1, 1, CUDNN_CROSS_CORRELATION, f),
            CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(cudnnSetConvolutionMathType(d.convolution, static_cast<cudnnMathType_t>(9)),
            CUDNN_STATUS_BAD_PARAM);
  int count = 0;
  EXPECT_EQ(cudnnGetConvolutionForwardAlgorithm_v7(handle_, d.x, d.w, d.convolution, d.y, 0, &count, nullptr),
            CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(cudnnConvolutionForward(handle_, &kOne, d.x, x.data(), d.w, w.data(), d.convolution,
                                    CUDNN_CONVOLUTION_FWD_ALGO_FFT, nullptr, 0, &kZero, d.y, y.data()),
            CUDNN_STATUS_NOT_SUPPORTED);
  EXPECT_EQ(
      cudnnConvolutionForward(handle_, &kOne, d.x, nullptr, d.w, w.data(), d.convolution,
                              CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, nullptr, 0, &kZero, d.y, y.data()),
      CUDNN_STATUS_BAD_PARAM);
  handle_ = nullptr;
  EXPECT_EQ(forward(d, x, w, y), CUDNN_STATUS_BAD_PARAM);
}

}  // namespace
}  // namespace vae
