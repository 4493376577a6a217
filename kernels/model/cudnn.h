#pragma once
// Handles and descriptors of the model's cuDNN.
#include <cudnn.h>

#include "kernels/model/convolution.h"
#include "kernels/model/library.h"

/// A handle: of the device that was current at its creation.
struct cudnnContext {
  int device = 0;
  cudaStream_t stream = nullptr;
};

struct cudnnTensorStruct {
  bool set = false;
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  vae::model::Axes axes;
};

/// n outputs, c inputs.
struct cudnnFilterStruct {
  bool set = false;
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  vae::model::Axes axes;
};

struct cudnnConvolutionStruct {
  bool set = false;
  vae::model::Sweep vertical, horizontal;
  cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
  cudnnDataType_t compute = CUDNN_DATA_FLOAT;
  cudnnMathType_t math = CUDNN_DEFAULT_MATH;
};

namespace vae::model::dnn {

Living<cudnnContext>& handles();
Living<cudnnTensorStruct>& tensors();
Living<cudnnFilterStruct>& filters();
Living<cudnnConvolutionStruct>& convolutions();

/// A convolution as descriptors describe it.
struct Described {
  cudnnStatus_t status = CUDNN_STATUS_BAD_PARAM;  ///< whether it can be computed
  Convolution convolution;
  cudnnMathType_t math = CUDNN_DEFAULT_MATH;
};
Described describe(cudnnHandle_t handle, cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w,
                   cudnnConvolutionDescriptor_t convolution, cudnnTensorDescriptor_t y);

}  // namespace vae::model::dnn
