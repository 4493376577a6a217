// What the functions refuse, with the messages in full: they name the function that was called and its
// operand, and tell what was expected.
#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::autograd::misuse_test {

using kernels::Axis, kernels::Transpose;
using test::expect_misuse;

Var f32(Shape shape) { return Var(Tensor::zeros(shape)); }
Var f64(Shape shape) { return Var(Tensor::zeros(shape, DType::f64)); }
Var parameter(Shape shape) { return Var(test::sample_tensor(shape, DType::f64), true); }
Tensor ids(const std::vector<int64_t>& values) {
  return Tensor::from(values, {static_cast<int64_t>(values.size())});
}

// ---- the tape

TEST(Misuse, ASecondBackwardOnATape) {
  const Var x = parameter({2});
  Tape tape;
  const Var first = sum(x), second = sum(square(x));
  tape.backward(first);
  expect_misuse(
      "Tape::backward: this tape was walked back before: make a Tape for each loss, or add the losses up "
      "first",
      [&] { tape.backward(second); });
  EXPECT_EQ(to_doubles(x.grad()), (std::vector<double>{1, 1})) << "nothing was added";
}

TEST(Misuse, ALossThatIsNotOnTheTape) {
  const Var x = parameter({2});
  const Var before = sum(x);
  Var of_another;
  {
    const Tape other;
    of_another = sum(x);
  }
  Tape tape;
  const std::string needs_none =
      "Tape::backward: the loss needs no gradient: it was computed before the Tape was made, or depends on "
      "no parameter";
  expect_misuse(needs_none, [&] { tape.backward(before); });
  expect_misuse(needs_none, [&] { tape.backward(sum(Var(x.value()))); });
  expect_misuse("Tape::backward: the loss was recorded by another Tape", [&] { tape.backward(of_another); });
  expect_misuse("Tape::backward: the loss is f64 [2] on cpu, not one number: take its sum() or mean()",
                [&] { tape.backward(square(x)); });
  expect_misuse("Tape::backward: the loss is undefined", [&] { tape.backward({}); });
  tape.backward(sum(x));
  EXPECT_EQ(to_doubles(x.grad()), (std::vector<double>{1, 1})) << "the tape is as good as before";
}

TEST(Misuse, WhatATapeRecordedAfterTheTapeIsGone) {
  const Var x = parameter({2});
  Var h;
  {
    const Tape gone;
    h = square(x);
  }
  const Tape tape;
  expect_misuse(
      "exp: an operand was recorded by a Tape that is gone, where its gradient would be lost: record it on "
      "this one, or cut it off as Var(x.value())",
      [&] { exp(h); });
  EXPECT_FALSE(exp(Var(h.value())).needs_grad());
}

TEST(Misuse, AfterTheWalkNothingIsRecorded) {
  const Var x = parameter({2});
  Tape tape;
  const Var h = square(x);
  tape.backward(sum(h));
  EXPECT_FALSE((exp(x) + h).needs_grad()) << "values for an evaluation, say";
  EXPECT_EQ(tape.size(), 0u);
}

TEST(Misuse, GradientsThatAreNotThere) {
  expect_misuse("Var::grad: no backward walk has written the gradient of f64 [2] on cpu since it was cleared",
                [] { parameter({2}).grad(); });
  expect_misuse("Var: i64 [2] on cpu cannot have a gradient: only f32 and f64 can",
                [] { Var(Tensor::zeros({2}, DType::i64), true); });
  expect_misuse("Var: the tensor is undefined: a Var needs a value", [] { Var(Tensor{}); });
}

// ---- operands

TEST(Misuse, AnUndefinedVar) {
  const Var none, x = f32({2, 3}), w = f32({4, 3}), images = f32({1, 4, 4, 2}), filters = f32({3, 3, 3, 2});
  expect_misuse("Var: an undefined Var is used: nothing was assigned to it", [&] { none.value(); });
  expect_misuse("linear: weight is undefined", [&] { linear(x, none, {}); });
  expect_misuse("conv2d: x is undefined", [&] { conv2d(none, filters, {}, Window(3)); });
  conv2d(images, filters, none, Window(3)), linear(x, w, none);  // a bias may be
  expect_misuse("a + b: b is undefined", [&] { x + none; });
  expect_misuse("x * number: x is undefined", [&] { 2.0 * none; });
  expect_misuse("-x: x is undefined", [&] { -none; });
  expect_misuse("tanh: x is undefined", [&] { tanh(none); });
  expect_misuse("bernoulli_nll: target is undefined", [&] { bernoulli_nll(x, none); });
  expect_misuse("reparameterize: log_var is undefined", [&] { reparameterize(x, none, x); });
  expect_misuse("sum: x is undefined", [&] { sum(none); });
  expect_misuse("mean: x is undefined", [&] { mean(none); });
  expect_misuse("softmax: x is undefined", [&] { softmax(none); });
  expect_misuse("reshape: x is undefined", [&] { reshape(none, {3, -1}); });
  expect_misuse("flatten: x is undefined", [&] { flatten(none); });
  expect_misuse("concat: part is undefined", [&] { concat({x, none}); });
  expect_misuse("max_pool2d: x is undefined", [&] { max_pool2d(none, Window(2)); });
  expect_misuse("pick: labels is undefined", [&] { pick(x, {}); });
  expect_misuse("map exp: operand 0 is undefined", [&] { map(kernels::Map::exp, {none}); });
}

