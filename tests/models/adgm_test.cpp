// The ADGM family: sizes, equal forms of one bound, training steps, schedules, batches, estimates.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>

#include "models/adgm/m2.h"
#include "nn/train/task.h"
#include "tensor/allocator.h"
#include "tests/autograd/cases/catalogue.h"
#include "tests/expect_error.h"
#include "tests/models/adgm_models.h"

namespace vae::adgm::adgm_test {

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
    const std::vector<double> values = to_doubles(x);
    double squares = 0, largest = 0;
    for (const double v : values) squares += v * v, largest = std::max(largest, std::abs(v));
    return std::pair(std::sqrt(squares / static_cast<double>(values.size())), largest);
  };
  const double in = 784 + kClasses + c.a;  // the inputs of the encoder's first layer, side by side
  const auto uniform = make_model(c, {});
  ASSERT_EQ(uniform->parameters()[0].name, "encoder.hidden.0.weight_x");
  auto [deviation, largest] = moments(uniform->parameters()[0].var.value());
  EXPECT_LE(largest, 1 / std::sqrt(in));
  EXPECT_NEAR(deviation, 1 / std::sqrt(3 * in), 0.01 / std::sqrt(in));  // 200 000 draws: 0.2 %
  c.init = Init::glorot_normal;
  const auto glorot = make_model(c, {});
  std::tie(deviation, largest) = moments(glorot->parameters()[0].var.value());
  EXPECT_NEAR(deviation, std::sqrt(2 / (in + 256)), 0.01 * std::sqrt(2 / (in + 256)));
  EXPECT_EQ(moments(glorot->parameters()[3].var.value()).second, 0) << "biases start at zero";
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
    const int64_t samples = variant.samples.count();
    const auto inside = model->encode(Var(x));
    const Rows all{kUnlabelled, kClasses, samples, {}};
    const auto every = to_doubles(inside->terms(all, fixed_step(DType::f64)).log_px.value());
    for (int64_t k = 0; k < kClasses; ++k) {
      const Step of_class =
          fixed_step(DType::f64).with_noise([&](const std::string& name, Shape shape, train::Draw) {
            const Tensor whole =
                fixed_step(DType::f64).normal(name, samples * kClasses * kUnlabelled, shape[1]).value();
            std::vector<double> rows;
            for (int64_t s = 0; s < samples; ++s) {
              const int64_t begin = (s * kClasses + k) * kUnlabelled;
              for (const double v : to_doubles(whole.slice(begin, begin + kUnlabelled))) rows.push_back(v);
            }
            return test::tensor_of(rows, shape, DType::f64);
          });
      const Tensor labels = train::items_of(std::vector<int64_t>(kUnlabelled, k), kCpu);
      const Rows one = labeled_rows(kUnlabelled, labels, kClasses, DType::f64, samples);
      const auto labelled = to_doubles(inside->terms(one, of_class).log_px.value());
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
    train::Groups groups({{"model", model.get(), nn::Adam::Settings{}, {}}});
    groups.run({{}, {[&] {
                  const Var loss = loss_of(*model, variant, DType::f32);
                  EXPECT_TRUE(std::isfinite(loss.value().item())) << variant.name;
                  return loss;
                }}},
               Tensor::scalar(int64_t{0}));
  }
  EXPECT_GT(observer.names().size(), 15u) << "the observer saw the steps";
  EXPECT_EQ(autograd::uncovered_ops(observer.names(), autograd::catalogue()), std::vector<std::string>{});
}

ImageSet image_set(int64_t n, train::Inputs inputs = train::Inputs::drawn) {
  std::vector<uint8_t> pixels;
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < n; ++i) {
    labels.push_back(i % kClasses);
    for (int64_t j = 0; j < kX; ++j) pixels.push_back(static_cast<uint8_t>(i * 37 + j * 91));
  }
  return {Tensor::from(pixels, {n, 2, 3, 1}), Tensor::from(labels, {n}), inputs};
}

