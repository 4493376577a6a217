#pragma once
// What bench_kernels times: kernels on the shapes of the models, or on a user's own.
#include <fmt/ranges.h>

#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include "kernels/kernels.h"
#include "kernels/precision.h"
#include "tools/bench/peaks.h"

namespace vae::bench {

/// A tensor of a case, uniform in [low, high).
struct Operand {
  Shape shape;
  DType dtype = DType::f32;  ///< f32 and bf16 are f64 where the case is made in that
  double low = 0, high = 0;
  double Work::*use = &Work::read;  ///< what its bytes are counted as; null: too few to count
  bool result = false;              ///< what the kernel writes, to be compared

  double bytes() const { return static_cast<double>(size_of(dtype)) * static_cast<double>(shape.numel()); }
};
inline Operand uniform(Shape shape, double low = -1, double high = 1) {
  return {shape, DType::f32, low, high};
}
/// As the differentiable products make their factors in the precision that is set.
inline Operand factor(Shape shape) {
  return {shape, kernels::precision() == kernels::Precision::bf16 ? DType::bf16 : DType::f32, -1, 1};
}
inline Operand pixels(Shape shape) { return {shape, DType::u8, 0, 256}; }
inline Operand integers(Shape shape, double below) { return {shape, DType::i64, 0, below}; }
/// Written beside the result.
inline Operand zeros(Shape shape, DType dtype = DType::f32) { return {shape, dtype, 0, 0, &Work::written}; }
inline Operand output(Shape shape, DType dtype = DType::f32) {
  return {shape, dtype, 0, 0, &Work::written, true};
}
inline Operand in_place(const Operand& x) { return {x.shape, x.dtype, x.low, x.high, &Work::updated, true}; }
/// One number.
template <class T>
Operand scalar(T value) {
  return {{}, dtype_of<T>(), static_cast<double>(value), static_cast<double>(value), nullptr};
}

/// Bytes of that many f32.
inline double floats(const Shape& shape) { return zeros(shape).bytes(); }
/// "100x28x28x1", after whose sizes they are, if that is said.
inline std::string text(const Shape& shape, const std::string& what = "") {
  return fmt::format("{}{}{}", what, what.empty() ? "" : " ", fmt::join(shape.extents(), "x"));
}

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
  Work work;                         ///< of f32
  std::function<Call(Maker&)> make;  ///< the call, ready to be timed

  std::string name() const { return kernel + " " + shape; }
  Case& moves(double read, double written) { return work.read = read, work.written = written, *this; }
  /// Arithmetic limits it, not memory; `direct`: there are algorithms of fewer operations.
  Case& computes(double flops, bool direct = false) {
    return work.flops = flops, work.direct = direct, *this;
  }
};

struct Cases {
  std::vector<Case> list;

  Case& add(const std::string& kernel, const std::string& shape, const Work& work,
            const std::function<Call(Maker&)>& make) {
    list.push_back({kernel, shape, work, make});
    return list.back();
  }
  /// The kernel called with `arguments`, operands in place of tensors. They make up what it moves.
  template <class... Parameters, class... Arguments>
  Case& add(const kernels::Kernel<Parameters...>& kernel, const std::string& shape, Arguments... arguments) {
    Work work;
    (count(arguments, work), ...);
    return add(kernel.name(), shape, work, [=](Maker& make) {
      return [kernel, made = std::tuple{make(arguments)...}] { std::apply(kernel, made); };
    });
  }

 private:
  static void count(const Operand& operand, Work& work) {
    if (operand.use) work.*operand.use += operand.bytes();
  }
  static void count(const auto&, Work&) {}
};

/// The shapes of the models, and arrays beyond the caches.
void add_elementwise(Cases& cases);
void add_rows(Cases& cases);
void add_products(Cases& cases);
void add_training(Cases& cases);

using Sizes = std::vector<int64_t>;
/// Adds the cases of one kind on given sizes; `what` says whose these are.
using AddSized = void(Cases& cases, const std::string& what, const Sizes& sizes);
AddSized add_maps, add_rowsums, add_sum, add_softmax, add_transpose, add_linear, add_conv, add_batch_norm,
    add_optimizers, add_random;

/// Elements beyond every cache: 64 MiB of f32.
inline constexpr int64_t kLarge = int64_t{1} << 24;

}  // namespace vae::bench
