#include "tensor/tensor.h"

#include "tensor/allocator.h"
#include "tensor/recorder.h"
#include "tensor/runtime.h"

namespace vae {

namespace {

void require_unrecorded(Device device) {
  if (Recording::active()) refuse_recorded_copy(device);
}

}  // namespace

Storage::Storage(Device device, size_t bytes)
    : device_(device), bytes_(bytes), data_(static_cast<std::byte*>(allocator(device).allocate(bytes))) {}

Storage::~Storage() { allocator(device_).release(data_, bytes_); }

Tensor Tensor::empty(Shape shape, DType dtype, Device device) {
  Tensor tensor;
  tensor.shape_ = shape;
  tensor.numel_ = shape.numel();
  tensor.dtype_ = dtype;
  tensor.storage_ = std::make_shared<Storage>(device, tensor.bytes());
  return tensor;
}

Tensor Tensor::zeros(Shape shape, DType dtype, Device device) {
  Tensor tensor = empty(shape, dtype, device);
  tensor.zero();
  return tensor;
}

Tensor Tensor::from_bytes(const void* values, size_t count, Shape shape, DType dtype, Device device) {
  VAE_CHECK(static_cast<int64_t>(count) == shape.numel(), "{} values do not fill shape {}", count,
            shape.str());
  require_unrecorded(device);
  Tensor tensor = empty(shape, dtype, device);
  copy_bytes(tensor.raw(), device, values, kCpu, tensor.bytes());
  return tensor;
}

void Tensor::copy_to_host(void* to) const {
  require_unrecorded(device());
  copy_bytes(to, kCpu, raw(), device(), bytes());
}

Tensor Tensor::reshape(std::span<const int64_t> extents) const {
  std::vector<int64_t> resolved(extents.begin(), extents.end());
  int64_t known = 1;
  int64_t* unknown = nullptr;
  for (int64_t& extent : resolved) {
    if (extent == -1) {
      VAE_CHECK(!unknown, "reshape: more than one extent is -1");
      unknown = &extent;
    } else {
      known *= extent;
    }
  }
  if (unknown) *unknown = known ? numel_ / known : 0;
  Tensor view = *this;
  view.shape_ = Shape(resolved);
  VAE_CHECK(view.shape_.numel() == numel_, "reshape: {} does not fit shape {}", str(), view.shape_.str());
  return view;
}

Tensor Tensor::slice(int64_t begin, int64_t end) const {
  VAE_CHECK(rank() > 0 && 0 <= begin && begin <= end && end <= size(0), "slice [{}, {}) of {}", begin, end,
            str());
  Tensor view = *this;
  view.shape_ = shape_.with_leading(end - begin);
  view.numel_ = view.shape_.numel();
  const int64_t row = size(0) ? numel_ / size(0) : 0;
  view.offset_ += static_cast<size_t>(begin * row) * size_of(dtype_);
  return view;
}

Tensor Tensor::clone() const { return to(device()); }

Tensor Tensor::to(Device device) const {
  Tensor copy = empty(shape_, dtype_, device);
  copy.copy_from(*this);
  return copy;
}

void Tensor::copy_from(const Tensor& source) const {
  VAE_CHECK(source.dtype_ == dtype_ && source.numel_ == numel_, "copy: {} into {}", source.str(), str());
  if (source.device() != device()) require_unrecorded(device().is_cpu() ? source.device() : device());
  run_or_record("copy", device(), {source, *this}, [to = *this, source] {
    copy_bytes(to.raw(), to.device(), source.raw(), source.device(), to.bytes());
  });
}

void Tensor::zero() const {
  if (numel_)
    run_or_record("fill", device(), {*this}, [to = *this] {
      runtime(to.device().type).fill_zero(to.device().index, to.raw(), to.bytes());
    });
}

double Tensor::item() const {
  VAE_CHECK(numel_ == 1, "item: {} has not exactly one element", str());
  return dispatch_any(dtype_, [&](auto zero) {
    copy_to_host(&zero);
    return static_cast<double>(zero);
  });
}

std::string Tensor::str() const {
  if (!defined()) return "undefined tensor";
  return fmt::format("{} {} on {}", name_of(dtype_), shape_.str(), device().str());
}

}  // namespace vae