/// A recipe on a few images, and its task.
struct Training {
  Training(const Variant& variant, GraphMode graph, Settings s = {}) {
    s.model = variant.config;
    s.objective.samples = variant.samples;
    s.batch = 8, s.batch_labeled = 4;
    const train::Data data{
        image_set(30),
        image_set(12),
        kClasses,
        "few",
        {train::item_range(0, 6, kCpu), train::item_range(0, 24, kCpu), train::item_range(24, 30, kCpu)}};
    recipe = make_recipe(s, data, {});
    task.emplace(*recipe, train::Task::Options{.graph = graph});
  }
  std::unique_ptr<FamilyRecipe> recipe;
  std::optional<train::Task> task;
};

TEST(Adgm, TasksAllocateNothingOnceWarm) {
  for (const Variant& variant : variants()) {
    Training training(variant, GraphMode::off, {.model = {}, .iters_per_epoch = 50});
    train::Task& task = *training.task;
    const auto steps = [&](int count) {
      for (int i = 0; i < count; ++i) task.step();
      return allocator(kCpu).stats();
    };
    const AllocatorStats warm = steps(3), later = steps(5);
    EXPECT_EQ(later.raw_allocations, warm.raw_allocations) << variant.name;
    EXPECT_EQ(later.live_bytes, warm.live_bytes) << variant.name;
    train::Scalars all = task.drain();
    for (const train::Scalar& metric : task.evaluate()) all.push_back(metric);
    EXPECT_EQ(all.size(), task.metric_names().size()) << variant.name;
    for (const train::Scalar& metric : all) EXPECT_TRUE(std::isfinite(metric.value)) << metric.name;
  }
}

// Replayed from a recording, over the end of an epoch and changing rates, steps leave the same bits.
TEST(Adgm, RecordedStepsAreTheSame) {
  using kernels::Schedule;
  for (const bool redraw : {false, true})
    for (Variant variant : variants()) {
      const auto run = [&](GraphMode graph) {
        variant.config.temperature = Schedule::steps(2, 0.7, 4);
        Training training(variant, graph,
                          {.model = {},
                           .objective = {.alpha = 2,
                                         .beta_labeled = Schedule::rise(1, 20, 2, 1),
                                         .beta = Schedule::rise(1, 20, 2, 2)},
                           .iters_per_epoch = 4,
                           .rate = Schedule::steps(1e-3, 0.5, 4),
                           .redraw_labeled = redraw});
        for (int i = 0; i < 9; ++i) training.task->step();
        std::vector<std::vector<double>> state;
        const nn::StateDict all = training.task->state();
        for (const auto& [name, tensor] : all.entries()) state.push_back(to_doubles(tensor));
        return state;
      };
      EXPECT_EQ(run(GraphMode::on), run(GraphMode::off)) << variant.name;
    }
}

// The unlabelled batch is checked before it is used, and a batch larger than the set is cut to it.
TEST(Adgm, BatchesFitTheirSets) {
  const train::Data data{image_set(30), image_set(12), kClasses, "few", {}};
  UnsupervisedRecipe cut({.model = small(Kind::vae), .batch = 500}, data, {});
  EXPECT_EQ(cut.images_per_step(), 30);
  test::expect_error(ErrorKind::usage, "batches of 0 of",
                     [&] { UnsupervisedRecipe({.model = small(Kind::vae), .batch = 0}, data, {}); });
}

// A warm-up is a function of the iteration: a loaded run is evaluated with the weight of its last step.
TEST(Adgm, ALoadedRunIsEvaluatedAsItWasTrained) {
  Settings s{.model = {}, .iters_per_epoch = 4};
  s.objective.beta = kernels::Schedule::rise(1, 40);
  Training trained({"vae", small(Kind::vae)}, GraphMode::off, s),
      loaded({"vae", small(Kind::vae)}, GraphMode::off, s);
  for (int i = 0; i < 20; ++i) trained.task->step();
  const double loss = trained.task->evaluate()[0].value;
  nn::StateDict from, into;
  trained.recipe->add_state(from), loaded.recipe->add_state(into);
  for (const auto& [name, tensor] : into.entries()) tensor.copy_from(*from.find(name));
  const nn::TestMode test(loaded.recipe->model());
  EXPECT_EQ(loaded.recipe->evaluate(train::last_step(0, 20, kCpu, "evaluate"))[0].value, loss);
  EXPECT_NE(loaded.recipe->evaluate(train::last_step(0, 1, kCpu, "evaluate"))[0].value, loss);
}

