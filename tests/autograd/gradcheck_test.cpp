// The net itself must hold: wrong derivatives and functions without a case are caught.
#include "autograd/gradcheck.h"

#include <gtest/gtest.h>

#include "tests/autograd/cases/catalogue.h"
#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::autograd {
namespace {

/// The square of x recorded with derivative `slope` x; the right slope is 2.
Var square_with_slope(const Var& x, double slope) {
  const Tensor y = square(Var(x.value())).value();
  return record("square_with_slope", y, {x}, [xv = x.value(), slope](const Backward& b) {
    b.give(0, (Var(b.dy()) * affine(Var(xv), slope, 0)).value());
  });
}

Var parameter(Shape shape) { return Var(test::sample_tensor(shape, DType::f64), true); }

TEST(Gradcheck, CatchesAWrongDerivative) {
  const Var x = parameter({4, 5});
  const auto check = [&](double slope) {
    return gradcheck([&] { return square_with_slope(x, slope); }, {x});
  };
  EXPECT_TRUE(check(2).ok);
  EXPECT_FALSE(check(2 + 1e-5).ok);
  EXPECT_FALSE(check(-2).ok);
  EXPECT_FALSE(check(std::nan("")).ok);
  EXPECT_NE(check(3).where.find("input 0 element"), std::string::npos);
}

TEST(Gradcheck, CatchesAForgottenInput) {
  const Var x = parameter({3}), y = parameter({3});
  const auto forgets_y = [&] {
    const Tensor product = (Var(x.value()) * Var(y.value())).value();
    return record("forgets_y", product, {x, y},
                  [yv = y.value()](const Backward& b) { b.give(0, (Var(b.dy()) * Var(yv)).value()); });
  };
  EXPECT_TRUE(gradcheck(forgets_y, {x}).ok);
  EXPECT_FALSE(gradcheck(forgets_y, {x, y}).ok);
}

TEST(Gradcheck, CatchesANonFiniteValue) {
  const Var x(test::tensor_of({-1, 1}, {2}, DType::f64), true);
  EXPECT_FALSE(gradcheck([&] { return log(x); }, {x}).ok);
}

TEST(Gradcheck, RestoresTheInputsAndRefusesSinglePrecision) {
  const Var x = parameter({4, 5});
  const Tensor before = x.value().clone();
  gradcheck([&] { return exp(x); }, {x});
  EXPECT_TRUE(test::same_bits(before, x.value()));
  const Var single(test::sample_tensor({3}, DType::f32), true);
  test::expect_error(ErrorKind::internal, "f32", [&] { gradcheck([&] { return exp(single); }, {single}); });
}

TEST(OpObserver, ReportsAFunctionWithoutACase) {
  const OpObserver observer;
  const Tape tape;
  const Var x = parameter({2, 2});
  square_with_slope(exp(x), 2);
  EXPECT_EQ(uncovered_ops(observer.names(), catalogue()), std::vector<std::string>{"square_with_slope"});
}

TEST(OpObserver, SeesOnlyWhatIsRecordedWhileItLives) {
  const Var x = parameter({2, 2});
  {
    const Tape tape;
    exp(x);
  }
  const OpObserver observer;
  tanh(x);  // no tape
  EXPECT_TRUE(observer.names().empty());
  const Tape tape;
  tanh(Var(x.value()));  // no gradient wanted
  EXPECT_TRUE(observer.names().empty());
  sigmoid(x);
  EXPECT_EQ(observer.names(), std::set<std::string>{"sigmoid"});
  test::expect_error(ErrorKind::internal, "one OpObserver", [] { OpObserver second; });
  sigmoid(x);  // the refused one left the first in place
  EXPECT_EQ(observer.names().size(), 1u);
}

}  // namespace
}  // namespace vae::autograd