TEST(Misuse, OperandsOfDifferentTypes) {
  expect_misuse(
      "a + b: b is f32 [2, 3] on cpu, but a is f64 [2, 3] on cpu: operands have one dtype and lie on one "
      "device",
      [] {
        f64({2, 3}) + f32({2, 3});
      });
  expect_misuse(
      "linear: weight is f64 [4, 3] on cpu, but x is f32 [2, 3] on cpu: operands have one dtype and lie on "
      "one device",
      [] {
        linear(f32({2, 3}), f64({4, 3}), {});
      });
}

TEST(Misuse, RowsThatRepeatUnasked) {
  const Var four = f32({4, 2}), two = f32({2, 2});
  expect_misuse("a + b: b is f32 [2, 2], a is f32 [4, 2]: rows repeat only where asked for, by repeating(b)",
                [&] { four + two; });
  expect_misuse("a / b: a is f32 [2, 2], b is f32 [4, 2]: rows repeat only where asked for, by repeating(a)",
                [&] { two / four; });
  expect_misuse(
      "bernoulli_nll: target is f32 [2, 2], logits is f32 [4, 2]: rows repeat only where asked for, by "
      "repeating(target)",
      [&] { bernoulli_nll(four, two); });
  expect_misuse(
      "gaussian_kl: mu_p is f32 [2, 2], mu_q is f32 [4, 2]: rows repeat only where asked for, by "
      "repeating(mu_p)",
      [&] { gaussian_kl(four, four, two, four); });
  expect_misuse("linear: bias is f32 [2, 2] for 4 rows: rows repeat only where asked for, by repeating(bias)",
                [&] {
                  linear(four, f32({2, 2}), two);
                });
  expect_misuse(
      "a + b: b is f32 [3, 2], a is f32 [4, 2]: expected the same shape, its last extents [2], a column [4, "
      "1] or "
      "one number",
      [&] {
        four + f32({3, 2});
      });
  expect_misuse(
      "squared_error: b is f32 [4], a is f32 [4, 2]: expected the same shape, its last extents [2], a column "
      "[4, 1] or one number",
      [&] { squared_error(four, f32({4})); });
}

TEST(Misuse, RowsThatRepeatAsAsked) {
  const Var four(test::tensor_of({1, 2, 3, 4, 5, 6, 7, 8}, {4, 2}, DType::f64)),
      two(test::tensor_of({10, 20, 30, 40}, {2, 2}, DType::f64));
  const std::vector<double> sums{11, 22, 33, 44, 15, 26, 37, 48};
  EXPECT_EQ(to_doubles((four + repeating(two)).value()), sums);
  EXPECT_EQ(to_doubles((four + repeat_rows(two, 2)).value()), sums);
  EXPECT_EQ(to_doubles(map(kernels::Map::add, {four, two}).value()), sums) << "the list itself needs no word";
  // What needs no word: a row, a column, one number, and the last extents of images.
  for (const Shape& shape : {Shape{2}, {1, 2}, {4, 1}, {1}, {}})
    EXPECT_EQ((four + f64(shape)).shape(), four.shape());
  EXPECT_EQ((f64({3, 4, 5, 2}) + f64({4, 5, 2})).shape(), (Shape{3, 4, 5, 2}));
}

TEST(Misuse, RowLossesOfImages) {
  const Var images = f32({2, 28, 28, 1});
  expect_misuse(
      "bernoulli_nll: logits is f32 [2, 28, 28, 1]: the result would have a number for each of its 1568 rows "
      "of 1, not one for each image; flatten(logits) first",
      [&] { bernoulli_nll(images, images); });
  expect_misuse(
      "kl_standard_normal: mu is f32 [2, 3, 5]: the result would have a number for each of its 6 rows of 5, "
      "not one "
      "for each image; flatten(mu) first",
      [&] {
        kl_standard_normal(f32({2, 3, 5}), f32({2, 3, 5}));
      });
  EXPECT_EQ(bernoulli_nll(flatten(images), flatten(images)).shape(), Shape{2});
}

