// What trained M1 and M2 are asked: classes, reconstructions, analogies, against their nets asked directly.
#include <gtest/gtest.h>

#include <set>

#include "models/m1_m2/recipe.h"
#include "nn/report/pictures.h"
#include "tests/models/few.h"

namespace vae::m1_m2 {
namespace {

constexpr int64_t kX = 6, kClasses = 3, kZ = 2, kFeatures = 2;

NetConfig net() { return {.hidden = {5, 4}}; }

M1Config m1_config() {
  M1Config config;
  config.x_size = kX, config.z_size = kFeatures;
  config.encoder = config.decoder_net = net();
  return config;
}

/// M2 on images, or on features.
M2Config m2_config(bool on_features) {
  M2Config config;
  config.x_size = on_features ? kFeatures : kX, config.y_size = kClasses, config.z_size = kZ;
  config.decoder = on_features ? LikelihoodKind::gaussian : LikelihoodKind::bernoulli;
  config.encoder_xy_z = config.encoder_x_y = config.decoder_net = net();
  return config;
}

/// Trained models, as far as evaluations can tell.
struct Models {
  explicit Models(bool stacked)
      : m1(m1_config(), {}), m2(m2_config(stacked), {}), stack{&m2, stacked ? &m1 : nullptr} {
    test::scatter(m1), test::scatter(m2, 2);
    m1.set_training(false), m2.set_training(false);
  }
  M1 m1;
  M2 m2;
  Stack stack;
};

/// Sets the log variances of a Gaussian net to a constant.
void set_log_var(nn::Module& model, const std::string& head, double value) {
  test::parameter_of(model, head + ".weight").value().zero();
  kernels::fill(test::parameter_of(model, head + ".bias").value(), value);
}

ImageSet image_set(int64_t count) { return test::few_images(count, 2, 3, kClasses); }
Tensor inputs(int64_t count) { return image_set(count).gather(train::item_range(0, count, kCpu)); }
/// The first image again and again.
Tensor copies(int64_t count) {
  return image_set(1).gather(train::items_of(std::vector<int64_t>(static_cast<size_t>(count), 0), kCpu));
}

std::vector<int64_t> largest(const Var& logits) {
  const std::vector<double> values = to_doubles(logits.value());
  const auto columns = static_cast<size_t>(logits.shape()[1]);
  std::vector<int64_t> best;
  for (size_t i = 0; i < values.size(); i += columns)
    best.push_back(std::max_element(values.begin() + i, values.begin() + i + columns) - values.begin() - i);
  return best;
}

Tensor labels(int64_t rows, int64_t label) {
  return train::items_of(std::vector<int64_t>(static_cast<size_t>(rows), label), kCpu);
}

TEST(M1M2Predict, IsTheMostProbableClassOfEachItem) {
  const int64_t count = 2300;  // more than two batches
  const ImageSet set = image_set(count);
  std::vector<int64_t> items;
  for (int64_t i = count; i-- > 0;) items.push_back(i);
  const Models alone(false);
  test::balance(test::parameter_of(alone.m2, "encoder_x_y.layer_2.bias"),
                alone.m2.classify(Var(inputs(count))));
  const auto expected = largest(alone.m2.classify(Var(set.gather(train::items_of(items, kCpu)))));
  EXPECT_EQ(predict(alone.stack, set, train::items_of(items, kCpu), {1, 2}), expected);
  EXPECT_EQ(std::set(expected.begin(), expected.end()).size(), 3u) << "of several classes";
  // Features without spread are their means.
  Models stacked(true);
  set_log_var(stacked.m1, "encoder.layer_var", -60);
  const Var means = stacked.m1.encode(Var(set.gather(train::items_of(items, kCpu)))).mean;
  EXPECT_EQ(predict(stacked.stack, set, train::items_of(items, kCpu), {1, 2}),
            largest(stacked.m2.classify(means)));
}

TEST(M1M2Predict, DrawsFeaturesAnewInEachBatch) {
  Models stacked(true);
  set_log_var(stacked.m1, "encoder.layer_var", 1);
  const auto classes = predict(stacked.stack, image_set(1), labels(2000, 0), {1, 2});
  EXPECT_GT(std::set(classes.begin(), classes.end()).size(), 1u);
  EXPECT_NE(std::vector(classes.begin(), classes.begin() + 1000),
            std::vector(classes.begin() + 1000, classes.end()));
}

/// Whether columns of rows z have the mean and variance of a Gaussian, to five standard deviations.
void expect_draws(const std::vector<std::vector<double>>& z, const Gaussian& q) {
  const auto n = static_cast<double>(z.size());
  const std::vector<double> mean = to_doubles(q.mean.value()), log_var = to_doubles(q.log_var.value());
  for (size_t d = 0; d < kZ; ++d) {
    double sum = 0, squares = 0;
    for (const auto& row : z) sum += row[d] - mean[d], squares += std::pow(row[d] - mean[d], 2);
    const double variance = std::exp(log_var[d]);
    EXPECT_NEAR(sum / n, 0, 5 * std::sqrt(variance / n));
    EXPECT_NEAR(squares / n / variance, 1, 5 * std::sqrt(2 / n));
  }
}

TEST(M1M2Reconstruct, DecodesDrawsOfTheCode) {
  const Models models(false);
  const Reconstruction r = reconstruct(models.m1, copies(5000), {3, 4});
  EXPECT_LE(test::distance(to_doubles(r.images), to_doubles(expectation(models.m1.decode(Var(r.z))))), 1e-6);
  std::vector<std::vector<double>> z;
  for (int64_t i = 0; i < 5000; ++i) z.push_back(test::rows_of(r.z, i, i + 1));
  expect_draws(z, models.m1.encode(Var(copies(1))));
}

// M2 draws the class, too: each image is that of its code under one class, as often as q(y|x) says, and the
// codes under a class are draws of q(z|x,y).
TEST(M1M2Reconstruct, DrawsClassesAndCodes) {
  constexpr int64_t kRows = 6000;
  Models models(false);
  test::scatter(models.m2, 0.8);
  const Reconstruction r = reconstruct(models.stack, copies(kRows), {3, 4});
  std::vector<std::vector<double>> z[kClasses];
  std::vector<double> by_class[kClasses];
  for (int64_t k = 0; k < kClasses; ++k)
    by_class[k] = to_doubles(expectation(models.m2.decode(Var(r.z), labels(kRows, k))));
  for (int64_t i = 0; i < kRows; ++i) {
    const std::vector<double> image = test::rows_of(r.images, i, i + 1);
    int matches = 0;
    for (int64_t k = 0; k < kClasses; ++k) {
      const auto begin = by_class[k].begin() + i * kX;
      if (test::distance(image, {begin, begin + kX}) > 1e-6) continue;
      z[k].push_back(test::rows_of(r.z, i, i + 1));
      ++matches;
    }
    ASSERT_EQ(matches, 1) << "row " << i;
  }
  const std::vector<double> q = to_doubles(autograd::softmax(models.m2.classify(Var(copies(1)))).value());
  for (int64_t k = 0; k < kClasses; ++k) {
    const double share = static_cast<double>(z[k].size()) / kRows;
    EXPECT_NEAR(share, q[static_cast<size_t>(k)], 5 * std::sqrt(0.25 / kRows));
    if (z[k].size() > 200) expect_draws(z[k], models.m2.encode(Var(copies(1)), labels(1, k)));
  }
}

/// Analogies of rows x by one direct decode each.
Tensor by_cells(const Models& models, const Tensor& x, RandomKey key) {
  const int64_t rows = x.size(0);
  const Tensor z = reconstruct(models.stack, x, key).z;
  const Tensor cells = Tensor::empty({rows, kClasses, kX});
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t k = 0; k < kClasses; ++k) {
      const Likelihood decoded = models.m2.decode(Var(z.slice(r, r + 1)), labels(1, k));
      const Tensor image = models.stack.m1 ? expectation(models.m1.decode(std::get<Gaussian>(decoded).mean))
                                           : expectation(decoded);
      cells.slice(r, r + 1).reshape({kClasses, kX}).slice(k, k + 1).copy_from(image);
    }
  return cells;
}

TEST(M1M2Analogy, EveryCellIsADirectDecode) {
  for (const bool stacked : {false, true}) {
    const Models models(stacked);
    const Tensor x = inputs(4);
    const Tensor cells = by_cells(models, x, {5, 6}), all = analogy(models.stack, x, {5, 6}, stacked);
    ASSERT_EQ(all.shape(), cells.shape());
    EXPECT_LE(test::distance(to_doubles(all), to_doubles(cells)), 1e-6);
  }
}

// Features are drawn with log variances inside the limits of the likelihood.
TEST(M1M2Analogy, FeaturesAreDrawnWithinTheLimits) {
  const Models models(true);
  const Gaussian q{Var(test::sample_tensor({5, kFeatures}, DType::f32)),
                   Var(test::tensor_of({-30, -1, 0, 30, 1, -8, 3, 2, -6, 2.2}, {5, kFeatures}, DType::f32))};
  const RandomKey key{7, 8};
  const std::vector<double> noise = to_doubles(train::normal_noise({5, kFeatures}, key, 0, q.mean.value()));
  std::vector<double> z1 = to_doubles(q.mean.value());
  const std::vector<double> log_var = to_doubles(q.log_var.value());
  for (size_t i = 0; i < z1.size(); ++i)
    z1[i] += std::exp(0.5 * std::clamp(log_var[i], std::log(0.001), std::log(10.0))) * noise[i];
  const auto decoded = [&](const Tensor& z) { return to_doubles(expectation(models.m1.decode(Var(z)))); };
  EXPECT_LE(test::distance(to_doubles(models.stack.images(q, key)),
                           decoded(test::tensor_of(z1, {5, kFeatures}, DType::f32))),
            1e-5);
  EXPECT_LE(test::distance(to_doubles(models.stack.images(q, {})), decoded(q.mean.value())), 1e-6);
}

// The pictures of a run show these numbers.
TEST(M1M2Pictures, ShowReconstructionsAndAnalogies) {
  M2Recipe recipe(
      {.model = m2_config(false)},
      {image_set(30),
       image_set(12),
       kClasses,
       "few",
       {train::item_range(0, 6, kCpu), train::item_range(6, 30, kCpu), train::item_range(0, 0, kCpu)}},
      {});
  test::scatter(recipe.model());
  const nn::TestMode test(recipe.model());
  const train::Step step(1, Tensor::scalar(int64_t{0}));
  const ImageSet set = image_set(12);
  ImageSet stored = set;
  stored.inputs = train::Inputs::unit;
  const auto shown = [&](int64_t count, const char* stream) {
    return set.gather(train::random_items(set, count, step.key(stream)));
  };
  const Tensor ten = shown(10, "analogy");
  const Tensor decoded = analogy(recipe.stack(), ten, step.key("analogy/z"));
  EXPECT_EQ(std::get<report::Image>(recipe.analogy_picture(step, false)).pixels,
            report::analogy_picture(stored.gather(train::random_items(set, 10, step.key("analogy"))), decoded,
                                    set.pixels.shape())
                .pixels);
  const Reconstruction all = reconstruct(recipe.stack(), shown(100, "pictures"), step.key("pictures/z"));
  const Tensor originals = stored.gather(train::random_items(set, 100, step.key("pictures")));
  EXPECT_EQ(recipe.preview(step)->pixels,
            report::reconstruction_picture(originals, all.images, set.pixels.shape()).pixels);
}

}  // namespace
}  // namespace vae::m1_m2
