// What is asked of every recipe at the end of an epoch and of a run: it leaves the training as it is, and its
// numbers are means over images.
#include <gtest/gtest.h>

#include <map>

#include "nn/fit/outcome.h"
#include "nn/train/task.h"
#include "tests/models/recipes.h"

namespace vae {
namespace {

std::vector<Tensor> bits_of(train::Task& task) {
  std::vector<Tensor> copies;
  const nn::StateDict state = task.state();
  for (const auto& [name, tensor] : state.entries()) copies.push_back(tensor.clone());
  return copies;
}

/// Metrics, preview, report with its pictures, -log p(x), active units, scores.
void inspect(train::Recipe& recipe, const train::Data& data) {
  const nn::TestMode test(recipe.model());
  const train::Step last = train::last_step(1, 3, kCpu, "");
  const report::Summary summary = fit::summarize(recipe, recipe.evaluate(last.in("evaluate")), last);
  for (const report::NamedPicture& picture : summary.pictures) picture.make();
  recipe.preview(last);
  try {
    recipe.nll(2, last);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::usage);
  }
  if (const auto* family = dynamic_cast<const adgm::FamilyRecipe*>(&recipe)) family->active_units(last);
  if (auto* m2 = dynamic_cast<m1_m2::M2Recipe*>(&recipe)) m2->analogy_picture(last, true);
  if (auto* classifiers = dynamic_cast<ml_vae::ClassifierRecipe*>(&recipe))
    classifiers->score(test::codes_of(data.test), "test");
}

// Every bit: weights, statistics of norms, counters, moments, sums of metrics. And what is no state: the same
// training goes on.
TEST(Evaluation, LeavesTheTrainingAsItIs) {
  for (const test::NamedRecipe& named : test::recipes()) {
    SCOPED_TRACE(named.name);
    const train::Data data = test::data_on(kCpu);
    const auto looked_at = named.make(data), plain = named.make(data);
    train::Task task(*looked_at, {.seed = 1}), other(*plain, {.seed = 1});
    for (int i = 0; i < 3; ++i) task.step();
    const std::vector<Tensor> before = bits_of(task);
    inspect(*looked_at, data);
    task.evaluate();
    EXPECT_TRUE(looked_at->model().training());
    const nn::StateDict state = task.state();
    for (size_t i = 0; i < before.size(); ++i)
      EXPECT_TRUE(test::same_bits(state.entries()[i].second, before[i])) << state.entries()[i].first;
    for (int i = 0; i < 2; ++i) task.step();
    for (int i = 0; i < 5; ++i) other.step();
    const std::vector<Tensor> after = bits_of(task), expected = bits_of(other);
    for (size_t i = 0; i < after.size(); ++i)
      EXPECT_TRUE(test::same_bits(after[i], expected[i])) << state.entries()[i].first << " later";
  }
}

// Of 40 images, of the 20 that M2 and its relatives have without labels, or of the training and the test
// images. In the SHOT-VAE family the last batch of a pass holds what is left.
TEST(Recipes, APassIsTheBatchesOfASet) {
  const std::map<std::string, std::pair<int64_t, int64_t>> expected{{"m1", {10, 4}},
                                                                    {"m2", {14, 2}},
                                                                    {"m2, joint", {14, 2}},
                                                                    {"m1+m2", {14, 2}},
                                                                    {"ml_vae", {10, 4}},
                                                                    {"fit", {10, 2}},
                                                                    {"ml_vae, classifiers", {10, 4}},
                                                                    {"mnist-cnn", {10, 8}},
                                                                    {"sym_vae", {10, 8}},
                                                                    {"sym_vae, elbo", {10, 8}},
                                                                    {"shot_vae", {14, 3}},
                                                                    {"shot_vae, nearest", {14, 3}},
                                                                    {"shot_m2", {12, 3}},
                                                                    {"shot_classifier", {6, 3}},
                                                                    {"fixmatch", {14, 3}},
                                                                    {"smooth_elbo", {14, 3}}};
  for (const test::NamedRecipe& named : test::recipes()) {
    const auto recipe = named.make(test::data_on(kCpu));
    const bool semi = dynamic_cast<const adgm::SemiRecipe*>(recipe.get()),
               of_adgm = dynamic_cast<const adgm::FamilyRecipe*>(recipe.get());
    const auto [images, steps] = semi      ? std::pair<int64_t, int64_t>{12, 2}
                                 : of_adgm ? std::pair<int64_t, int64_t>{8, 5}
                                           : expected.at(named.name);
    EXPECT_EQ(recipe->images_per_step(), images) << named.name;
    EXPECT_EQ(recipe->steps_per_pass(), steps) << named.name;
  }
}

// Fit asks the loss for its metrics once, before there is a run.
TEST(Evaluation, OfTheNamesOfMetricsLeavesTheModuleAsItIs) {
  const train::Data data = test::data_on(kCpu);
  test::UsersNet net(test::options_of(data));
  test::scatter(net);
  std::vector<Tensor> before;
  for (const nn::Module::Buffer& b : net.buffers()) before.push_back(b.tensor.clone());
  fit::FitRecipe recipe(
      net, [&](const fit::Batch& batch, const train::Step& step) { return net.loss(batch, step); },
      {.run = {}}, data);
  EXPECT_EQ(recipe.training_metrics(), (std::vector<std::string>{"loss", "size"}));
  EXPECT_TRUE(net.training());
  for (size_t i = 0; i < before.size(); ++i)
    EXPECT_TRUE(test::same_bits(net.buffers()[i].tensor, before[i])) << net.buffers()[i].name;
}

/// Copies of the first image, which is of class 0, then of the second, of class 1.
train::ImageSet copies(int64_t first, int64_t second) {
  const train::ImageSet two = test::few_images(2, test::kSide, test::kSide, 2, 5);
  const std::vector<uint8_t> pixels = two.pixels.to_vector<uint8_t>();
  const auto half = pixels.begin() + two.image_size();
  std::vector<uint8_t> all;
  for (int64_t i = 0; i < first + second; ++i)
    all.insert(all.end(), i < first ? pixels.begin() : half, i < first ? half : pixels.end());
  std::vector<int64_t> labels(static_cast<size_t>(first));
  labels.resize(static_cast<size_t>(first + second), 1);
  return {Tensor::from(all, two.pixels.shape().with_leading(first + second)),
          Tensor::from(labels, {first + second}), train::Inputs::unit};
}

// A whole batch of one image with some of another behind it, in batches of unequal size; without noise.
TEST(Evaluation, IsTheMeanOverImages) {
  for (const test::NamedRecipe& named : test::recipes()) {
    SCOPED_TRACE(named.name);
    if (named.name == "vae, flows") continue;  // the library's sum of log-determinants couples a batch
    const auto metrics = [&](int64_t first, int64_t second) {
      const auto recipe = named.make(test::data_of(copies(first, second)));
      test::scatter(recipe->model());
      const nn::TestMode test(recipe->model());
      return recipe->evaluate(test::without_noise());
    };
    const int64_t first = named.evaluation_batch + 3, second = named.evaluation_batch / 5 + 1;
    const train::Scalars a = metrics(first, 0), b = metrics(0, second), both = metrics(first, second);
    ASSERT_EQ(a.size(), both.size());
    bool differ = both.empty();
    for (size_t i = 0; i < both.size(); ++i) {
      // Features of an image are drawn by its place among the images.
      if (named.name == "m1+m2" && both[i].name == "test_accuracy") continue;
      const double mean =
          (static_cast<double>(first) * a[i].value + static_cast<double>(second) * b[i].value) /
          static_cast<double>(first + second);
      EXPECT_NEAR(both[i].value, mean, 1e-5 * (1 + std::abs(mean))) << both[i].name;
      differ = differ || std::abs(a[i].value - b[i].value) > 1e-3;
    }
    // Accuracy alone may be the same of both.
    EXPECT_TRUE(differ || named.name == "m1+m2" || named.name == "smooth_elbo")
        << "the images tell something";
  }
}

}  // namespace
}  // namespace vae