/// Whether sum(x, argument) is a call.
template <class Argument>
concept Summable = requires(const Var& x, Argument argument) {
  sum(x, argument);
};

TEST(Misuse, TheScaleOfASumHasAName) {
  static_assert(!Summable<int> && !Summable<double>, "sum(x, 1) would look like the sum over axis 1");
  static_assert(Summable<Axis>);
  EXPECT_EQ(scaled_sum(Var(test::tensor_of({1, 2}, {2}, DType::f64)), 3).value().item(), 9);
}

// ---- shapes

TEST(Misuse, Linear) {
  expect_misuse("linear: x is f32 [2, 5], expected [n, 3]", [] { linear(f32({2, 5}), f32({4, 3}), {}); });
  expect_misuse("linear: x is f32 [2, 7, 7, 64], expected [n, 3136]: flatten(x)", [] {
    linear(f32({2, 7, 7, 64}), f32({4, 3136}), {});
  });
  expect_misuse("linear: weight is f32 [3], expected [out, in]", [] { linear(f32({2, 3}), f32({3}), {}); });
  expect_misuse("linear: bias is f32 [3], expected [4]", [] { linear(f32({2, 3}), f32({4, 3}), f32({3})); });
  expect_misuse("matmul: a is f32 [2, 3], b is f32 [4, 3]: the inner extents differ", [] {
    matmul(f32({2, 3}), Transpose::no, f32({4, 3}), Transpose::no);
  });
  expect_misuse("batch_norm: x is f32 [2, 5], expected [n, 3] or images [N, H, W, 3]", [] {
    batch_norm(f32({2, 5}), f32({3}), f32({3}), {}, {}, {});
  });
  expect_misuse(
      "batch_norm: x is f32 [1, 1, 1, 3], one value per channel: its deviation from its own mean is zero",
      [] {
        batch_norm(f32({1, 1, 1, 3}), f32({3}), f32({3}), {}, {}, {});
      });
}

TEST(Misuse, FirstColumns) {
  expect_misuse("batch_norm: x is f32 [2, 2], expected [n, 3] or images [N, H, W, 3]", [] {
    batch_norm_of_first(f32({2, 2}), f32({3}), f32({3}), {}, {}, {});
  });
  for (const auto& [begin, part] : {std::pair{3, Shape{2, 3}}, {-1, {2, 3}}, {0, {3, 2}}})
    expect_misuse(
        fmt::format("overwrite_columns: x is f32 [2, 5]: f32 {} does not fit into it from column {} on",
                    part.str(), begin),
        [&] {
          overwrite_columns(f32({2, 5}), begin, f32(part));
        });
}

TEST(Misuse, Images) {
  const Var filters = f32({8, 3, 3, 1}), images = f32({2, 28, 28, 1});
  const Window window = Window(3);
  expect_misuse("conv2d: x is f32 [2, 1, 28, 28], expected [N, H, W, 1]: images are NHWC", [&] {
    conv2d(f32({2, 1, 28, 28}), filters, {}, window);
  });
  expect_misuse("conv2d: x is f32 [2, 784], expected [N, H, W, 1]: images are NHWC", [&] {
    conv2d(f32({2, 784}), filters, {}, window);
  });
  expect_misuse("conv2d: weight is f32 [8, 3, 3, 1], expected [out, 5, 5, in]",
                [&] { conv2d(images, filters, {}, Window(5)); });
  expect_misuse("conv2d: bias is f32 [1], expected [8]", [&] { conv2d(images, filters, f32({1}), window); });
  expect_misuse("conv2d: the window 3x3 stride 1x1 padding 0x0 exceeds the padded images x, f32 [1, 2, 2, 1]",
                [&] {
                  conv2d(f32({1, 2, 2, 1}), filters, {}, window);
                });
  expect_misuse("conv_transpose2d: x is f32 [2, 28, 28, 1], expected [N, H, W, 8]: images are NHWC",
                [&] { conv_transpose2d(images, filters, {}, window); });
  expect_misuse("max_pool2d: x is f32 [2, 784], expected [N, H, W, channels]: images are NHWC", [] {
    max_pool2d(f32({2, 784}), Window(2));
  });
  expect_misuse("avg_pool2d: the window is 2x2 stride 0x0 padding 0x0",
                [&] { avg_pool2d(images, Window(2, 0)); });
  expect_misuse("global_avg_pool: x is f32 [2, 784], expected [N, H, W, channels]: images are NHWC", [] {
    global_avg_pool(f32({2, 784}));
  });
}

