// The ADGM family: sizes, equal forms of one bound, training steps, schedules, batches, estimates.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>

#include "autograd/catalogue.h"
#include "autograd/ops_structure.h"
#include "models/adgm/m2.h"
#include "models/adgm/task.h"
#include "models/adgm/vae.h"
#include "models/common/principal_axes.h"
#include "tensor/allocator.h"
#include "tests/expect_error.h"
#include "tests/models/adgm_models.h"

namespace vae::models::adgm {
namespace {

int64_t parameters_of(Kind kind, std::vector<int64_t> z, std::vector<int64_t> hidden, int64_t a = 32,
                      int64_t flows = 0) {
  Config c;
  c.kind = kind, c.z = std::move(z), c.hidden = std::move(hidden), c.a = a, c.flows = flows;
  c.features_z = 32, c.features_hidden = {256, 128};
  return make_model(c, {})->parameter_count();
}

// The published models, counted by hand from their tables.
TEST(Adgm, ParameterCounts) {
  EXPECT_EQ(parameters_of(Kind::adgm, {32}, {256, 128}), 1102042);
  EXPECT_EQ(parameters_of(Kind::adgm, {100}, {500, 500}, 100), 3485894);
  EXPECT_EQ(parameters_of(Kind::m2, {32}, {256, 128}), 688218);
  EXPECT_EQ(parameters_of(Kind::m2, {50}, {600, 600}), 2243094);
  EXPECT_EQ(parameters_of(Kind::stacked, {32}, {256, 128}), 303194);
  EXPECT_EQ(parameters_of(Kind::vae, {32}, {256, 128}), 480848);
  EXPECT_EQ(parameters_of(Kind::vae, {32}, {256, 128}, 32, 16), 481888);
  EXPECT_EQ(parameters_of(Kind::ladder, {32, 16, 8}, {256, 128, 64}), 418880);
  EXPECT_EQ(parameters_of(Kind::ladder_m2, {64, 32, 16}, {256, 128, 64}), 706810);
  EXPECT_EQ(parameters_of(Kind::ladder_m2, {32, 16, 8}, {128, 128, 128}), 423882);
  EXPECT_EQ(parameters_of(Kind::gumbel, {10}, {256, 128}), 482676);
}

TEST(Adgm, InitialWeights) {
  Config c = small(Kind::adgm);
  c.x_size = 784, c.hidden = {256, 128};
  const auto moments = [](const Tensor& x) {
    const std::vector<double> values = test::doubles(x);
    double squares = 0, largest = 0;
    for (const double v : values) squares += v * v, largest = std::max(largest, std::abs(v));
    return std::pair(std::sqrt(squares / static_cast<double>(values.size())), largest);
  };
  const double in = 784 + kClasses + c.a;  // the inputs of the encoder's first layer, side by side
  const auto uniform = make_model(c, {});
  ASSERT_EQ(uniform->parameters()[0].name, "encoder.hidden.0.weight_x");
  auto [deviation, largest] = moments(uniform->parameters()[0].var->value());
  EXPECT_LE(largest, 1 / std::sqrt(in));
  EXPECT_NEAR(deviation, 1 / std::sqrt(3 * in), 0.01 / std::sqrt(in));  // 200 000 draws: 0.2 %
  c.init = Init::glorot_normal;
  const auto glorot = make_model(c, {});
  std::tie(deviation, largest) = moments(glorot->parameters()[0].var->value());
  EXPECT_NEAR(deviation, std::sqrt(2 / (in + 256)), 0.01 * std::sqrt(2 / (in + 256)));
  EXPECT_EQ(moments(glorot->parameters()[3].var->value()).second, 0) << "biases start at zero";
}

TEST(Adgm, RefusesWhatIsNoModel) {
  const auto refused = [](const char* words, const auto& change) {
    Config c = small(Kind::adgm);
    change(c);
    test::expect_error(ErrorKind::usage, words, [&] { make_model(c, {}); });
  };
  refused("no hidden layer", [](Config& c) { c.hidden = {}; });
  refused("0 units", [](Config& c) { c.hidden = {5, 0}; });
  refused("2 latent layers", [](Config& c) { c.z = {3, 2}; });
  refused("auxiliary variable", [](Config& c) { c.a = 0; });
  refused("a ladder of 2 hidden layers and 1", [](Config& c) { c.kind = Kind::ladder; });
  refused("eps -1", [](Config& c) { c.eps = -1; });
  refused("6 pixels", [](Config& c) { c.kind = Kind::m2, c.conv_channels = {2, 2}; });
}

// The bound of an unlabelled image under class k is that of the labelled image (x, k) with the same noise.
TEST(Adgm, EnumerationIsTheLabelledBoundOfEachClass) {
  for (const Variant& variant : variants()) {
    const Config& c = variant.config;
    // Batch statistics and draws shared by the classes belong to a batch as a whole.
    if (!has_labels(c.kind) || c.kind == Kind::ladder_m2 || c.share_a) continue;
    const auto model = make_model(c, {.dtype = DType::f64, .device = kCpu, .seed = 3});
    const Tensor x = images(kUnlabelled, DType::f64, 2);
    const int64_t samples = variant.sampler.samples();
    const auto inside = model->look_at(Var(x));
    const Rows all{kUnlabelled, kClasses, samples, {}};
    const auto every = test::doubles(inside->terms(all, fixed_pass("U", DType::f64)).log_px.value());
    for (int64_t k = 0; k < kClasses; ++k) {
      Pass of_class = fixed_pass("U", DType::f64);
      of_class.noise = [&, noise = of_class.noise](const std::string& name, Shape shape, Draw draw) {
        const Tensor whole = noise(name, {samples * kClasses * kUnlabelled, shape[1]}, draw);
        std::vector<double> rows;
        for (int64_t s = 0; s < samples; ++s) {
          const int64_t begin = (s * kClasses + k) * kUnlabelled;
          for (const double v : test::doubles(whole.slice(begin, begin + kUnlabelled))) rows.push_back(v);
        }
        return test::tensor_of(rows, shape, DType::f64);
      };
      const Rows one{kUnlabelled, 1, samples, Var(one_hot(std::vector<int64_t>(kUnlabelled, k), DType::f64))};
      const auto labelled = test::doubles(inside->terms(one, of_class).log_px.value());
      for (int64_t s = 0; s < samples; ++s)
        for (int64_t b = 0; b < kUnlabelled; ++b)
          EXPECT_NEAR(labelled[static_cast<size_t>(s * kUnlabelled + b)],
                      every[static_cast<size_t>((s * kClasses + k) * kUnlabelled + b)], 1e-12)
              << variant.name;
    }
  }
}

// Without eps the losses are those with a tiny one.
TEST(Adgm, ExactFormsAreTheLimit) {
  for (Variant variant : variants()) {
    if (variant.config.eps == 0) continue;
    const auto value = [&](double eps) {
      variant.config.eps = eps;
      const auto model = make_model(variant.config, {.dtype = DType::f64, .device = kCpu, .seed = 3});
      return loss_of(*model, variant, DType::f64).value().item();
    };
    EXPECT_NEAR(value(0), value(1e-13), 1e-9) << variant.name;
    EXPECT_NE(value(0), value(1e-3)) << variant.name;
  }
}

TEST(Adgm, StepsRecordNothingWithoutACase) {
  const autograd::OpObserver observer;
  for (const Variant& variant : variants()) {
    const auto model = make_model(variant.config, {});
    Trainer trainer(*model, nn::Adam::Settings{});
    const auto passes = [](const char* call) { return fixed_pass(call, DType::f32); };
    if (has_labels(variant.config.kind)) {
      EXPECT_TRUE(std::isfinite(
          trainer.step(semi_batch(DType::f32), 2.5, variant.sampler, passes).total.value().item()))
          << variant.name;
    } else {
      const Tensor x = images(kUnlabelled, DType::f32, 2);
      EXPECT_TRUE(std::isfinite(trainer.step(Var(x), Var(number(1, x)), passes("F")).item())) << variant.name;
    }
  }
  EXPECT_GT(observer.names().size(), 15u) << "the observer saw the steps";
  EXPECT_EQ(autograd::uncovered_ops(observer.names(), autograd::catalogue()), std::vector<std::string>{});
}

ImageSet image_set(int64_t n) {
  std::vector<uint8_t> pixels;
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < n; ++i) {
    labels.push_back(i % kClasses);
    for (int64_t j = 0; j < kX; ++j) pixels.push_back(static_cast<uint8_t>(i * 37 + j * 91));
  }
  return {Tensor::from(pixels, {n, 2, 3, 1}), Tensor::from(labels, {n}), kernels::Pixels::unit};
}

std::unique_ptr<Task> make_task(Model& model, TaskOptions options) {
  const PixelSet images{image_set(30)}, test{image_set(12)};
  if (!has_labels(model.config().kind))
    return std::make_unique<UnsupervisedTask>(model, images, test, options);
  const SplitItems split{item_range(0, 6, kCpu), item_range(0, 24, kCpu), item_range(24, 30, kCpu)};
  return std::make_unique<SemiTask>(model, images, split, test, options);
}

TEST(Adgm, TasksAllocateNothingOnceWarm) {
  for (const Variant& variant : variants()) {
    const auto model = make_model(variant.config, {});
    TaskOptions options;
    options.batch = 8, options.batch_labeled = 4, options.iters_per_epoch = 50;
    const auto task = make_task(*model, options);
    const auto steps = [&](int count) {
      for (int i = 0; i < count; ++i) task->step();
      return allocator(kCpu).stats();
    };
    const AllocatorStats warm = steps(3), later = steps(5);
    EXPECT_EQ(later.raw_allocations, warm.raw_allocations) << variant.name;
    EXPECT_EQ(later.live_bytes, warm.live_bytes) << variant.name;
    for (const train::Scalar& metric : task->drain()) EXPECT_TRUE(std::isfinite(metric.value)) << metric.name;
    for (const train::Scalar& metric : task->evaluate())
      EXPECT_TRUE(std::isfinite(metric.value)) << metric.name;
  }
}

// Replayed from a recording, over the end of an epoch and changing rates, steps leave the same bits.
TEST(Adgm, RecordedStepsAreTheSame) {
  for (const Variant& variant : variants()) {
    const auto run = [&](GraphMode graph) {
      const auto model = make_model(variant.config, {});
      TaskOptions options;
      options.batch = 8, options.batch_labeled = 4, options.iters_per_epoch = 4, options.graph = graph;
      options.warm_up = {20, 1};
      options.learning_rate = {1e-3, 0.5, 0, 1}, options.temperature = {2, 0.7, 0, 1};
      const auto task = make_task(*model, options);
      for (int i = 0; i < 9; ++i) task->step();
      std::vector<std::vector<double>> state;
      const train::StateDict all = task->state();
      for (const auto& [name, tensor] : all.entries()) state.push_back(test::doubles(tensor));
      return state;
    };
    EXPECT_EQ(run(GraphMode::on), run(GraphMode::off)) << variant.name;
  }
}

TEST(Adgm, EpochItemsPassOverThePool) {
  EpochItems items(item_range(10, 20, kCpu), 4, {1, 2});
  const auto epoch = [&](int64_t number) {
    std::vector<int64_t> seen;
    for (int64_t step = 0; step < 5; ++step) {  // 20 of 10 items: twice
      items.move_to(number, step);
      for (const int64_t item : items.items().to_vector<int64_t>()) seen.push_back(item);
    }
    return seen;
  };
  const std::vector<int64_t> first = epoch(0), second = epoch(1);
  std::multiset<int64_t> all(first.begin(), first.end());
  for (int64_t item = 10; item < 20; ++item) EXPECT_EQ(all.count(item), 2u);
  EXPECT_TRUE(std::equal(first.begin(), first.begin() + 10, first.begin() + 10)) << "the same order again";
  EXPECT_NE(first, second);
  EXPECT_EQ(first, epoch(0)) << "a function of epoch and step";
}

TEST(Adgm, Schedules) {
  const WarmUp warm_up{4, 2};
  EXPECT_EQ(warm_up.beta(1), 0.25);
  EXPECT_EQ(warm_up.beta(8), 2);
  EXPECT_EQ(warm_up.beta(9), 2);
  EXPECT_EQ((WarmUp{0, 3}.beta(1)), 3);
  const Stairs stairs{3e-4, 0.75, 3e-5, 200};
  EXPECT_EQ(stairs.at(199), 3e-4);
  EXPECT_DOUBLE_EQ(stairs.at(200), 2.25e-4);
  EXPECT_EQ(stairs.at(100000), 3e-5);
  EXPECT_EQ((Stairs{0.5}.at(7)), 0.5);
}

// Labelled pixels: drawn once an epoch, or at every step; the mean of many draws is the grey value.
TEST(Adgm, PixelDraws) {
  const PixelSet set{image_set(30)};
  const Tensor items = item_range(0, 30, kCpu), grey = set.images.gather(items);
  std::vector<double> mean(static_cast<size_t>(grey.numel()), 0);
  constexpr int kDraws = 4000;
  for (int64_t i = 0; i < kDraws; ++i) {
    const auto x = test::doubles(set.gather(items, {3, 4}, Tensor::scalar(i)));
    for (size_t j = 0; j < x.size(); ++j) {
      EXPECT_TRUE(x[j] == 0 || x[j] == 1);
      mean[j] += x[j] / kDraws;
    }
  }
  const auto p = test::doubles(grey);
  for (size_t j = 0; j < p.size(); ++j)
    EXPECT_NEAR(mean[j], p[j], 0.04);  // five standard deviations of 4000 draws
  EXPECT_EQ(test::doubles((PixelSet{set.images, false}.gather(items, {3, 4}, Tensor::scalar(int64_t{0})))),
            p);
}

// The estimate falls towards -log p(x) as importance samples are added, and never lies above the bound by
// more than noise.
TEST(Adgm, ImportanceEstimateTightens) {
  for (const Kind kind : {Kind::vae, Kind::adgm, Kind::m2}) {
    Config c = small(kind);
    c.raw_log_var = true;
    const auto model = make_model(c, {.dtype = DType::f32, .device = kCpu, .seed = 2});
    const PixelSet set{image_set(30)};
    const Tensor items = item_range(0, 30, kCpu);
    const double one = importance_nll(*model, set, items, 1, 7),
                 many = importance_nll(*model, set, items, 200, 7);
    EXPECT_LT(many, one);
    EXPECT_NEAR(importance_nll(*model, set, items, 400, 8), many, 0.05);
  }
  test::expect_error(ErrorKind::usage, "importance weights", [] {
    const auto model = make_model(small(Kind::gumbel), {});
    importance_nll(*model, {image_set(3)}, item_range(0, 3, kCpu), 1, 0);
  });
}

TEST(Adgm, FrozenFeaturesAreNotTrained) {
  const auto model = make_model(small(Kind::stacked), {});
  train::StateDict before;
  dynamic_cast<M2&>(*model).features()->add_state(before);
  std::vector<std::vector<double>> values;
  for (const auto& [name, tensor] : before.entries()) values.push_back(test::doubles(tensor));
  Trainer trainer(*model, nn::Adam::Settings{});
  for (int i = 0; i < 3; ++i)
    trainer.step(semi_batch(DType::f32), 1, {},
                 [](const char* call) { return fixed_pass(call, DType::f32); });
  size_t at = 0;
  for (const auto& [name, tensor] : before.entries()) EXPECT_EQ(test::doubles(tensor), values[at++]) << name;
}

// Rows that stand for several equal ones leave the running statistics of the repeated batch.
TEST(Adgm, BatchNormOfCopies) {
  const nn::Options options{.dtype = DType::f64};
  const nn::BatchNorm1d once(kX, {}, options), repeated(kX, {}, options);
  const Var x(images(5, DType::f64, 9));
  once(x, {}, 3);
  repeated(autograd::repeat_rows(x, 3));
  const auto close = [](const Tensor& a, const Tensor& b) {
    for (int64_t i = 0; i < a.numel(); ++i)
      EXPECT_NEAR(test::doubles(a)[static_cast<size_t>(i)], test::doubles(b)[static_cast<size_t>(i)], 1e-14);
  };
  close(once.running_mean, repeated.running_mean);
  close(once.running_var, repeated.running_var);
}

TEST(Adgm, PrincipalAxes) {
  std::vector<double> cloud;
  for (int i = 0; i < 100; ++i) {
    const double t = i / 50.0 - 1, s = std::sin(i * 1.7);
    cloud.insert(cloud.end(),
                 {5 + 3 * t + 0.4 * s, -1 + 4 * t - 0.3 * s, 7});  // along (3, 4, 0), then (4, -3, 0)
  }
  const auto points = on_principal_axes(test::tensor_of(cloud, {100, 3}, DType::f64));
  const auto plain = on_principal_axes(test::tensor_of(std::vector<double>(8, 2.0), {4, 2}, DType::f64));
  for (int i = 0; i < 100; ++i) {
    const double t = i / 50.0 - 1;
    EXPECT_NEAR(points[static_cast<size_t>(i)][0], 5 * (t + 0.01), 0.1);
    EXPECT_LT(std::abs(points[static_cast<size_t>(i)][1]), 0.6);
  }
  EXPECT_EQ(plain[0][0], 0);
}

}  // namespace
}  // namespace vae::models::adgm
