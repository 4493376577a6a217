#include "nn/class_rows.h"

#include <gtest/gtest.h>

#include <limits>

#include "autograd/reduce.h"
#include "tensor/recorder.h"
#include "tests/numeric.h"

namespace vae::nn {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Tensor weights(const std::vector<double>& q, DType dtype = DType::f64) {
  return test::tensor_of(q, {static_cast<int64_t>(q.size()) / 3, 3}, dtype);
}

std::vector<int64_t> numbers(const Tensor& index) { return index.to_vector<int64_t>(); }

TEST(ClassRows, AreThoseOfTheLargerWeights) {
  using Rows = std::vector<int64_t>;
  for (const DType dtype : {DType::f32, DType::f64}) {
    take_counted_rows();
    const auto rows = rows_that_count(weights({0.98, 0.01, 0.01, 1e-3, 1e-9, 0.999}, dtype), 0.005);
    ASSERT_TRUE(rows);
    EXPECT_DOUBLE_EQ(take_counted_rows().share(), 4.0 / 6);
    EXPECT_DOUBLE_EQ(take_counted_rows().share(), 1);
    EXPECT_EQ(numbers(rows->rows), (Rows{0, 2, 4, 5}));  // class 0 of both images is row 0 and 1
    EXPECT_EQ(numbers(rows->classes_of), (Rows{0, 1, 2, 2}));
    EXPECT_EQ(numbers(rows->images_of), (Rows{0, 0, 0, 1}));
    EXPECT_EQ(numbers(rows->rows_of(2)), (Rows{0, 2, 4, 5, 6, 8, 10, 11}));
    EXPECT_EQ(numbers(rows->images_of_samples(2)), (Rows{0, 0, 0, 1, 2, 2, 2, 3}));
  }
}

TEST(ClassRows, AreAllWhereNoneIsToBeLeftOut) {
  const Tensor q = weights({1, 0, 0, 1, 0, 0});
  EXPECT_FALSE(rows_that_count(q, 0));
  EXPECT_TRUE(rows_that_count(q, 1e-8));
  EXPECT_FALSE(rows_that_count(weights({0.4, 0.3, 0.3, 0.4, 0.3, 0.3}), 1e-8));
  EXPECT_FALSE(rows_that_count(Tensor::empty({0, 3}, DType::f32), 1e-8)->size());
  {
    Recorder recorder;
    EXPECT_FALSE(rows_that_count(q, 1e-8));
  }
  for (const Device device : kernels::devices())
    if (!device.is_cpu()) {
      EXPECT_FALSE(rows_that_count(q.to(device), 1e-8)) << device.str();
    }
}

// So that a training that has gone wrong is found out.
TEST(ClassRows, ThatAreNoNumbersCount) {
  const auto rows = rows_that_count(weights({kNan, kNan, kNan, 1, 0, 0}), 1e-8);
  ASSERT_TRUE(rows);
  EXPECT_EQ(numbers(rows->rows), (std::vector<int64_t>{0, 1, 2, 4}));
}

TEST(ClassRows, StandAmongZeros) {
  const auto rows = rows_that_count(weights({0.98, 0.01, 0.01, 1e-3, 1e-9, 0.999}), 0.005);
  autograd::Tape tape;
  const Var x(test::tensor_of({1, 2, 3, 4}, {4}, DType::f64), true);
  const Var all = rows->among_zeros(x);
  EXPECT_EQ(to_doubles(all.value()), (std::vector<double>{1, 0, 2, 0, 3, 4}));
  const Var slopes(test::tensor_of({5, 6, 7, 8, 9, 10}, {6}, DType::f64));
  tape.backward(autograd::dot(all, slopes));
  EXPECT_EQ(to_doubles(x.grad()), (std::vector<double>{5, 7, 9, 10}));
}

}  // namespace
}  // namespace vae::nn
