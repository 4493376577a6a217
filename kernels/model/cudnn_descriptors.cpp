// The model's cuDNN: handles and descriptors. Rules: the documentation of each function, under "Returns".
#include <limits>

#include "kernels/model/cudnn.h"

using namespace vae::model;

namespace vae::model::dnn {
namespace {

template <class T>
Living<T>& living() {
  static auto* all = new Living<T>;
  return *all;
}

}  // namespace

Living<cudnnContext>& handles() { return living<cudnnContext>(); }
Living<cudnnTensorStruct>& tensors() { return living<cudnnTensorStruct>(); }
Living<cudnnFilterStruct>& filters() { return living<cudnnFilterStruct>(); }
Living<cudnnConvolutionStruct>& convolutions() { return living<cudnnConvolutionStruct>(); }

Described describe(cudnnHandle_t handle, cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w,
                   cudnnConvolutionDescriptor_t convolution, cudnnTensorDescriptor_t y) {
  Described result;
  if (!handles().has(handle) || !tensors().has(x) || !filters().has(w) || !convolutions().has(convolution) ||
      !tensors().has(y))
    return result;
  if (!x->set || !w->set || !convolution->set || !y->set) return result;
  if (x->type != w->type || x->type != y->type) return result;
  Convolution& c = result.convolution;
  c = {.x = x->axes,
       .w = w->axes,
       .y = y->axes,
       .vertical = convolution->vertical,
       .horizontal = convolution->horizontal,
       .mirrored = convolution->mode == CUDNN_CONVOLUTION};
  const bool sizes = c.x.n == c.y.n && c.x.c == c.w.c && c.y.c == c.w.n &&
                     c.y.h == c.vertical.places(c.x.h, c.w.h) && c.y.w == c.horizontal.places(c.x.w, c.w.w);
  if (!sizes) return result;
  const bool supported = x->type == CUDNN_DATA_FLOAT && convolution->compute == CUDNN_DATA_FLOAT &&
                         c.x.channels_last == c.w.channels_last && c.x.channels_last == c.y.channels_last;
  result.status = supported ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_NOT_SUPPORTED;
  result.math = convolution->math;
  return result;
}

namespace {

/// cudnnCreate...Descriptor().
template <class T>
cudnnStatus_t create(Living<T>& all, T** descriptor) {
  if (!descriptor) return CUDNN_STATUS_BAD_PARAM;
  *descriptor = all.make();
  return CUDNN_STATUS_SUCCESS;
}

template <class T>
cudnnStatus_t destroy(const char* function, Living<T>& all, T* descriptor) {
  if (all.end(descriptor)) return CUDNN_STATUS_SUCCESS;
  return violation(function, "there is no such descriptor, or no longer", CUDNN_STATUS_BAD_PARAM);
}

/// cudnnSetTensor4dDescriptor() and its like for filters.
template <class T>
cudnnStatus_t set(const Living<T>& all, T* descriptor, cudnnTensorFormat_t format, cudnnDataType_t type,
                  Axes axes) {
  const bool known_format = format == CUDNN_TENSOR_NCHW || format == CUDNN_TENSOR_NHWC;
  const bool known_type = type >= CUDNN_DATA_FLOAT && type <= CUDNN_DATA_COMPLEX_FP64;
  if (!all.has(descriptor) || axes.n <= 0 || axes.c <= 0 || axes.h <= 0 || axes.w <= 0 || !known_format ||
      !known_type)
    return CUDNN_STATUS_BAD_PARAM;
  if (static_cast<double>(axes.n) * static_cast<double>(axes.c) * static_cast<double>(axes.h) *
          static_cast<double>(axes.w) >
      std::numeric_limits<int>::max())
    return CUDNN_STATUS_NOT_SUPPORTED;
  axes.channels_last = format == CUDNN_TENSOR_NHWC;
  *descriptor = {true, type, axes};
  return CUDNN_STATUS_SUCCESS;
}

}  // namespace
}  // namespace vae::model::dnn

