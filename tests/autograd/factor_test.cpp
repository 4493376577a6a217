// The factors of differentiable products under bf16.
#include "autograd/factor.h"

#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "kernels/precision.h"
#include "tensor/recorder.h"
#include "tests/numeric.h"

namespace vae::autograd {
namespace {

using kernels::Precision, kernels::PrecisionScope, kernels::Transpose;

/// Numbers that bf16 holds.
Tensor held(Shape shape, uint64_t stream) {
  const Tensor x = test::sample_tensor(shape, DType::f32, kCpu, -1, 1, stream),
               rounded = Tensor::empty(shape, DType::bf16);
  kernels::cast(x, rounded), kernels::cast(rounded, x);
  return x;
}

/// y and the gradients of sum(y g) by the operands, in a dtype and in bf16 where that is f32.
std::vector<std::vector<double>> values_of(const std::function<Var(const std::vector<Var>&)>& function,
                                           const std::vector<Tensor>& operands, DType dtype) {
  const PrecisionScope precision(Precision::bf16);
  std::vector<Var> v;
  for (const Tensor& x : operands) v.emplace_back(test::tensor_of(to_doubles(x), x.shape(), dtype), true);
  Tape tape;
  const Var y = function(v);
  const Tensor g = held(y.shape(), 9);
  tape.backward(sum(y * Var(test::tensor_of(to_doubles(g), g.shape(), dtype))));
  std::vector<std::vector<double>> all{to_doubles(y.value())};
  for (const Var& x : v) all.push_back(to_doubles(x.grad()));
  return all;
}

/// Of numbers that bf16 holds products are those of f64, forward and backward.
void expect_exact(const std::function<Var(const std::vector<Var>&)>& function,
                  const std::vector<Tensor>& operands) {
  const auto narrow = values_of(function, operands, DType::f32),
             exact = values_of(function, operands, DType::f64);
  for (size_t i = 0; i < exact.size(); ++i) EXPECT_LE(distance(narrow[i], exact[i]), 1e-6) << i;
}

TEST(Factor, ProductsOfNumbersThatBf16Holds) {
  using Vars = std::vector<Var>;
  expect_exact([](const Vars& v) { return linear(v[0], v[1], v[2]); },
               {held({5, 7}, 1), held({3, 7}, 2), held({3}, 3)});
  for (const Transpose ta : {Transpose::no, Transpose::yes})
    for (const Transpose tb : {Transpose::no, Transpose::yes})
      expect_exact([=](const Vars& v) { return matmul(v[0], ta, v[1], tb); },
                   {held(ta == Transpose::yes ? Shape{7, 5} : Shape{5, 7}, 1),
                    held(tb == Transpose::yes ? Shape{3, 7} : Shape{7, 3}, 2)});
  const Window window(3, 2, 1);
  expect_exact([=](const Vars& v) { return conv2d(v[0], v[1], v[2], window); },
               {held({2, 7, 7, 4}, 1), held({5, 3, 3, 4}, 2), held({5}, 3)});
  expect_exact([=](const Vars& v) { return conv_transpose2d(v[0], v[1], v[2], window); },
               {held({2, 4, 4, 5}, 1), held({5, 3, 3, 4}, 2), held({4}, 3)});
}

TEST(Factor, IsRoundedUnderBf16Alone) {
  const Var x(Tensor::from(std::vector<float>{1 + 0x1p-10f}, {1, 1})),
      one(Tensor::from(std::vector<float>{1}, {1, 1}));
  const auto product = [&] { return linear(x, one, {}).value().item(); };
  EXPECT_EQ(product(), 1 + 0x1p-10);
  {
    const PrecisionScope precision(Precision::tf32);
    EXPECT_EQ(product(), 1 + 0x1p-10);
  }
  const PrecisionScope precision(Precision::bf16);
  EXPECT_EQ(product(), 1);
}

/// The casts of two layers with the same weight, a parameter or not.
int64_t casts(bool parameter) {
  const PrecisionScope precision(Precision::bf16);
  const Tensor x = held({5, 7}, 1), value = held({3, 7}, 2);
  Var weight(value, true);
  if (parameter) weight.rebind(value.clone(), value.clone());
  Recorder recorder;
  const FactorScope factors;
  {
    Tape tape;
    tape.backward(sum(linear(Var(x), weight, {}) + linear(Var(x), weight, {})));
  }
  int64_t count = 0;
  for (const Recorder::Call& call : recorder.take()) count += std::string_view(call.name) == "cast";
  return count;
}

TEST(Factor, OfAParameterIsMadeOnceInAScope) {
  EXPECT_EQ(casts(false), 6);  // x, weight and the gradient of y, twice
  EXPECT_EQ(casts(true), 5);
}

TEST(Factor, OfAParameterIsMadeAnewInTheNextScope) {
  const PrecisionScope precision(Precision::bf16);
  const Tensor value = Tensor::from(std::vector<float>{2}, {1, 1});
  Var weight(value, true);
  weight.rebind(value, value.clone());
  const Var one(Tensor::from(std::vector<float>{1}, {1, 1}));
  for (const float number : {3.f, 5.f}) {
    kernels::fill(value, number);
    const FactorScope factors;
    EXPECT_EQ(linear(one, weight, {}).value().item(), number);
  }
}

}  // namespace
}  // namespace vae::autograd
