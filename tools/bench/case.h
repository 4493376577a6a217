#pragma once
// What bench_kernels times: kernels on the shapes of the models.
#include <fmt/ranges.h>

#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include "kernels/kernels.h"

namespace vae::bench {

/// A tensor of a case, uniform in [low, high).
struct Operand {
  Shape shape;
  DType dtype = DType::f32;  ///< f32: of the dtype that the case is made in
  double low = 0, high = 0;
  int moves = 1;        ///< how often the kernel reads or writes it
  bool result = false;  ///< what the kernel writes, to be compared

  double bytes() const {
    return static_cast<double>(size_of(dtype)) * moves * static_cast<double>(shape.numel());
  }
};
inline Operand uniform(Shape shape, double low = -1, double high = 1) {
  return {shape, DType::f32, low, high};
}
inline Operand pixels(Shape shape) { return {shape, DType::u8, 0, 256}; }
inline Operand integers(Shape shape, double below) { return {shape, DType::i64, 0, below}; }
inline Operand zeros(Shape shape, DType dtype = DType::f32) { return {shape, dtype}; }
inline Operand output(Shape shape, DType dtype = DType::f32) { return {shape, dtype, 0, 0, 1, true}; }
inline Operand in_place(const Operand& x) { return {x.shape, x.dtype, x.low, x.high, 2, true}; }
/// One number, too few bytes to count.
template <class T>
Operand scalar(T value) {
  return {{}, dtype_of<T>(), static_cast<double>(value), static_cast<double>(value), 0};
}

/// Bytes of that many f32.
inline double floats(const Shape& shape) { return zeros(shape).bytes(); }
/// "100x28x28x1"
inline std::string text(const Shape& shape) { return fmt::format("{}", fmt::join(shape.extents(), "x")); }

/// Makes the operands of a case on one device in one dtype. Asked in the same order, all make the same
/// numbers.
struct Maker {
  Device device;
  DType dtype;
  uint64_t draws = 0;
  Tensor result = {};

  Tensor operator()(const Operand& operand);
  /// Arguments that are no operands stand for themselves.
  template <class T>
  const T& operator()(const T& value) {
    return value;
  }
};

using Call = std::function<void()>;

struct Case {
  std::string kernel, shape;         ///< the first a name in kernels/list.h
  double bytes;                      ///< of operands, each read once, and results, each written once (f32)
  std::function<Call(Maker&)> make;  ///< the call, ready to be timed
  double flops = 0;                  ///< 0: the memory is what limits it
};

struct Cases {
  std::vector<Case> list;

  Case& add(const std::string& kernel, const std::string& shape, double bytes,
            const std::function<Call(Maker&)>& make) {
    return list.emplace_back(kernel, shape, bytes, make);
  }
  /// The kernel called with `arguments`, operands in place of tensors. They make up its bytes.
  template <class... Parameters, class... Arguments>
  Case& add(const kernels::Kernel<Parameters...>& kernel, const std::string& shape, Arguments... arguments) {
    return add(kernel.name(), shape, (bytes_of(arguments) + ...), [=](Maker& make) {
      return [kernel, made = std::tuple{make(arguments)...}] { std::apply(kernel, made); };
    });
  }

 private:
  static double bytes_of(const Operand& operand) { return operand.bytes(); }
  static double bytes_of(const auto&) { return 0; }
};

void add_elementwise(Cases& cases);
void add_rows(Cases& cases);
void add_products(Cases& cases);
void add_training(Cases& cases);

/// Elements beyond every cache: 64 MiB of f32.
inline constexpr int64_t kLarge = int64_t{1} << 24;

}  // namespace vae::bench
