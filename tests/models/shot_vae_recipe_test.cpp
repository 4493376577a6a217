// Training of the SHOT-VAE family: what is logged, that a run goes on from its state, evaluations, memory.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "models/shot_vae/recipe.h"
#include "nn/fit/outcome.h"
#include "nn/train/memory.h"
#include "nn/train/task.h"
#include "tensor/allocator.h"
#include "tests/autograd/cases/catalogue.h"
#include "tests/expect_error.h"
#include "tests/models/recipes.h"
#include "tests/models/shot_vae_models.h"

namespace vae::shot_vae {
namespace {

std::vector<test::NamedRecipe> recipes() {
  std::vector<test::NamedRecipe> all;
  test::add_shot_vae(all);
  return all;
}

std::map<std::string, double> row_of(const train::Scalars& scalars) {
  std::map<std::string, double> row;
  for (const train::Scalar& s : scalars) {
    EXPECT_TRUE(std::isfinite(s.value)) << s.name;
    EXPECT_TRUE(row.emplace(s.name, s.value).second) << s.name << " twice";
  }
  return row;
}

std::vector<std::string> names_of(const train::Scalars& scalars) {
  std::vector<std::string> names;
  for (const train::Scalar& s : scalars) names.push_back(s.name);
  return names;
}

std::vector<std::string> starting(const std::vector<std::string>& names, const std::string& with) {
  std::vector<std::string> some;
  for (const std::string& name : names)
    if (name.starts_with(with)) some.push_back(name);
  return some;
}

// Every metric is given in every step, those of the losses and no other; every function has a case.
TEST(ShotVaeRecipes, LogWhatTheyName) {
  const autograd::OpObserver observer;
  for (const test::NamedRecipe& named : recipes()) {
    SCOPED_TRACE(named.name);
    const auto recipe = named.make(test::data_on(kCpu));
    train::Task task(*recipe, {.seed = 1});
    for (int i = 0; i < 4; ++i) task.step();
    const train::Scalars scalars = task.drain();
    EXPECT_EQ(names_of(scalars), recipe->training_metrics());
    for (const auto& [name, value] : row_of(scalars)) EXPECT_TRUE(value != 0 || name == "confident") << name;
    EXPECT_EQ(names_of(task.evaluate()), recipe->evaluation_metrics());
  }
  EXPECT_EQ(autograd::uncovered_ops(observer.names(), autograd::catalogue()), std::vector<std::string>{});
}

TEST(ShotVaeRecipes, WithoutValidationImagesTheLastEpochIsKept) {
  for (const test::NamedRecipe& named : recipes()) {
    SCOPED_TRACE(named.name);
    train::Data data = test::data_on(kCpu);
    const auto with = named.make(data);
    const bool selects = !starting(with->evaluation_metrics(), "valid").empty();
    EXPECT_EQ(with->selection().has_value(), selects);
    if (selects) {
      EXPECT_EQ(with->selection()->metric, "valid_accuracy");
      EXPECT_EQ(starting(with->evaluation_metrics(), "valid_accuracy").size(), 1u);
    }
    data.split.validation = train::items_of({}, kCpu);
    const auto recipe = named.make(data);
    EXPECT_FALSE(recipe->selection());
    const nn::TestMode test(recipe->model());
    const train::Step last = train::last_step(1, 3, kCpu, "");
    const train::Scalars evaluated = recipe->evaluate(last);
    EXPECT_EQ(names_of(evaluated), starting(recipe->evaluation_metrics(), "test"));
    const report::Summary summary = fit::summarize(*recipe, evaluated, last);
    EXPECT_TRUE(summary.left_out.empty());
    EXPECT_TRUE(summary.results.contains("test_accuracy"));
  }
}

/// Copies the state of one task into another.
void resume(train::Task& from, train::Task& to) {
  const nn::StateDict source = from.state(), target = to.state();
  ASSERT_EQ(source.entries().size(), target.entries().size());
  for (size_t i = 0; i < source.entries().size(); ++i) {
    ASSERT_EQ(source.entries()[i].first, target.entries()[i].first);
    Tensor(target.entries()[i].second).copy_from(source.entries()[i].second);
  }
}

// In the middle of an epoch of three iterations, at its end, and behind it.
TEST(ShotVaeRecipes, GoOnFromTheirState) {
  constexpr int kSteps = 7;
  for (const test::NamedRecipe& named : recipes()) {
    SCOPED_TRACE(named.name);
    const auto make = [&] { return named.make(test::data_on(kCpu)); };
    const auto plain = make();
    train::Task whole(*plain, {.seed = 1});
    for (int i = 0; i < kSteps; ++i) whole.step();
    const nn::StateDict expected = whole.state();
    for (const int stop : {2, 3, 4}) {
      const auto first = make(), second = make();
      train::Task before(*first, {.seed = 1}), after(*second, {.seed = 1});
      for (int i = 0; i < stop; ++i) before.step();
      resume(before, after);
      for (int i = stop; i < kSteps; ++i) after.step();
      const nn::StateDict state = after.state();
      for (size_t i = 0; i < expected.entries().size(); ++i)
        EXPECT_TRUE(test::same_bits(state.entries()[i].second, expected.entries()[i].second))
            << expected.entries()[i].first << " stopped behind " << stop;
    }
  }
}

// Another seed of the training mixes and orders other images.
TEST(ShotVaeRecipes, FollowTheSeed) {
  for (const test::NamedRecipe& named : recipes()) {
    if (named.name == "smooth_elbo") continue;  // whose batches follow the files
    const auto losses = [&](uint64_t seed) {
      const auto recipe = named.make(test::data_on(kCpu));
      train::Task task(*recipe, {.seed = seed});
      for (int i = 0; i < 2; ++i) task.step();
      return row_of(task.drain());
    };
    EXPECT_EQ(losses(1), losses(1)) << named.name;
    EXPECT_NE(losses(1), losses(2)) << named.name;
  }
}

// ---- a recipe alone

ShotRecipe::Settings settings(Method method = Method::shot) {
  backbones::Config wide = small_backbones()[0].config;
  wide.dropout = 0;
  Objective objective;
  objective.elbo = {1e-3, 0}, objective.unlabeled = {1, 0}, objective.distance = {1, 0};
  return {.training = {.source = {.batch_labeled = 6, .batch = 8, .equal_batches = method == Method::m2},
                       .rate = {.start = 0.05, .drops = {}}},
          .model = small_config(wide),
          .method = method,
          .objective = objective};
}

/// Pictures whose classes are seen at once: the red, the green, or the blue is bright.
train::ImageSet clear_pictures(int64_t count, uint64_t stream) {
  train::ImageSet set = few_pictures(count, 32, 3, stream);
  auto bytes = set.pixels.to_vector<uint8_t>();
  const auto labels = set.labels.to_vector<int64_t>();
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto label = static_cast<size_t>(labels[i / static_cast<size_t>(set.image_size())]);
    bytes[i] = static_cast<uint8_t>(bytes[i] / 2 + (i % 3 == label ? 127 : 0));
  }
  set.pixels = Tensor::from(bytes, set.pixels.shape());
  return set;
}

train::Data clear_data() {
  train::Data data = few_data();
  data.train = clear_pictures(40, 3), data.test = clear_pictures(24, 4);
  return data;
}

TEST(ShotRecipe, LearnsInBothWays) {
  for (const Method method : {Method::shot, Method::m2}) {
    ShotRecipe recipe(settings(method), clear_data(), {.seed = 2});
    train::Task task(recipe, {.seed = 1});
    for (int i = 0; i < 60; ++i) task.step();
    EXPECT_GE(row_of(task.evaluate()).at("test_accuracy"), 0.9) << static_cast<int>(method);
  }
}

TEST(ShotRecipe, FixMatchAndTheClassifierLearn) {
  for (const ClassifierMethod method : {ClassifierMethod::supervised, ClassifierMethod::fixmatch}) {
    const ShotRecipe::Settings s = settings();
    ClassifierRecipe recipe({.training = s.training,
                             .backbone = s.model.backbone,
                             .classes = 3,
                             .method = method,
                             .threshold = 0.8},
                            clear_data(), {.seed = 2});
    train::Task task(recipe, {.seed = 1});
    for (int i = 0; i < 60; ++i) task.step();
    EXPECT_GE(row_of(task.evaluate()).at("test_accuracy"), 0.9) << static_cast<int>(method);
    const auto row = row_of(task.drain());
    if (method == ClassifierMethod::supervised) continue;
    EXPECT_GT(row.at("confident"), 0.1);
    EXPECT_NEAR(row.at("loss"), row.at("loss_l") + row.at("loss_u"), 1e-5 * row.at("loss"));
  }
}

// The terms of the log make the loss of the log, with the weights of the epoch.
TEST(ShotRecipe, ItsColumnsAddUp) {
  ShotRecipe::Settings s = settings();
  s.objective.target_z = {2, 0}, s.objective.target_y = {0.5, 0};
  s.objective.beta_z = {0.3, 0}, s.objective.beta_y = {0.2, 0};
  s.objective.elbo = {0.01, 0}, s.objective.distance = {4, 0}, s.objective.unlabeled = {0.7, 0};
  s.objective.boost_after = 0;
  ShotRecipe recipe(s, few_data(), {});
  train::Task task(recipe, {.seed = 1});
  for (int i = 0; i < 5; ++i) {
    task.step();
    const auto row = row_of(task.drain());
    const double elbo = i < 3 ? 0.01 : 0.05;
    for (const char* set : {"_l", "_u"}) {
      const auto term = [&](const std::string& name) { return row.at(name + set); };
      const double expected = elbo * (term("recon") + 0.3 * std::abs(term("kl_z") - 2) +
                                      0.2 * std::abs(term("kl_y") - 0.5) + 0.3 * 4 * term("post_z")) +
                              (set[1] == 'l' ? 1 : 0.7) * term("cls");
      EXPECT_NEAR(term("loss"), expected, 1e-4 * expected) << set << " in iteration " << i;
    }
  }
}

// Not at all, by Beta(e, e), and with a permutation of the batch.
TEST(ShotRecipe, MixesByItsWeights) {
  const auto losses = [](double epsilon, Partner partner) {
    ShotRecipe::Settings s = settings();
    s.epsilon = epsilon, s.partner = partner;
    ShotRecipe recipe(s, few_data(), {.seed = 2});
    train::Task task(recipe, {.seed = 1});
    task.step();
    return row_of(task.drain());
  };
  const auto none = losses(0, Partner::random), some = losses(1, Partner::random),
             nearest = losses(0, Partner::nearest);
  EXPECT_NEAR(none.at("post_z_l"), 0, 1e-9) << "images as they are have the codes that they have";
  EXPECT_GT(some.at("post_z_l"), 1e-6);
  EXPECT_EQ(none.at("loss_l"), nearest.at("loss_l"));
  EXPECT_EQ(none.at("recon_u"), nearest.at("recon_u"));
  EXPECT_NE(none.at("post_z_u"), nearest.at("post_z_u"));
}

// ---- evaluation

/// A recipe away from its start, in test mode for good.
std::unique_ptr<ShotRecipe> scattered(const ShotRecipe::Settings& settings, const train::Data& data) {
  auto recipe = std::make_unique<ShotRecipe>(settings, data, nn::Options{});
  test::scatter(recipe->model(), 0.5);
  recipe->model().set_training(false);
  return recipe;
}

TEST(ShotEvaluation, IsThatOfItsFormulasWhateverTheBatch) {
  const train::Data data = few_data();
  const auto evaluated = [&](int64_t batch) {
    ShotRecipe::Settings s = settings();
    s.training.source.batch = s.training.source.batch_labeled = batch;
    const auto recipe = scattered(s, data);
    return std::pair(recipe->evaluate(test::without_noise()),
                     recipe->evaluation(data.test, train::all_items(data.test), "", test::without_noise()));
  };
  const auto [all, of_test] = evaluated(8);
  const auto row = row_of(all);
  EXPECT_EQ(row.at("test_accuracy"), of_test.classification.accuracy());
  EXPECT_EQ(of_test.classification.images(), 8);
  EXPECT_EQ(row.at("test_elbo"), row.at("test_log_p") + 0.01 * (row.at("test_kl_z") + row.at("test_kl_y")));
  for (const int64_t batch : {3, 5}) {
    const auto other = row_of(evaluated(batch).first);
    for (const auto& [name, value] : row)
      EXPECT_NEAR(other.at(name), value, 1e-5 * (1 + std::abs(value))) << name << " of batches of " << batch;
  }
}

TEST(ShotEvaluation, ReconstructionsAreJudgedBySquaresAlways) {
  const train::Data data = few_data();
  const auto log_p = [&](Reconstruction kind, double sigma) {
    ShotRecipe::Settings s = settings();
    s.objective.reconstruction = kind, s.objective.sigma = sigma;
    return row_of(scattered(s, data)->evaluate(test::without_noise())).at("test_log_p");
  };
  const double plain = log_p(Reconstruction::squared, 1);
  EXPECT_EQ(log_p(Reconstruction::bernoulli, 1), plain);
  EXPECT_NEAR(log_p(Reconstruction::squared, 0.5), 4 * plain, 1e-4 * plain);
}

// Equal pictures in two batches: where they are augmented, each has a place of its own.
TEST(ShotEvaluation, AugmentsValidationImagesWhereAsked) {
  train::Data data = few_data();
  for (int64_t i = 36; i < 40; ++i)
    data.train.pixels.slice(i, i + 1).copy_from(data.train.pixels.slice(35, 36));
  ShotRecipe::Settings s = settings();
  s.training.source.batch = s.training.source.batch_labeled = 2;
  s.training.source.batch_labeled = 3;
  const auto kl_of = [&](const Tensor& items, const std::string& augmentation) {
    return scattered(s, data)->evaluation(data.train, items, augmentation, test::without_noise()).kl_z;
  };
  const Tensor first = train::item_range(35, 38, kCpu), both = train::item_range(35, 41 - 1, kCpu);
  EXPECT_NEAR(kl_of(first, ""), kl_of(both, ""), 1e-6);
  const double of_first = kl_of(first, "augment/valid"), of_both = kl_of(both, "augment/valid");
  EXPECT_GT(std::abs(of_first - of_both), 1e-6) << "other places in the next batch";
  const auto valid = [&](bool augment) {
    s.training.augment_validation = augment;
    return row_of(scattered(s, data)->evaluate(test::without_noise()));
  };
  const auto clean = valid(false), augmented = valid(true);
  EXPECT_NEAR(clean.at("valid_kl_z"), kl_of(both, ""), 1e-9);
  EXPECT_NEAR(augmented.at("valid_kl_z"), of_both, 1e-9);
  EXPECT_EQ(clean.at("test_kl_z"), augmented.at("test_kl_z"));
}

// ---- memory

TEST(ShotVaeRecipes, MemoryIsEstimatedNearItsPeak) {
  for (const test::NamedRecipe& named : recipes()) {
    SCOPED_TRACE(named.name);
    const auto recipe = named.make(test::data_on(kCpu));
    const std::optional<train::MemoryProbe> probe = recipe->memory_probe();
    if (!probe) continue;
    train::Task task(*recipe, {.seed = 1});
    for (int i = 0; i < 2; ++i) task.step();
    const double estimate = train::activation_bytes(recipe->model(), probe->loss, probe->batch);
    CachingAllocator& memory = allocator(kCpu);
    const size_t before = memory.stats().live_bytes;
    memory.reset_peak();
    task.step(), task.step();
    const auto peak = static_cast<double>(memory.stats().peak_bytes - before);
    EXPECT_GT(estimate, 0.7 * peak);
    EXPECT_LT(estimate, 1.5 * peak);
  }
}

TEST(ShotRecipe, TheLargerBatchIsProbed) {
  const auto probe_of = [](int64_t labeled, int64_t unlabeled) {
    ShotRecipe::Settings s = settings();
    s.training.source.batch_labeled = labeled, s.training.source.batch = unlabeled;
    return *ShotRecipe(s, few_data(), {}).memory_probe();
  };
  EXPECT_EQ(probe_of(6, 8).option, "batch");
  EXPECT_EQ(probe_of(6, 8).batch, 8);
  EXPECT_EQ(probe_of(9, 8).option, "batch-labeled");
  EXPECT_EQ(probe_of(9, 8).batch, 9);
  EXPECT_EQ(probe_of(9, 1000).batch, 20) << "no more than there are images";
}

TEST(ShotRecipe, RefusesImagesOfAnotherSize) {
  test::expect_error(ErrorKind::data, "images of 28 x 28 pixels and 3 channels: the net takes 32 x 32 and 3",
                     [] { ShotRecipe(settings(), few_data(28), {}); });
}

}  // namespace
}  // namespace vae::shot_vae
