#pragma once
// Calls of the model's cuDNN as its tests make them.
#include <cudnn.h>

#include "tests/model/convolution_case.h"
#include "tests/model/vendor.h"

namespace vae::test {

inline constexpr float kOne = 1, kZero = 0;

/// Descriptors of a convolution.
struct Descriptors {
  explicit Descriptors(const ConvolutionCase& p, cudnnTensorFormat_t format = CUDNN_TENSOR_NHWC) {
    cudnnCreateTensorDescriptor(&x);
    cudnnCreateTensorDescriptor(&y);
    cudnnCreateFilterDescriptor(&w);
    cudnnCreateConvolutionDescriptor(&convolution);
    const auto i = [](int64_t v) { return static_cast<int>(v); };
    EXPECT_EQ(cudnnSetTensor4dDescriptor(x, format, CUDNN_DATA_FLOAT, i(p.n), i(p.c), i(p.h), i(p.w)),
              CUDNN_STATUS_SUCCESS);
    EXPECT_EQ(cudnnSetTensor4dDescriptor(y, format, CUDNN_DATA_FLOAT, i(p.n), i(p.o), i(p.oh()), i(p.ow())),
              CUDNN_STATUS_SUCCESS);
    EXPECT_EQ(cudnnSetFilter4dDescriptor(w, CUDNN_DATA_FLOAT, format, i(p.o), i(p.c), i(p.kh), i(p.kw)),
              CUDNN_STATUS_SUCCESS);
    EXPECT_EQ(cudnnSetConvolution2dDescriptor(convolution, i(p.pad_h), i(p.pad_w), i(p.stride_h),
                                              i(p.stride_w), i(p.dilation_h), i(p.dilation_w),
                                              p.mirrored ? CUDNN_CONVOLUTION : CUDNN_CROSS_CORRELATION,
                                              CUDNN_DATA_FLOAT),
              CUDNN_STATUS_SUCCESS);
    EXPECT_EQ(cudnnSetConvolutionMathType(convolution, CUDNN_FMA_MATH), CUDNN_STATUS_SUCCESS);
  }
  ~Descriptors() {
    cudnnDestroyTensorDescriptor(x);
    cudnnDestroyTensorDescriptor(y);
    cudnnDestroyFilterDescriptor(w);
    cudnnDestroyConvolutionDescriptor(convolution);
  }
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;

  cudnnTensorDescriptor_t x = nullptr, y = nullptr;
  cudnnFilterDescriptor_t w = nullptr;
  cudnnConvolutionDescriptor_t convolution = nullptr;
};

class Cudnn : public Vendor {
 protected:
  void SetUp() override { ASSERT_EQ(cudnnCreate(&handle_), CUDNN_STATUS_SUCCESS); }

  std::vector<cudnnConvolutionFwdAlgoPerf_t> forward_algorithms(const Descriptors& d, int requested = 8) {
    std::vector<cudnnConvolutionFwdAlgoPerf_t> found(static_cast<size_t>(requested));
    int count = 0;
    EXPECT_EQ(cudnnGetConvolutionForwardAlgorithm_v7(handle_, d.x, d.w, d.convolution, d.y, requested, &count,
                                                     found.data()),
              CUDNN_STATUS_SUCCESS);
    found.resize(static_cast<size_t>(count));
    return found;
  }
  std::vector<cudnnConvolutionBwdDataAlgoPerf_t> input_algorithms(const Descriptors& d) {
    std::vector<cudnnConvolutionBwdDataAlgoPerf_t> found(6);
    int count = 0;
    EXPECT_EQ(cudnnGetConvolutionBackwardDataAlgorithm_v7(handle_, d.w, d.y, d.convolution, d.x, 6, &count,
                                                          found.data()),
              CUDNN_STATUS_SUCCESS);
    found.resize(static_cast<size_t>(count));
    return found;
  }
  std::vector<cudnnConvolutionBwdFilterAlgoPerf_t> weight_algorithms(const Descriptors& d) {
    std::vector<cudnnConvolutionBwdFilterAlgoPerf_t> found(7);
    int count = 0;
    EXPECT_EQ(cudnnGetConvolutionBackwardFilterAlgorithm_v7(handle_, d.x, d.y, d.convolution, d.w, 7, &count,
                                                            found.data()),
              CUDNN_STATUS_SUCCESS);
    found.resize(static_cast<size_t>(count));
    return found;
  }
  /// y of a forward pass by an algorithm that needs no workspace, in plain arithmetic.
  cudnnStatus_t forward(const Descriptors& d, const DeviceArray<float>& x, const DeviceArray<float>& w,
                        const DeviceArray<float>& y, float beta = 0) {
    return cudnnConvolutionForward(handle_, &kOne, d.x, x.data(), d.w, w.data(), d.convolution,
                                   CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, nullptr, 0, &beta, d.y,
                                   y.data());
  }

  cudnnHandle_t handle_ = nullptr;
};

/// Whether a caller who wants plain arithmetic and modest memory may take an algorithm.
template <class Perf>
bool acceptable(const Perf& perf) {
  return perf.status == CUDNN_STATUS_SUCCESS && perf.memory < (size_t{1} << 30) &&
         perf.mathType == CUDNN_FMA_MATH;
}

inline const ConvolutionCase kSmall{2, 6, 5, 3, 4, 3, 3, 1, 1};

}  // namespace vae::test