// Drawn pixels: the mean of many draws is the grey value.
TEST(Adgm, PixelDraws) {
  const ImageSet set = image_set(30);
  const Tensor items = train::all_items(set), grey = set.gather(items);
  std::vector<double> mean(static_cast<size_t>(grey.numel()), 0);
  constexpr int kDraws = 4000;
  for (int64_t i = 0; i < kDraws; ++i) {
    const auto x = to_doubles(set.draw(items, {3, 4}, Tensor::scalar(i)));
    for (size_t j = 0; j < x.size(); ++j) {
      EXPECT_TRUE(x[j] == 0 || x[j] == 1);
      mean[j] += x[j] / kDraws;
    }
  }
  const auto p = to_doubles(grey);
  for (size_t j = 0; j < p.size(); ++j)
    EXPECT_NEAR(mean[j], p[j], 0.04);  // five standard deviations of 4000 draws
  EXPECT_EQ(to_doubles(image_set(30, train::Inputs::unit).draw(items, {3, 4}, Tensor::scalar(int64_t{0}))),
            p);
}

// The estimate falls towards -log p(x) as importance samples are added, and never lies above the bound by
// more than noise.
TEST(Adgm, ImportanceEstimateTightens) {
  for (const Kind kind : {Kind::vae, Kind::adgm, Kind::m2}) {
    Config c = small(kind);
    c.raw_log_var = true;
    const auto model = make_model(c, {.dtype = DType::f32, .device = kCpu, .seed = 2});
    const nn::TestMode test(*model);
    const ImageSet set = image_set(30);
    const Tensor items = train::all_items(set);
    const double one = importance_nll(*model, set, items, 1, train::last_step(7, 0, kCpu, "")),
                 many = importance_nll(*model, set, items, 200, train::last_step(7, 0, kCpu, ""));
    EXPECT_LT(many, one);
    EXPECT_NEAR(importance_nll(*model, set, items, 400, train::last_step(8, 0, kCpu, "")), many, 0.05);
  }
  test::expect_error(ErrorKind::usage, "importance weights", [] {
    const auto model = make_model(small(Kind::gumbel), {});
    importance_nll(*model, image_set(3), train::item_range(0, 3, kCpu), 1, train::last_step(0, 0, kCpu, ""));
  });
}

TEST(Adgm, FrozenFeaturesAreNotTrained) {
  Training training({"stacked", small(Kind::stacked)}, GraphMode::off);
  nn::StateDict before;
  dynamic_cast<Model&>(training.recipe->model()).frozen()->add_state(before);
  std::vector<std::vector<double>> values;
  for (const auto& [name, tensor] : before.entries()) values.push_back(to_doubles(tensor));
  for (int i = 0; i < 3; ++i) training.task->step();
  size_t at = 0;
  for (const auto& [name, tensor] : before.entries()) EXPECT_EQ(to_doubles(tensor), values[at++]) << name;
}

// Rows that stand for several equal ones leave the running statistics of the repeated batch.
TEST(Adgm, BatchNormOfCopies) {
  nn::Module root({.dtype = DType::f64});
  const nn::BatchNorm once(&root, "once", kX), repeated(&root, "repeated", kX);
  const Var x(images(5, DType::f64, 9));
  once(x, {}, 3);
  repeated(autograd::repeat_rows(x, 3));
  const auto close = [](const Tensor& a, const Tensor& b) {
    for (int64_t i = 0; i < a.numel(); ++i)
      EXPECT_NEAR(to_doubles(a)[static_cast<size_t>(i)], to_doubles(b)[static_cast<size_t>(i)], 1e-14);
  };
  close(once.running_mean, repeated.running_mean);
  close(once.running_var, repeated.running_var);
}

}  // namespace vae::adgm::adgm_test
