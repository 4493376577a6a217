// What surrounds the products of a step: what becomes a batch, batch norm and the optimisers.
#include <set>

#include "kernels/strong_augment.h"
#include "tools/bench/case.h"
#include "tools/bench/work.h"

namespace vae::bench {
namespace {

using namespace kernels;

/// Items drawn by number.
void add_draws(Cases& cases) {
  for (const int64_t n : {int64_t{200}, int64_t{1} << 22})  // corners of a batch; beyond the caches
    cases.add(random_integers, fmt::format("{} below 9", n), output({n}, DType::i64), RandomKey{1, 2},
              scalar(int64_t{1}), 9, Rows{});
  for (const auto& [pool, batch] : {std::pair<int64_t, int64_t>{50000, 100}, {60000, 60000}})
    for (const int64_t period : std::set<int64_t>{1, pool / batch}) {
      const std::string shape = fmt::format("{} of {}, {} a pass", batch, pool, period);
      const Operand items = integers({pool}, pool), y = output({batch}, DType::i64),
                    step = scalar(int64_t{3});
      cases.add(batch_items, shape, items, y, RandomKey{1, 2}, step, Order{.period = period})
          .moves(y.bytes(), y.bytes());
    }
}

/// Pictures cropped, half of them flipped, as in SHOT-VAE; and scaled.
void add_images(Cases& cases, int64_t n) {
  const Shape images{n, 32, 32, 3};
  const Operand x = pixels(images), y = output(images), cropped = output(images, DType::u8);
  cases.add(crop_images, text(images) + " u8", x, integers({n, 2}, 9), integers({n}, 2), cropped, 4);
  cases.add(strong_augment, text(images) + ", 2 operations", x, integers({n, 2}, kDistortions),
            integers({n, 2}, kLevels), integers({n, 2}, kLevels), output(images, DType::u8));
  cases.add(normalize_pixels, text(images), x, uniform({3}, 0.4, 0.5), uniform({3}, 0.2, 0.3), y);
}

/// Pictures as the Inception net takes them.
void add_resize(Cases& cases) {
  const Shape from{50, 28, 28, 3}, to{50, 299, 299, 3};
  cases.add(resize_images, "50x28x28x3 to 299x299 u8", pixels(from), output(to, DType::u8));
  cases.add(resize_images, "50x28x28x3 to 299x299 f32", uniform(from, 0, 1), output(to));
}

}  // namespace

void add_batch_norm(Cases& cases, const std::string& what, const Sizes& sizes) {
  const int64_t m = sizes[0], n = sizes[1];
  const std::string shape = text({m, n}, what);
  const Operand x = uniform({m, n}), gamma = uniform({n}), y = output({m, n}), zero = zeros({n});
  cases.add("batch_norm_fwd", shape, batch_norm_work(x.bytes()), [=](Maker& make) {
    BatchNormForward f;
    f.x = make(x), f.gamma = make(gamma), f.beta = make(uniform({n}));
    f.y = make(y), f.mean = make(zero), f.rstd = make(zero);
    return [=] { batch_norm_fwd(f); };
  });
  cases.add("batch_norm_bwd", shape, batch_norm_bwd_work(x.bytes()), [=](Maker& make) {
    BatchNormBackward b;
    b.dy = make(uniform({m, n})), b.x = make(x), b.gamma = make(gamma);
    b.mean = make(uniform({n}, -0.1, 0.1)), b.rstd = make(uniform({n}, 1.6, 1.8));
    b.dx = make(y), b.dgamma = make(zero), b.dbeta = make(zero);
    return [=] { batch_norm_bwd(b); };
  });
}

void add_optimizers(Cases& cases, const std::string& what, const Sizes& sizes) {
  const Shape shape(sizes);
  const std::string name = text(shape, what);
  const Operand parameter = in_place(uniform(shape)), gradient = uniform(shape), state = zeros(shape);
  const double size = floats(shape);
  cases.add("adam", name, optimizer_work(size, 2), [=](Maker& make) {
    AdamStep s;
    s.parameter = make(parameter), s.gradient = make(gradient);
    s.m = make(state), s.v = make(state);
    s.t = make(scalar(int64_t{1})), s.learning_rate = make(scalar(1e-3));
    return [=] { kernels::adam(alone(s)); };
  });
  cases.add("start_steps", name, {.read = size}, [=](Maker& make) {
    StepStart s;
    s.learning_rate = make(scalar(1e-3)), s.gradient = make(gradient);
    s.norm_squared = make(output({}, DType::f64));
    return [=] { start_steps(alone(s)); };
  });
  cases.add("sgd", name, optimizer_work(size, 1), [=](Maker& make) {
    SgdStep s;
    s.parameter = make(parameter), s.gradient = make(gradient), s.velocity = make(state);
    s.learning_rate = make(scalar(1e-3)), s.rule.momentum = 0.9;
    return [=] { kernels::sgd(alone(s)); };
  });
  cases.add("adagrad", name, optimizer_work(size, 1), [=](Maker& make) {
    AdagradStep s;
    s.parameter = make(parameter), s.gradient = make(gradient), s.sum = make(state);
    s.learning_rate = make(scalar(1e-2));
    return [=] { kernels::adagrad(alone(s)); };
  });
  cases.add(moving_average, name, uniform(shape), in_place(uniform(shape)), 0.999);
}

void add_training(Cases& cases) {
  add_draws(cases);
  for (const int64_t n : {200, 5000}) add_images(cases, n);
  add_resize(cases);
  add_batch_norm(cases, "m2", {1000, 500});
  add_batch_norm(cases, "wrn", {200 * 32 * 32, 32});
  add_batch_norm(cases, "wrn", {200 * 8 * 8, 128});
  add_optimizers(cases, "", {int64_t{1} << 20});
  add_optimizers(cases, "", {kLarge});
  // What a step keeps on the device: no more than the time of a launch.
  cases.add("tally", "4", {.read = 32, .updated = 40}, [](Maker& make) {
    std::vector<Tensor> numbers;
    for (int i = 0; i < 4; ++i) numbers.push_back(make(uniform({})));
    const Tensor sums = make({.shape = {4}, .dtype = DType::f64, .result = true}),
                 count = make(scalar(int64_t{41}));
    return [=] { tally(numbers, sums, alone(count)); };
  });
  cases.add(increment, "1", in_place(scalar(int64_t{41})));
  const Schedule schedule = Schedule::decay(0.1, Decay::cosine, 1000, 100);
  cases.add("scheduled", "1", {.read = 8, .written = 8}, [=](Maker& make) {
    const Tensor iteration = make(scalar(int64_t{300})), y = make(output({}, DType::f64));
    return [=] { kernels::scheduled(iteration, y, alone(schedule)); };
  });
}

}  // namespace vae::bench
