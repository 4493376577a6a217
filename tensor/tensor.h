#pragma once
// Tensor: shared storage + byte offset + shape + dtype, always contiguous and row-major. The only views are
// reshape and a slice of the leading axis. Copying a Tensor copies the handle, not the data.
#include <memory>
#include <span>
#include <vector>

#include "tensor/device.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace vae {

/// A block of device memory from the caching allocator.
class Storage {
 public:
  Storage(Device device, size_t bytes);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
  std::byte* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  Device device() const { return device_; }

 private:
  Device device_;
  size_t bytes_;
  std::byte* data_;
};

class Tensor {
 public:
  /// The undefined tensor; defined() is false.
  Tensor() = default;

  static Tensor empty(Shape shape, DType dtype = DType::f32, Device device = kCpu);
  static Tensor zeros(Shape shape, DType dtype = DType::f32, Device device = kCpu);
  /// Copies `values` (row-major, shape.numel() of them) to `device`.
  template <class T>
  static Tensor from(std::span<const T> values, Shape shape, Device device = kCpu) {
    return from_bytes(values.data(), values.size(), shape, dtype_of<T>(), device);
  }
  template <class T>
  static Tensor from(const std::vector<T>& values, Shape shape, Device device = kCpu) {
    return from(std::span<const T>(values), shape, device);
  }
  template <class T>
  static Tensor scalar(T value, Device device = kCpu) {
    return from(std::span<const T>(&value, 1), Shape{}, device);
  }

  bool defined() const { return storage_ != nullptr; }
  /// Whether no other tensor shares the memory.
  bool owns_alone() const { return storage_.use_count() == 1; }
  const Shape& shape() const { return shape_; }
  int rank() const { return shape_.rank(); }
  int64_t size(int axis) const { return shape_[axis]; }
  int64_t numel() const { return numel_; }
  DType dtype() const { return dtype_; }
  Device device() const { return storage_ ? storage_->device() : kCpu; }
  size_t bytes() const { return static_cast<size_t>(numel_) * size_of(dtype_); }

  /// Address of the first element on the tensor's device. Constness is of the handle, not of the data.
  void* raw() const { return storage_ ? storage_->data() + offset_ : nullptr; }
  /// Typed address; throws unless T is the dtype.
  template <class T>
  T* data() const {
    VAE_CHECK(dtype_ == dtype_of<T>(), "tensor {} is {}, not {}", shape_.str(), name_of(dtype_),
              name_of(dtype_of<T>()));
    return static_cast<T*>(raw());
  }

  /// The same elements under another shape; one extent may be -1.
  Tensor reshape(std::span<const int64_t> extents) const;
  Tensor reshape(std::initializer_list<int64_t> extents) const {
    return reshape(std::span<const int64_t>(extents.begin(), extents.size()));
  }
  Tensor reshape(const Shape& shape) const { return reshape(shape.extents()); }
  /// Rows [begin, end) of the leading axis, sharing storage.
  Tensor slice(int64_t begin, int64_t end) const;

  Tensor clone() const;
  Tensor to(Device device) const;
  /// Copies the elements of a tensor of the same dtype and element count, from any device.
  void copy_from(const Tensor& source) const;
  void zero() const;

  /// All elements on the host; throws unless T is the dtype.
  template <class T>
  std::vector<T> to_vector() const {
    VAE_CHECK(dtype_ == dtype_of<T>(), "tensor {} is {}, not {}", shape_.str(), name_of(dtype_),
              name_of(dtype_of<T>()));
    std::vector<T> values(numel_);
    copy_to_host(values.data());
    return values;
  }
  /// The value of a one-element tensor of any dtype, as double.
  double item() const;
  /// "f32 [2, 3] on cpu", for messages.
  std::string str() const;

 private:
  static Tensor from_bytes(const void* values, size_t count, Shape shape, DType dtype, Device device);
  void copy_to_host(void* to) const;

  std::shared_ptr<Storage> storage_;
  size_t offset_ = 0;
  Shape shape_;
  int64_t numel_ = 0;
  DType dtype_ = DType::f32;
};

}  // namespace vae