TEST(Misuse, RowsAndColumns) {
  const Var x = f32({2, 3});
  expect_misuse("reshape: x is f32 [2, 3], whose 6 elements are not those of [4, 2]", [&] {
    reshape(x, Shape{4, 2});
  });
  expect_misuse("reshape: x is f32 [2, 3], whose 6 elements do not divide into [4, -1]", [&] {
    reshape(x, {4, -1});
  });
  expect_misuse("reshape: [-1, -1] has more than one -1", [&] { reshape(x, {-1, -1}); });
  expect_misuse("flatten: x is f32 [3], expected [n, ...]", [] { flatten(f32({3})); });
  expect_misuse("concat: there are no parts", [] { concat({}); });
  expect_misuse("concat: f32 [3, 2] beside f32 [2, 3]: the parts differ in more than their last axis", [&] {
    concat({x, f32({3, 2})});
  });
  expect_misuse("slice_columns: x is f32 [2, 3]: it has no columns [1, 4)", [&] { slice_columns(x, 1, 4); });
  expect_misuse("slice_rows: x is f32 [2, 3]: it has no rows [2, 1)", [&] { slice_rows(x, 2, 1); });
  expect_misuse("pick: labels is i64 [3], expected i64 [2]", [&] { pick(x, ids({0, 1, 2})); });
  expect_misuse("cross_entropy: labels is f32 [2], expected i64 [2]",
                [&] { cross_entropy(x, Tensor::zeros({2})); });
  expect_misuse("cross_entropy: target is f32 [1, 3], logits is f32 [2, 3]: expected the same shape", [&] {
    cross_entropy(x, f32({1, 3}));
  });
  expect_misuse("gather_rows: index is f32 [2], expected i64 [2]",
                [&] { gather_rows(x, Tensor::zeros({2})); });
  expect_misuse("segment_sum: group is i64 [1], expected i64 [2]", [&] { segment_sum(x, ids({0}), 3); });
  expect_misuse("mix_rows: index is i64 [1], expected i64 [2]", [&] { mix_rows(x, ids({0}), f32({})); });
  expect_misuse("mix_rows: t is f32 [3], expected one number or [2]", [&] {
    mix_rows(x, ids({0, 1}), f32({3}));
  });
  expect_misuse("outer_add: v is f32 [3, 2], a is f32 [2, 3]: expected rows of one length", [&] {
    outer_add(x, f32({3, 2}));
  });
  expect_misuse("add_blocks: a is f32 [2, 3], whose rows are not 4 blocks, a block for each row of v", [&] {
    add_blocks(x, f32({4, 3}));
  });
  expect_misuse("repeat_rows: -1 copies", [&] { repeat_rows(x, -1); });
  expect_misuse("repeat_rows: x is f32 [2, 3], whose rows are not 3 groups", [&] { repeat_rows(x, 2, 3); });
}

TEST(Misuse, Reductions) {
  const Var x = f32({2, 3}), empty = f32({0, 3});
  expect_misuse("sum: x is f32 [2, 3], which has not 1 x 3 x 3 elements, as the axis says",
                [&] { sum(x, Axis::rows(3, 3)); });
  expect_misuse("mean: x is f32 [0, 3]: no elements", [&] { mean(empty); });
  expect_misuse("mean: the axis of x, f32 [0, 3], is empty", [&] { mean(empty, Axis::rows(0, 3)); });
  expect_misuse("log_sum_exp: the axis of x, f32 [0, 3], is empty",
                [&] { log_sum_exp(empty, Axis::rows(0, 3)); });
  expect_misuse("log_sum_exp: eps -1 is negative", [&] { log_sum_exp(x, Axis::rows(2, 3), -1); });
  expect_misuse("rowsum: of add there is none: sum the operands apart", [&] {
    rowsum(kernels::Map::add, {x, x});
  });
  expect_misuse("gaussian_kl_matrix: mu_p is f32 [0, 3]: no rows",
                [&] { gaussian_kl_matrix(x, x, empty, empty); });
  expect_misuse("bernoulli_nll_floored: eps 0.6 is outside [0, 1/2]",
                [&] { bernoulli_nll_floored(x, x, 0.6); });
  expect_misuse(
      "planar_flow: z is f32 [2, 3], u f32 [2], w f32 [2], b f32 []: expected [B, d], [d], [d] and one "
      "number",
      [&] { planar_flow(x, f32({2}), f32({2}), f32({}), 1e-8); });
}

// Numbers outside of their range are found where they are used, without a look at the source's place of
// build.
TEST(Misuse, IndicesOutOfRange) {
  const Var x = f32({2, 3});
  test::expect_error(ErrorKind::internal, "pick: index 3 outside [0, 3) (kernels/", [&] {
    pick(x, ids({0, 3}));
  });
  test::expect_error(ErrorKind::internal, "segment_sum: group 3 outside [0, 3) (kernels/", [&] {
    segment_sum(x, ids({0, 3}), 3);
  });
}

}  // namespace vae::autograd::misuse_test
