// Smooth-ELBO learning: the loss by its formula, targets that rise, batches, the rate on a plateau.
#include "models/shot_vae/smooth.h"

#include <gtest/gtest.h>

#include "models/shot_vae/smooth_recipe.h"
#include "nn/train/task.h"
#include "tests/expect_error.h"
#include "tests/models/shot_vae_models.h"

namespace vae::shot_vae::smooth_test {

constexpr int64_t kRows = 4, kSide = 8, kClasses = 3;

SmoothConfig config() {
  return {.side = kSide,
          .channels = 3,
          .conv = {2, 3},
          .deconv = {2},
          .hidden = 4,
          .z_size = 2,
          .classes = kClasses};
}

Var images() { return Var(test::sample_tensor({kRows, kSide, kSide, 3}, DType::f64, kCpu, -1, 1)); }

/// The terms of the loss of a batch in an iteration, by the names of their notes, against the formulas; the
/// targets are given.
void expect_loss(const SmoothObjective& objective, int64_t iteration, bool labeled, double target_z,
                 double target_y) {
  Smooth model(config(), {.dtype = DType::f64});
  test::scatter(model);
  const std::vector<int64_t> labels{2, 0, 2, 1};
  const std::string set = labeled ? "l" : "u";
  const Var y = labeled ? Var(train::one_hot(train::items_of(labels, kCpu), kClasses, DType::f64)) : Var();
  train::Notes notes;
  const train::Step step = step_of(iteration);
  const double loss = model.loss(images(), y, objective, kRows, set, step.with_notes(notes)).value().item();
  const auto said = [&](const std::string& name) { return to_doubles(notes.at(name + "_" + set).value()); };
  const std::vector<double> mean = said("mean"), log_var = said("log_var"), alpha = said("alpha"),
                            recon = said("recon"), latent = said("latent"), x = to_doubles(images().value()),
                            eps = to_doubles(step.normal("eps_" + set, kRows, 2).value()),
                            u = to_doubles(step.uniform("unif_" + set, kRows, kClasses).value());
  double squares = 0, kl_z = 0, kl_y = std::log(3.0), bits = 0;
  for (size_t i = 0; i < x.size(); ++i) squares += std::pow(recon[i] - x[i], 2) / kRows;
  for (size_t i = 0; i < mean.size(); ++i) {
    kl_z -= 0.5 * (1 + log_var[i] - mean[i] * mean[i] - std::exp(log_var[i])) / kRows;
    EXPECT_NEAR(latent[i / 2 * 5 + i % 2], mean[i] + std::exp(0.5 * log_var[i]) * eps[i], 1e-14);
  }
  for (size_t r = 0; r < kRows; ++r) {
    double sum = 0, drawn[kClasses];
    for (size_t k = 0; k < kClasses; ++k) {
      const double a = alpha[r * kClasses + k], t = labels[r] == static_cast<int64_t>(k);
      kl_y += a * std::log(a + 1e-12) / kRows;
      bits -= (t * std::log(a) + (1 - t) * std::log(1 - a)) / (kRows * kClasses);
      const double gumbel = -std::log(-std::log(u[r * kClasses + k] + 1e-12) + 1e-12);
      sum += drawn[k] = std::exp((std::log(a + 1e-12) + gumbel) / 0.67);
    }
    for (size_t k = 0; k < kClasses; ++k)
      EXPECT_NEAR(latent[r * 5 + 2 + k],
                  labeled ? static_cast<double>(labels[r] == static_cast<int64_t>(k)) : drawn[k] / sum,
                  1e-12);
  }
  const double of_z = objective.z.gamma * std::abs(target_z - kl_z),
               of_y = objective.y.gamma * std::abs(target_y - kl_y),
               of_class = labeled ? objective.alpha * bits : 0;
  EXPECT_NEAR(said("recon_loss")[0], squares, 1e-11 * squares);
  EXPECT_NEAR(said("cont_capacity_loss")[0], of_z, 1e-11 * (1 + of_z));
  EXPECT_NEAR(said("disc_capacity_loss")[0], of_y, 1e-11 * (1 + of_y));
  if (labeled) {
    EXPECT_NEAR(said("cls_loss")[0], of_class, 1e-11 * of_class);
  }
  EXPECT_NEAR(loss, squares + of_z + of_y + of_class, 1e-11 * loss);
}

TEST(SmoothLoss, IsItsFormula) {
  for (const bool labeled : {false, true})
    expect_loss({{0, 17.5, 100, 30}, {0, 17, 100, 20}, 50}, 3, labeled, 17.5 * 4 / 100, 17 * 4.0 / 100);
}

// The update that is counted is the next one. The target of y ends at log K, however large the maximum is.
TEST(SmoothLoss, TargetsRiseToTheirLimits) {
  const auto at = [](int64_t iteration, const Capacity& z, const Capacity& y, double target_z,
                     double target_y) {
    SCOPED_TRACE(fmt::format("iteration {}", iteration));
    expect_loss({z, y, 1}, iteration, false, target_z, target_y);
  };
  const Capacity z{0, 5, 10, 30}, y{0, 2, 10, 30};
  const double most = std::log(3.0);
  at(0, z, y, 0.5, 0.2), at(4, z, y, 2.5, 1), at(5, z, y, 3, most), at(8, z, y, 4.5, most);
  at(9, z, y, 5, most), at(10, z, y, 5, most), at(100'000, z, y, 5, most);
  const Capacity from{1, 5, 8, 30}, below{0.4, 0.8, 8, 30};
  at(0, from, below, 1.5, 0.45), at(3, from, below, 3, 0.6), at(7, from, below, 5, 0.8);
  at(90, from, below, 5, 0.8);
  const Capacity still{3, 3, 8, 30}, above{7, 9, 8, 30}, falls{4, 2, 8, 30};
  for (const int64_t iteration : {0, 7, 20}) {
    at(iteration, still, still, 3, most);
    at(iteration, falls, above, 2, most);
  }
}

TEST(Smooth, RefusesMapsThatMakeNoImage) {
  const auto refused = [](const std::string& words, const std::function<void(SmoothConfig&)>& change) {
    SmoothConfig c = config();
    change(c);
    test::expect_error(ErrorKind::usage, words, [&] { Smooth(c, {}); });
  };
  refused("of side 10", [](SmoothConfig& c) { c.side = 10; });
  refused("of side 2", [](SmoothConfig& c) { c.side = 2; });
  refused("2 convolutions and 3 transposed", [](SmoothConfig& c) { c.deconv = {2, 2}; });
  refused("0 convolutions", [](SmoothConfig& c) { c.conv = {}, c.deconv = {}; });
}

TEST(Smooth, HasAsManyParametersAsThePublishedNets) {
  EXPECT_EQ(Smooth({}, {}).parameter_count(), 687'359);
  const SmoothConfig svhn{
      .channels = 3, .conv = {32, 64, 128}, .deconv = {64, 32}, .hidden = 512, .z_size = 32};
  EXPECT_EQ(Smooth(svhn, {}).parameter_count(), 2'490'765);
}

// ---- training

SmoothRecipe::Settings settings() {
  return {.model = config(),
          .objective = {{0, 3, 20, 2}, {0, 1, 20, 2}, 5},
          .batch_labeled = 6,
          .batch = 8,
          .adam = {.learning_rate = 0.01, .rule = {}}};
}

train::Data data() { return few_data(kSide); }

TEST(SmoothRecipe, LearnsFromBothBatches) {
  SmoothRecipe recipe(settings(), data(), {});
  EXPECT_EQ(recipe.images_per_step(), 14);
  EXPECT_EQ(recipe.steps_per_pass(), 3);
  EXPECT_EQ(recipe.sizes(1), (std::vector<int64_t>{6, 8}));
  EXPECT_EQ(recipe.sizes(2), (std::vector<int64_t>{3, 4})) << "what is left";
  SmoothRecipe::Settings larger = settings();
  larger.batch_labeled = larger.batch = 100;
  EXPECT_EQ(SmoothRecipe(larger, data(), {}).images_per_step(), 35);
  train::Task task(recipe, {.seed = 1});
  const auto row = [&](int steps) {
    for (int i = 0; i < steps; ++i) task.step();
    std::map<std::string, double> values;
    for (const train::Scalar& s : task.drain()) values[s.name] = s.value;
    return values;
  };
  const auto first = row(3);
  row(60);
  const auto last = row(3);
  EXPECT_LT(last.at("recon_loss_u"), first.at("recon_loss_u"));
  EXPECT_LT(last.at("cls_loss_l"), first.at("cls_loss_l"));
  double terms = 0;
  for (const auto& [name, value] : last)
    if (name != "loss") terms += value;
  EXPECT_NEAR(last.at("loss"), terms, 1e-5 * terms) << "the sum of the other columns";
}

TEST(SmoothRecipe, SeesImagesFromMinusOneToOne) {
  train::Data black_and_white = data();
  black_and_white.train.pixels.zero();
  SmoothRecipe recipe(settings(), black_and_white, {});
  for (const nn::Module::Parameter& p : recipe.model().parameters()) p.var.value().zero();
  train::Task task(recipe, {.seed = 1});
  task.step();
  const train::Scalars row = task.drain();
  const auto squares = std::ranges::find(row, "recon_loss_u", &train::Scalar::name);
  ASSERT_NE(squares, row.end());
  EXPECT_NEAR(squares->value, kSide * kSide * 3, 1e-4) << "tanh(0) from black";
}

TEST(SmoothRecipe, RefusesImagesOfAnotherSize) {
  test::expect_error(ErrorKind::data, "images of 9 x 9 pixels and 3 channels: the net takes 8 x 8 and 3",
                     [] { SmoothRecipe(settings(), few_data(9), {}); });
}

/// The rate behind each epoch of a recipe that learns nothing, which stopped and went on behind `stop` steps.
std::vector<double> rates(int64_t stop) {
  SmoothRecipe::Settings s = settings();
  s.plateau = train::Plateau::Settings{.factor = 0.5, .patience = 1, .threshold = 0.9};
  const auto make = [&] { return std::make_unique<SmoothRecipe>(s, data(), nn::Options{}); };
  auto recipe = make();
  auto task = std::make_unique<train::Task>(*recipe, train::Task::Options{.seed = 1});
  std::vector<double> all;
  for (int64_t i = 0; i < 18; ++i) {
    if (i == stop) {
      auto other = make();
      auto resumed = std::make_unique<train::Task>(*other, train::Task::Options{.seed = 1});
      const nn::StateDict from = task->state(), to = resumed->state();
      for (size_t k = 0; k < from.entries().size(); ++k) {
        EXPECT_EQ(from.entries()[k].first, to.entries()[k].first);
        Tensor(to.entries()[k].second).copy_from(from.entries()[k].second);
      }
      task = std::move(resumed);
      recipe = std::move(other);
    }
    task->step();
    const nn::StateDict state = task->state();
    for (const auto& [name, tensor] : state.entries())
      if (name == "plateau.rate") all.push_back(tensor.item());
  }
  return all;
}

// Epochs of three iterations, none of which gains nine tenths: the first is the best, two without a gain.
TEST(SmoothRecipe, TheRateFallsOnAPlateauAlsoBehindAResume) {
  const std::vector<double> whole = rates(-1);
  ASSERT_EQ(whole.size(), 18u);
  EXPECT_EQ(whole[8], 0.01);
  EXPECT_EQ(whole[9], 0.005) << "in the first iteration of the fourth epoch";
  EXPECT_EQ(whole[14], 0.005);
  EXPECT_EQ(whole[15], 0.0025);
  for (const int64_t stop : {3, 8, 9, 10, 15}) EXPECT_EQ(rates(stop), whole) << stop;
}

}  // namespace vae::shot_vae::smooth_test