const char* cudnnGetErrorString(cudnnStatus_t status) {
  const Call model_call("cudnnGetErrorString");
  switch (CUDNN_STATUS_CATEGORY(status)) {
    case 0:
      return "CUDNN_STATUS_SUCCESS";
    case CUDNN_STATUS_BAD_PARAM:
      return "CUDNN_STATUS_BAD_PARAM";
    case CUDNN_STATUS_NOT_SUPPORTED:
      return "CUDNN_STATUS_NOT_SUPPORTED";
    case CUDNN_STATUS_INTERNAL_ERROR:
      return "CUDNN_STATUS_INTERNAL_ERROR";
    case CUDNN_STATUS_EXECUTION_FAILED:
      return "CUDNN_STATUS_EXECUTION_FAILED";
    default:
      return "CUDNN_STATUS_NOT_INITIALIZED";
  }
}

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  VAE_MODEL_CALL("cudnnCreate");
  const cudnnStatus_t status = dnn::create(dnn::handles(), handle);
  if (status == CUDNN_STATUS_SUCCESS) (*handle)->device = current_device();
  return status;
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  VAE_MODEL_CALL("cudnnSetStream");
  if (!dnn::handles().has(handle)) return CUDNN_STATUS_BAD_PARAM;
  if (stream && device_of(stream) != handle->device)
    return violation("cudnnSetStream", "the stream is not of the handle's device", CUDNN_STATUS_BAD_PARAM);
  handle->stream = stream;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* descriptor) {
  VAE_MODEL_CALL("cudnnCreateTensorDescriptor");
  return dnn::create(dnn::tensors(), descriptor);
}

cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t* descriptor) {
  VAE_MODEL_CALL("cudnnCreateFilterDescriptor");
  return dnn::create(dnn::filters(), descriptor);
}

cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t* descriptor) {
  VAE_MODEL_CALL("cudnnCreateConvolutionDescriptor");
  return dnn::create(dnn::convolutions(), descriptor);
}

cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t descriptor) {
  VAE_MODEL_CALL("cudnnDestroyTensorDescriptor");
  return dnn::destroy("cudnnDestroyTensorDescriptor", dnn::tensors(), descriptor);
}

cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t descriptor) {
  VAE_MODEL_CALL("cudnnDestroyFilterDescriptor");
  return dnn::destroy("cudnnDestroyFilterDescriptor", dnn::filters(), descriptor);
}

cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t descriptor) {
  VAE_MODEL_CALL("cudnnDestroyConvolutionDescriptor");
  return dnn::destroy("cudnnDestroyConvolutionDescriptor", dnn::convolutions(), descriptor);
}

cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t descriptor, cudnnTensorFormat_t format,
                                         cudnnDataType_t type, int n, int c, int h, int w) {
  VAE_MODEL_CALL("cudnnSetTensor4dDescriptor");
  return dnn::set(dnn::tensors(), descriptor, format, type, {n, c, h, w});
}

cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t descriptor, cudnnDataType_t type,
                                         cudnnTensorFormat_t format, int k, int c, int h, int w) {
  VAE_MODEL_CALL("cudnnSetFilter4dDescriptor");
  return dnn::set(dnn::filters(), descriptor, format, type, {k, c, h, w});
}

cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t descriptor, int pad_h, int pad_w,
                                              int stride_h, int stride_w, int dilation_h, int dilation_w,
                                              cudnnConvolutionMode_t mode, cudnnDataType_t compute) {
  VAE_MODEL_CALL("cudnnSetConvolution2dDescriptor");
  if (!dnn::convolutions().has(descriptor) || pad_h < 0 || pad_w < 0 || stride_h <= 0 || stride_w <= 0 ||
      dilation_h <= 0 || dilation_w <= 0 || (mode != CUDNN_CONVOLUTION && mode != CUDNN_CROSS_CORRELATION))
    return CUDNN_STATUS_BAD_PARAM;
  *descriptor = {.set = true,
                 .vertical = {pad_h, stride_h, dilation_h},
                 .horizontal = {pad_w, stride_w, dilation_w},
                 .mode = mode,
                 .compute = compute};
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t descriptor, cudnnMathType_t math) {
  VAE_MODEL_CALL("cudnnSetConvolutionMathType");
  if (!dnn::convolutions().has(descriptor) || math < CUDNN_DEFAULT_MATH || math > CUDNN_FMA_MATH)
    return CUDNN_STATUS_BAD_PARAM;
  descriptor->math = math;
  return CUDNN_STATUS_SUCCESS;
}
