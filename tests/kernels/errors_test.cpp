// Wrong dtypes, shapes and devices: an error that names the kernel, never a read or write out of bounds.
#include <gtest/gtest.h>

#include <functional>

#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::kernels {
namespace {

Tensor f32(Shape shape) { return Tensor::zeros(shape); }
Tensor f64(Shape shape) { return Tensor::zeros(shape, DType::f64); }
Tensor i64(Shape shape) { return Tensor::zeros(shape, DType::i64); }
Tensor bf(Shape shape) { return Tensor::zeros(shape, DType::bf16); }
Tensor u8(Shape shape) { return Tensor::zeros(shape, DType::u8); }

void refused(const std::string& words, const std::function<void()>& call) {
  test::expect_error(ErrorKind::internal, words, call);
}

TEST(KernelErrors, Elementwise) {
  const auto fwd = [](Map op, std::vector<Tensor> x, Tensor y) { map_fwd(op, {}, x, y); };
  refused("exp", [&] { fwd(Map::exp, {i64({3})}, i64({3})); });
  refused("exp", [&] { fwd(Map::exp, {f64({3})}, f32({3})); });
  refused("add: operand", [&] { fwd(Map::add, {f32({4, 3}), f32({2})}, f32({4, 3})); });
  refused("add: operand", [&] { fwd(Map::add, {f32({4, 3}), f32({3, 3})}, f32({4, 3})); });
  refused("add: operand", [&] { fwd(Map::add, {f32({4, 3}), {}}, f32({4, 3})); });
  refused("add: operand", [&] { fwd(Map::add, {f32({4, 3}), f32({0, 3})}, f32({4, 3})); });
  refused("map_fwd add: 1 operands", [&] { fwd(Map::add, {f32({3})}, f32({3})); });
  refused("map_fwd exp: 2 operands", [&] { fwd(Map::exp, {f32({3}), f32({3})}, f32({3})); });
  const std::vector<Tensor> x{f32({4, 3}), f32({3})};
  const auto bwd = [&](int wrt, Tensor dy, Tensor y, Tensor dx) {
    map_bwd(Map::mul, {}, wrt, dy, x, y, dx, Write::set);
  };
  refused("map_bwd mul: no operand 2", [&] { bwd(2, f32({4, 3}), {}, f32({4, 3})); });
  refused("map_bwd mul: no operand -1", [&] { bwd(-1, f32({4, 3}), {}, f32({4, 3})); });
  refused("mul: operand", [&] { bwd(0, f32({5, 3}), {}, f32({4, 3})); });
  refused("mul: operand", [&] { bwd(0, {}, {}, f32({4, 3})); });
  refused("map_bwd mul: y is", [&] { bwd(0, f32({4, 3}), f32({4, 2}), f32({4, 3})); });
  const MapGradient gradients[] = {{0, f32({4, 3})}, {1, f32({12})}, {2, f32({4, 3})}};
  const auto several = [&](std::span<const MapGradient> g) {
    map_gradients(Map::mul, {}, f32({4, 3}), x, {}, g);
  };
  refused("map_gradients mul: of no operand", [&] { several({}); });
  refused("map_gradients mul", [&] { several({gradients, 2}); });
  refused("map_bwd mul: no operand 2", [&] { several({gradients + 2, 1}); });
  refused("rowsum_fwd mul", [&] { rowsum_fwd(Map::mul, {}, x, f32({3})); });
  refused("rowsum_fwd mul: no operands", [&] { rowsum_fwd(Map::mul, {}, {}, f32({3})); });
}

TEST(KernelErrors, GatherAndCopy) {
  refused("cast", [] { cast(f32({3}), f64({4})); });
  refused("cast", [] { cast(f32({3}), bf({4})); });
  refused("cast", [] { cast(f64({3}), bf({3})); });
  refused("cast", [] { cast(bf({3}), u8({3})); });
  refused("cast", [] { cast(bf({3}), bf({3})); });
  refused("increment", [] { increment(f32({})); });
  refused("increment", [] { increment(i64({0})); });
  const Tensor numbers[] = {f32({}), {}};
  const Tensor count = i64({}), no_count = f64({});
  const std::vector<Tensor> five(5, count);
  refused("tally", [&] { tally(numbers, f64({3}), {&count, 1}); });
  refused("tally", [&] { tally(numbers, f32({2}), {&count, 1}); });
  refused("increment", [&] { tally(numbers, f64({2}), {&no_count, 1}); });
  const Tensor mixed[] = {f32({}), f64({})}, two[] = {f32({2})}, whole[] = {i64({})};
  refused("tally: 5 counters", [&] { tally(numbers, f64({2}), five); });
  refused("tally", [&] { tally(mixed, f64({2}), {&count, 1}); });
  refused("tally", [&] { tally(two, f64({1}), {&count, 1}); });
  refused("tally", [&] { tally(whole, f64({1}), {&count, 1}); });
  refused("gather_rows", [] { gather_rows(f32({4, 3}), f32({2}), f32({2, 3})); });
  refused("gather_rows", [] { gather_rows(f32({4, 3}), i64({2}), f32({2, 4})); });
  refused("gather_rows", [] { gather_rows(f32({4, 3}), i64({2}), f64({2, 3})); });
  refused("gather_rows", [] { gather_rows(f32({}), i64({0}), f32({0})); });
  refused("gather_rows: index 0 outside [0, 0)", [] { gather_rows(f32({0, 3}), i64({2}), f32({2, 0})); });
  refused("gather_pixels", [] { gather_pixels(f32({4, 3}), i64({2}), f32({2, 3}), Pixels::unit); });
  refused("gather_pixels", [] { gather_pixels(u8({4, 3}), i64({2}), u8({2, 3}), Pixels::unit); });
  refused("one_hot", [] { one_hot(f32({2}), f32({2, 3})); });
  refused("one_hot", [] { one_hot(i64({2}), i64({2, 3})); });
  refused("one_hot", [] { one_hot(i64({2}), f32({3, 3})); });
  refused("pick", [] { pick(f32({2, 3}), i64({3}), f32({3})); });
  refused("pick", [] { pick(f32({2, 3}), i64({2}), f64({2})); });
  refused("pick_bwd", [] { pick_bwd(f32({2}), f32({2}), f32({2, 3}), Write::set); });
  refused("outer_add", [] { outer_add(f32({2, 3}), f32({4, 2}), f32({8, 3})); });
  refused("outer_add", [] { outer_add(f32({2, 3}), f32({4, 3}), f32({9, 3})); });
  refused("outer_add", [] { outer_add(f32({9, 3}), f32({4, 3}), f32({9, 3})); });
  refused("transpose", [] { transpose(f32({2, 3}), f32({2, 3})); });
  refused("transpose", [] { transpose(f32({2, 3}), f64({3, 2})); });
  const auto copy = [](Tensor x, int64_t from, Tensor y, int64_t to, int64_t n) {
    refused("copy_columns", [&] { copy_columns(alone(ColumnCopy{x, from, y, to, n})); });
  };
  copy(f32({2, 3}), 0, f64({2, 3}), 0, 3);
  copy(i64({2, 3}), 0, i64({2, 3}), 0, 3);
  copy(f32({2, 3}), 0, f32({3, 3}), 0, 3);
  copy(f32({2, 3}), 1, f32({2, 3}), 0, 3);
  copy(f32({2, 3}), 0, f32({2, 3}), 1, 3);
  copy(f32({2, 3}), -1, f32({2, 3}), 0, 3);
  copy(f32({2, 3}), 0, f32({2, 3}), 0, -1);
  copy(f32({2, 3}), INT64_MAX, f32({2, 3}), 0, INT64_MAX);
  const auto group = [](Tensor x, Tensor ids, Tensor y) {
    refused("segment_sum", [&] { segment_sum(x, ids, y, Write::set); });
  };
  group(f32({4, 3}), f32({4}), f32({2, 3}));
  group(f32({4, 3}), i64({3}), f32({2, 3}));
  group(f32({4, 3}), i64({4}), f32({2, 4}));
  group(f32({4, 3}), i64({4}), f64({2, 3}));
  group(i64({4, 3}), i64({4}), i64({2, 3}));
  group(f32({}), i64({1}), f32({1}));
  group(f32({4, 3}), i64({4}), f32({0, 3}));
}

TEST(KernelErrors, Reductions) {
  refused("sum", [] { sum(i64({3}), f64({}), Axis::all(3), 1, Write::set); });
  refused("sum", [] { sum(f64({3}), f32({}), Axis::all(3), 1, Write::set); });
  refused("sum", [] { sum(f32({3}), f32({}), Axis::all(4), 1, Write::set); });
  refused("sum", [] { sum(f32({6}), f32({2}), Axis::rows(2, 3), 1, Write::set); });
  const ColumnSum columns[] = {
      {f32({4, 3}), f32({3})}, {f64({4, 3}), f64({3})}, {f32({4, 3}), f32({5})}, {f32({4, 3}), f64({3})}};
  refused("column_sums", [&] { column_sums({columns, 2}); });
  refused("sum", [&] { column_sums({columns + 2, 1}); });
  refused("column_sums", [&] { column_sums({columns + 3, 1}); });
  refused("sum_squares", [] { sum_squares(i64({3}), f64({})); });
  refused("sum_squares", [] { sum_squares(f32({3}), f32({})); });
  refused("sum_squares", [] { sum_squares(f32({3}), f64({2})); });
  refused("argmax", [] { argmax(i64({2, 3}), i64({2})); });
  refused("argmax", [] { argmax(f32({2, 3}), i64({3})); });
  refused("argmax", [] { argmax(f32({2, 0}), i64({2})); });
  refused("sum_bwd", [] { sum_bwd(f32({2}), f64({2, 3}), Axis::columns(2, 3), 1, Write::set); });
  refused("sum_bwd", [] { sum_bwd(f32({3}), f32({2, 3}), Axis::columns(2, 3), 1, Write::set); });
  refused("top_k", [] { top_k(f32({2, 3}), f32({2, 4}), i64({2, 4})); });
  refused("top_k", [] { top_k(f32({2, 3}), f32({2, 0}), i64({2, 0})); });
  refused("top_k", [] { top_k(f32({2, 3}), f32({2, 2}), i64({2, 1})); });
  refused("top_k", [] { top_k(f32({2, 3}), f64({2, 2}), i64({2, 2})); });
  refused("top_k", [] { top_k(f32({2, 3}), f32({2, 2}), f32({2, 2})); });
  refused("log_sum_exp", [] { log_sum_exp_fwd(f32({2, 3}), f32({3}), Axis::columns(2, 3), 0); });
  refused("log_sum_exp", [] { log_sum_exp_fwd(f32({2, 0}), f32({2}), Axis::columns(2, 0), 0); });
  refused("log_sum_exp", [] { log_sum_exp_fwd(f32({2, 3}), f32({2}), Axis::columns(2, 3), -1); });
  refused("log_sum_exp", [] { log_sum_exp_fwd(f32({2, 3}), f32({2}), Axis::columns(2, 3), std::nan("")); });
  refused("softmax", [] { softmax_fwd(f32({2, 3}), f32({3, 2})); });
  refused("softmax", [] { softmax_fwd(i64({2, 3}), i64({2, 3})); });
  refused("log_softmax", [] { log_softmax_fwd(f32({2, 3}), f64({2, 3})); });
  refused("softmax_bwd", [] { softmax_bwd(f32({2, 3}), f32({2, 3}), f32({2, 4}), Write::set); });
  refused("log_softmax_bwd", [] { log_softmax_bwd(f32({2, 3}), f32({2, 4}), f32({2, 3}), Write::set); });
}

TEST(KernelErrors, GemmAndBatchNorm) {
  const auto no = Transpose::no, yes = Transpose::yes;
  refused("gemm", [&] { gemm(f32({2, 3}), no, f32({4, 5}), no, f32({2, 5}), 1, 0); });
  refused("gemm", [&] { gemm(f32({2, 3}), no, f32({3, 5}), no, f32({2, 4}), 1, 0); });
  refused("gemm", [&] { gemm(f32({2, 3}), yes, f32({3, 5}), no, f32({2, 5}), 1, 0); });
  refused("gemm", [&] { gemm(f32({2, 3}), no, f64({3, 5}), no, f32({2, 5}), 1, 0); });
  refused("gemm", [&] { gemm(i64({2, 3}), no, i64({3, 5}), no, i64({2, 5}), 1, 0); });
  refused("gemm", [&] { gemm(bf({2, 3}), no, bf({3, 5}), no, bf({2, 5}), 1, 0); });
  refused("gemm", [&] { gemm(bf({2, 3}), no, f32({3, 5}), no, f32({2, 5}), 1, 0); });
  refused("gemm", [&] { gemm(bf({2, 3}), no, bf({3, 5}), no, f64({2, 5}), 1, 0); });
  refused("gemm", [] { linear_fwd(f32({2, 3}), f32({3, 5}), {}, f32({2, 5})); });
  refused("linear_fwd", [] { linear_fwd(f32({2, 3}), f32({5, 3}), f32({3}), f32({2, 5})); });
  refused("linear_fwd", [] { linear_fwd(f32({2, 3}), f32({5, 3}), f64({5}), f32({2, 5})); });
  BatchNormForward f{f32({4, 3}), f32({3}), f32({3}), f32({4, 3}), f32({3}), f32({3}), {}, {}, {}};
  const auto forward = [&](Tensor BatchNormForward::*field, Tensor value) {
    refused("batch_norm", [&] {
      BatchNormForward bad = f;
      bad.*field = value;
      batch_norm_fwd(bad);
    });
  };
  forward(&BatchNormForward::x, i64({4, 3}));
  forward(&BatchNormForward::gamma, f32({2}));
  forward(&BatchNormForward::beta, f64({3}));
  forward(&BatchNormForward::y, f32({4, 4}));
  forward(&BatchNormForward::rstd, {});
  forward(&BatchNormForward::running_mean, f32({3}));  // and no variance
  BatchNormBackward b{f32({4, 3}), f32({4, 3}), f32({3}),   f32({3}),   f32({3}),  f32({4, 3}),
                      f32({3}),    f32({3}),    Write::set, Write::set, Write::set};
  const auto backward = [&](Tensor BatchNormBackward::*field, Tensor value) {
    refused("batch_norm_bwd", [&] {
      BatchNormBackward bad = b;
      bad.*field = value;
      batch_norm_bwd(bad);
    });
  };
  backward(&BatchNormBackward::dy, f32({3, 3}));
  backward(&BatchNormBackward::dx, f32({3, 3}));
  backward(&BatchNormBackward::dgamma, {});
  backward(&BatchNormBackward::mean, f32({4}));
}

TEST(KernelErrors, StrongAugment) {
  const Tensor x = u8({2, 8, 6, 3}), two = i64({2, 2});
  refused("strong_augment", [&] { strong_augment(f32({2, 8, 6, 3}), two, two, two, f32({2, 8, 6, 3})); });
  refused("strong_augment", [&] { strong_augment(x, two, two, two, u8({2, 6, 8, 3})); });
  refused("strong_augment", [&] { strong_augment(u8({2, 4, 4, 5}), two, two, two, u8({2, 4, 4, 5})); });
  refused("strong_augment: operations", [&] { strong_augment(x, two, i64({2, 3}), two, x.clone()); });
  refused("strong_augment: operations", [&] { strong_augment(x, i64({3, 2}), i64({3, 2}), two, x.clone()); });
  refused("strong_augment: operations", [&] { strong_augment(x, i64({2, 0}), i64({2, 0}), two, x.clone()); });
  refused("strong_augment: centres", [&] { strong_augment(x, two, two, i64({2, 3}), x.clone()); });
  const Tensor bad = Tensor::from(std::vector<int64_t>{0, 0, 0, 14}, {2, 2}),
               far = Tensor::from(std::vector<int64_t>{0, 0, -1, 0}, {2, 2});
  refused("operation 14 at level 0 of image 1", [&] { strong_augment(x, bad, two, {}, x.clone()); });
  refused("operation 0 at level -1 of image 1", [&] { strong_augment(x, two, far, {}, x.clone()); });
  refused("centre -1 of image 1", [&] { strong_augment(x, two, two, far, x.clone()); });
}

TEST(KernelErrors, Images) {
  const Tensor x = u8({2, 8, 6, 3}), corner = i64({2, 2}), flip = i64({2});
  refused("crop_images", [&] { crop_images(u8({2, 8, 6}), corner, flip, u8({2, 8, 6}), 0); });
  refused("crop_images", [&] { crop_images(x, corner, flip, u8({2, 8, 6, 4}), 0); });
  refused("crop_images", [&] { crop_images(x, corner, flip, f32({2, 8, 6, 3}), 0); });
  refused("crop_images: corners", [&] { crop_images(x, i64({2}), flip, x.clone(), 0); });
  refused("crop_images: flips", [&] { crop_images(x, corner, i64({3}), x.clone(), 0); });
  refused("crop_images: flips", [&] { crop_images(x, corner, u8({2}), x.clone(), 0); });
  refused("padded by 6", [&] { crop_images(x, corner, flip, x.clone(), 6); });
  refused("padded by -1", [&] { crop_images(x, corner, flip, x.clone(), -1); });
  for (const auto& bad : {std::vector<int64_t>{0, 0, -1, 0}, {0, 0, 0, 5}, {0, 0, 5, 0}})
    refused("of image 1", [&] { crop_images(x, Tensor::from(bad, {2, 2}), {}, x.clone(), 2); });
  refused("resize_images", [&] { resize_images(i64({1, 2, 2, 1}), i64({1, 2, 2, 1})); });
  refused("resize_images", [&] { resize_images(f32({1, 0, 2, 1}), f32({1, 2, 2, 1})); });
  refused("resize_images", [&] { resize_images(f32({1, 2, 2, 1}), f32({2, 2, 2, 1})); });
  refused("normalize_pixels", [&] { normalize_pixels(f32({2, 3}), {}, {}, f32({2, 3})); });
  refused("normalize_pixels", [&] { normalize_pixels(u8({2, 3}), f32({2}), {}, f32({2, 3})); });
  refused("normalize_pixels", [&] { normalize_pixels(u8({2, 3}), {}, f64({3}), f32({2, 3})); });
  refused("random_integers", [&] { random_integers(f32({2}), {}, i64({}), 3, {}); });
  refused("random_integers", [&] { random_integers(i64({2}), {}, i64({}), 0, {}); });
  refused("adagrad", [&] {
    adagrad(alone(AdagradStep{f32({3}), f32({3}), f32({2}), f64({}), {}, 0, 0, {}}));
  });
  refused("moving_average", [&] { moving_average(f32({3}), f64({3}), 0.5); });
  refused("moving_average", [&] { moving_average(f32({3}), f32({3}), 1.5); });
}

TEST(KernelErrors, RandomAndOptimizers) {
  refused("random_normal", [] { random_normal(i64({3}), {}, i64({}), {}); });
  refused("random_uniform", [] { random_uniform(f32({3}), {}, f32({}), {}); });
  refused("random_uniform", [] { random_uniform(f32({3}), {}, i64({0}), {}); });
  for (const Rows& bad : {Rows{3, 9, 0}, {2, 1, 0}, {2, 4, 3}, {2, 4, -1}, {-2, 4, 0}})
    refused("random_normal", [&] { random_normal(f32({4, 3}), {}, i64({}), bad); });
  refused("random_integers", [] { random_integers(i64({4, 3}), {}, i64({}), 3, {3, 9, 0}); });
  refused("batch_items", [] { batch_items(i64({3}), i64({4}), {}, i64({}), {}); });
  refused("batch_items", [] { batch_items(f32({3}), i64({2}), {}, i64({}), {}); });
  refused("batch_items", [] { batch_items(i64({3}), i64({2}), {}, i64({0}), {}); });
  for (const Order& bad :
       {Order{.batch = 1}, {.batch = 4}, {.batch = 3, .first = 2}, {.first = -1}, {.period = 0}})
    refused("batch_items", [&] { batch_items(i64({3}), i64({2}), {}, i64({}), bad); });
  const Schedule schedule;
  refused("scheduled", [&] { scheduled(i64({}), i64({}), alone(schedule)); });
  refused("scheduled", [&] { scheduled(f32({}), f32({}), alone(schedule)); });
  refused("scheduled", [&] { scheduled(i64({}), f32({2}), alone(schedule)); });
  StepStart start;
  start.learning_rate = f64({});
  const auto starting = [&](const auto& spoil) {
    refused("start_steps", [&] {
      StepStart bad = start;
      spoil(bad);
      start_steps(alone(bad));
    });
  };
  starting([](StepStart& s) { s.learning_rate = f32({}); });
  starting([](StepStart& s) { s.t = f64({}); });
  starting([](StepStart& s) { s.rate = f32({}); });
  starting([](StepStart& s) { s.schedule.emplace(); });
  starting([](StepStart& s) { s.gradient = f32({3}); });
  starting([](StepStart& s) { s.norm_squared = f64({}); });
  starting([](StepStart& s) { s.gradient = i64({3}), s.norm_squared = f64({}); });
  AdamStep a{f32({3}), f32({3}), f32({3}), f32({3}), i64({}), f64({}), {}, 0, 0, {}};
  const auto step = [&](Tensor AdamStep::*field, Tensor value) {
    refused("adam", [&] {
      AdamStep bad = a;
      bad.*field = value;
      adam(alone(bad));
    });
  };
  step(&AdamStep::gradient, f32({2}));
  step(&AdamStep::m, f64({3}));
  step(&AdamStep::v, {});
  step(&AdamStep::t, f32({}));
  step(&AdamStep::learning_rate, f32({}));
  step(&AdamStep::grad_norm_squared, f32({}));
  refused("sgd", [] { sgd(alone(SgdStep{f32({3}), f32({3}), f32({2}), f64({}), {}, 0, 0, {}})); });
  refused("sgd", [] { sgd(alone(SgdStep{f32({3}), f32({3}), f32({3}), f64({2}), {}, 0, 0, {}})); });
}

TEST(KernelErrors, NoTensorAndMissingBackend) {
  refused("fill: no defined tensor", [] { fill({}, 1); });
  constexpr Kernel<Out> nowhere("nowhere", nullptr, nullptr, nullptr);
  test::expect_error(ErrorKind::device, "kernel nowhere has no cpu implementation in this build",
                     [&] { nowhere(f32({1})); });
}

}  // namespace
}  // namespace vae::kernels
