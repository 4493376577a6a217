// What a trained multi-level VAE is asked: swapped images, errors and losses of whole sets, probes, scores of
// classifiers, against the model asked directly.
#include <gtest/gtest.h>

#include "models/ml_vae/classifier.h"
#include "models/ml_vae/recipe.h"
#include "nn/eval/qda.h"
#include "nn/report/pictures.h"
#include "tests/models/few.h"

namespace vae::ml_vae {
namespace {

constexpr int64_t kX = 6, kClasses = 4, kStyle = 3, kClass = 2;

Config small() {
  Config c;
  c.x_size = kX, c.hidden = 5, c.style_dim = kStyle, c.class_dim = kClass;
  return c;
}

/// A trained model, as far as evaluations can tell.
struct Trained : MlVae {
  explicit Trained(const Config& c = small()) : MlVae(c, {}) { test::scatter(*this, 1.5); }
  Tensor image_of(const Tensor& style, const Tensor& class_code) const {
    return autograd::sigmoid(decode(Var(style), Var(class_code))).value();
  }
};

ImageSet image_set(int64_t count, int64_t classes = kClasses) {
  return test::few_images(count, 2, 3, classes);
}
Tensor all_of(const ImageSet& set) { return set.gather(train::all_items(set)); }

/// Every style under every class code, one decode each.
Tensor by_cells(const Trained& model, const Tensor& style, const Tensor& class_code) {
  const int64_t styles = style.size(0), classes = class_code.size(0);
  const Tensor cells = Tensor::empty({styles, classes, kX});
  for (int64_t s = 0; s < styles; ++s)
    for (int64_t c = 0; c < classes; ++c)
      cells.slice(s, s + 1)
          .reshape({classes, kX})
          .slice(c, c + 1)
          .copy_from(model.image_of(style.slice(s, s + 1), class_code.slice(c, c + 1)));
  return cells;
}

TEST(MlVaeSwap, EveryCellIsADirectDecode) {
  const Trained model;
  const Tensor style = test::sample_tensor({3, kStyle}, DType::f32, kCpu, -2, 2, 1),
               class_code = test::sample_tensor({4, kClass}, DType::f32, kCpu, -2, 2, 2);
  const Tensor swapped = swap_images(model, style, class_code);
  ASSERT_EQ(swapped.shape(), (Shape{3, 4, kX}));
  EXPECT_LE(test::distance(to_doubles(swapped), to_doubles(by_cells(model, style, class_code))), 1e-6);
}

void expect_picture(const report::Picture& picture, const report::Image& expected) {
  const auto& image = std::get<report::Image>(picture);
  ASSERT_EQ(image.pixels.size(), expected.pixels.size());
  for (size_t i = 0; i < image.pixels.size(); ++i) ASSERT_NEAR(image.pixels[i], expected.pixels[i], 1) << i;
}

// A digit of each class in the order of the classes, of which one has no images; the class codes are those
// of the digits alone, or of all images of their class.
TEST(MlVaeSwap, GridsHaveStylesInRowsAndClassesInColumns) {
  const Trained model;
  const ImageSet set = image_set(40, 3);
  const PictureSource source{model, set, kClasses, "few", {}, test::without_noise()};
  const Tensor digits = reference_digits(source, References::automatic), x = set.gather(digits);
  EXPECT_EQ(set.gather_labels(digits).to_vector<int64_t>(), (std::vector<int64_t>{0, 1, 2}));
  const Codes codes = model.encode(Var(x));
  const Tensor style = codes.style.mean.value();
  const auto expected = [&](const Tensor& class_code) {
    return report::swap_picture(x, by_cells(model, style, class_code), set.pixels.shape());
  };
  expect_picture(swap_grid(source, References::automatic, 0), expected(codes.class_code.mean.value()));
  const SetCodes all = encode_set(model, set);
  const Tensor evidence = evidence_of(all.class_code, set.labels, kClasses).mean.slice(0, 3);
  expect_picture(swap_grid(source, References::automatic, 1000), expected(evidence));
  EXPECT_GT(test::distance(to_doubles(evidence), to_doubles(codes.class_code.mean.value())), 0.1);
}

TEST(MlVaePictures, ReconstructionsAreOfPosteriorMeans) {
  const Trained model;
  const ImageSet set = image_set(12);
  const train::Step step = test::without_noise();
  const Tensor x = set.gather(train::random_items(set, 100, step.key("pictures")));
  const Codes codes = model.encode(Var(x));
  expect_picture(
      reconstructions({model, set, kClasses, "few", {}, step}),
      report::reconstruction_picture(
          x, model.image_of(codes.style.mean.value(), codes.class_code.mean.value()), set.pixels.shape()));
}

/// Mean squared difference of images.
double squared_error(const Tensor& images, const Tensor& x) {
  const std::vector<double> a = to_doubles(images), b = to_doubles(x);
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::pow(a[i] - b[i], 2);
  return sum / static_cast<double>(a.size());
}

Tensor rows_by_label(const Tensor& of_classes, const Tensor& labels) {
  return autograd::gather_rows(Var(of_classes), labels).value();
}

TEST(MlVaeSets, ErrorsArePerPixelOfAllImages) {
  const Trained model;
  const ImageSet set = image_set(1300);  // a whole batch and a part of one
  const SetCodes codes = encode_set(model, set);
  const ReconstructionErrors errors = reconstruction_errors(model, set, codes, kClasses);
  const Tensor x = all_of(set), evidence = evidence_of(codes.class_code, set.labels, kClasses).mean;
  EXPECT_NEAR(errors.single, squared_error(model.image_of(codes.style.mean, codes.class_code.mean), x), 1e-6);
  EXPECT_NEAR(errors.evidence,
              squared_error(model.image_of(codes.style.mean, rows_by_label(evidence, set.labels)), x), 1e-6);
  EXPECT_GT(std::abs(errors.single - errors.evidence), 1e-4);
}

// Where nothing varies under the posterior, and the one batch is the set, in any order.
TEST(MlVaeSets, LossesAreMeansOverBatches) {
  Config c = small();
  c.noise_std = 0, c.reconstruction_coef = 1.5, c.kl_coef = 0.5;
  Trained model(c);
  for (const char* head : {"encoder.style_logvar", "encoder.class_logvar"}) {
    test::parameter_of(model, std::string(head) + ".weight").value().zero();
    kernels::fill(test::parameter_of(model, std::string(head) + ".bias").value(), -40);
  }
  const ImageSet set = image_set(24);
  const SetCodes codes = encode_set(model, set);
  const Tensor evidence = evidence_of(codes.class_code, set.labels, kClasses).mean;
  const double divergence_of_variance = 0.5 * (40 - 1);
  const auto kl = [&](const Tensor& mean) {
    double sum = 0;
    for (const double m : to_doubles(mean)) sum += divergence_of_variance + 0.5 * m * m;
    return 0.5 * sum / (24 * kX);
  };
  const SetLosses whole = set_losses(model, set, kClasses, 100, 3);
  EXPECT_NEAR(
      whole.reconstruction,
      1.5 * squared_error(model.image_of(codes.style.mean, rows_by_label(evidence, set.labels)), all_of(set)),
      1e-5);
  EXPECT_NEAR(whole.style_kl, kl(codes.style.mean), 1e-4);
  const double single =
      1.5 * squared_error(model.image_of(codes.style.mean, codes.class_code.mean), all_of(set));
  EXPECT_NEAR(whole.reconstruction_single, single, 1e-5);
  const SetLosses halves = set_losses(model, set, kClasses, 12, 3);  // two batches hold all images
  EXPECT_NEAR(halves.reconstruction_single, single, 1e-5);
  EXPECT_NEAR(halves.style_kl, whole.style_kl, 1e-4);
}

TEST(MlVaeProbe, FitsOnTrainingCodesAndScoresTestCodes) {
  const train::Data data{image_set(80), test::few_images(40, 2, 3, kClasses, 9), kClasses, "few", {}};
  MlVaeRecipe recipe({.model = small(), .batch = 20}, data, {});
  test::scatter(recipe.model(), 1.5);
  const auto numbers = recipe.probe(test::without_noise(), {.fit = 60, .ridge = 0.01}).numbers;
  const SetCodes train = encode_set(recipe.model(), data.train), test = encode_set(recipe.model(), data.test);
  const Tensor fitted = train::random_items(data.train, 60, test::without_noise().key("probe/fit"));
  const auto accuracy = [&](const Tensor& codes, const Tensor& scored) {
    return eval::Qda(autograd::gather_rows(Var(codes), fitted).value(), data.train.gather_labels(fitted),
                     kClasses, 0.01)
        .accuracy(scored, data.test.labels);
  };
  const double style = accuracy(train.style.mean, test.style.mean),
               class_code = accuracy(train.class_code.mean, test.class_code.mean);
  EXPECT_EQ(numbers["qda_style_mean"].get<double>(), style);
  EXPECT_EQ(numbers["qda_class_mean"].get<double>(), class_code);
  EXPECT_NE(style, class_code);
  EXPECT_EQ(numbers["test_mse_single"].get<double>(), recipe.evaluate(test::without_noise())[0].value);
  for (const auto& [part, images] : {std::pair{"train", &data.train}, {"test", &data.test}}) {
    const SetLosses losses = set_losses(recipe.model(), *images, kClasses, 20, 0);
    EXPECT_EQ(numbers[fmt::format("{}_style_kl", part)].get<double>(), losses.style_kl) << part;
    EXPECT_EQ(numbers[fmt::format("{}_reconstruction", part)].get<double>(), losses.reconstruction) << part;
  }
}

TEST(MlVaeTsne, InputsAreCodesOfTheFirstImages) {
  const Trained model;
  const ImageSet set = image_set(30);
  const PictureSource source{model, set, kClasses, "few", {}, test::without_noise()};
  const SetCodes codes = encode_set(model, set);
  const Tensor labels = set.labels.slice(0, 20);
  const GaussianRows own{codes.class_code.mean.slice(0, 20), codes.class_code.log_var.slice(0, 20)};
  const auto expect_input = [&](const TsneInput& input, const Tensor& expected) {
    EXPECT_LE(test::distance(to_doubles(tsne_input(source, input, tsne_items(source, input.images))),
                             to_doubles(expected)),
              1e-6);
  };
  expect_input({.code = Embedded::pixels, .images = 20}, all_of(set).slice(0, 20));
  expect_input({.code = Embedded::style, .means = true, .images = 20}, codes.style.mean.slice(0, 20));
  expect_input({.code = Embedded::class_code, .means = true, .images = 20}, own.mean);
  const GaussianRows group = evidence_of(own, labels, kClasses);
  expect_input({.code = Embedded::class_code, .evidence = true, .means = true, .images = 20},
               rows_by_label(group.mean, labels));
  // Draws: of deviation one, and of that of the training where a class draws once.
  const auto noise = [&](Shape shape) {
    return train::normal_noise(shape, source.step.key("tsne/noise"), 0, own.mean);
  };
  expect_input({.code = Embedded::class_code, .images = 20}, own.sample(noise({20, kClass})));
  const Tensor drawn = group.sample(autograd::affine(Var(noise({kClasses, kClass})), 0.1, 0).value());
  expect_input({.code = Embedded::class_code, .evidence = true, .images = 20}, rows_by_label(drawn, labels));
}

// Classifiers that always say 1, on 110 rows of which whole batches of 40 are scored, in an order of their
// own.
TEST(MlVaeClassifiers, ScoresAreSharesOfTheRowsInWholeBatches) {
  const auto codes_of = [](const std::vector<int64_t>& labels) {
    const auto n = std::ssize(labels);
    const auto rows = [&](uint64_t stream) {
      return GaussianRows{test::sample_tensor({n, 2}, DType::f32, kCpu, -1, 1, stream),
                          Tensor::zeros({n, 2})};
    };
    return SetCodes{rows(1), rows(2), Tensor::from(labels, {n})};
  };
  std::vector<int64_t> half(110, 1);
  for (size_t i = 0; i < half.size(); i += 2) half[i] = 0;
  ClassifierRecipe recipe({.batch = 40}, codes_of(half), 2, {});
  for (const char* kind : kCodeKinds) {
    const std::string out = std::string(kind) + ".fc_model.fc_3";
    test::parameter_of(recipe.model(), out + ".weight").value().zero();
    test::parameter_of(recipe.model(), out + ".bias")
        .value()
        .copy_from(test::tensor_of({-1, 1}, {2}, DType::f32));
  }
  for (const auto& score : recipe.score(codes_of(std::vector<int64_t>(110, 1)), "test")) {
    EXPECT_DOUBLE_EQ(score.batch_statistics, 1);
    EXPECT_DOUBLE_EQ(score.running_statistics, 1);
  }
  const auto mixed = recipe.score(codes_of(half), "test");
  EXPECT_NEAR(mixed[0].running_statistics, 0.5, 0.2);
  EXPECT_EQ(mixed[0].running_statistics, mixed[2].batch_statistics) << "the same rows";
}

}  // namespace
}  // namespace vae::ml_vae
