// What trained models of the ADGM family are asked: classes over several draws, active units, and every cell
// of their pictures, against the models asked directly.
#include <gtest/gtest.h>

#include <set>

#include "nn/report/pictures.h"
#include "tests/expect_error.h"
#include "tests/models/adgm_models.h"
#include "tests/models/few.h"

namespace vae::adgm {
namespace {

ImageSet image_set(int64_t count) { return test::few_images(count, 2, 3, kClasses); }
Tensor all_of(const ImageSet& set) { return set.gather(train::all_items(set)); }

/// A trained model, as far as evaluations can tell.
std::unique_ptr<Model> trained(const Config& config, double limit = 0.8) {
  auto model = make_model(config, {});
  test::scatter(*model, limit);
  if (model->frozen()) test::scatter(*model->frozen(), limit);
  model->set_training(false);
  return model;
}

std::vector<double> softmax(std::vector<double> logits) {
  double sum = 0;
  for (double& v : logits) sum += v = std::exp(v);
  for (double& v : logits) v /= sum;
  return logits;
}

int64_t best(const std::vector<double>& values) {
  return std::max_element(values.begin(), values.end()) - values.begin();
}

// Over draws of the auxiliary variable, probabilities are averaged: neither logits nor votes, which would
// decide otherwise for some of the images.
TEST(AdgmPredict, AveragesProbabilitiesOverDraws) {
  constexpr int64_t kDraws = 3, kImages = 230;  // in batches of 100, 100 and 30
  const auto noise_of = [](int64_t rows) {
    return test::sample_tensor({rows, 2}, DType::f32, kCpu, -3, 3, 9);
  };
  const auto step_of = [&](int64_t first, int64_t rows, int64_t total) {
    return test::without_noise().with_noise([=](const std::string& name, Shape shape, train::Draw) {
      EXPECT_TRUE(name.ends_with("cls_a")) << name;
      EXPECT_EQ(shape, (Shape{rows ? rows : shape[0], 2}));
      return noise_of(rows ? total : shape[0]).slice(first, first + shape[0]);
    });
  };
  const ImageSet set = image_set(kImages);
  for (const Kind kind : {Kind::adgm, Kind::sdgm}) {
    Config config = small(kind);
    config.raw_log_var = true;
    const auto model = trained(config, 1.5);
    test::balance(test::parameter_of(*model, "classifier.logits.bias"),
                  model->encode(Var(all_of(set)))->classify(1, step_of(0, 0, 0)));
    const auto predicted = predict(*model, set, train::all_items(set), kDraws, step_of(0, 0, 0));
    int by_logits_differ = 0, by_votes_differ = 0;
    for (int64_t begin = 0; begin < kImages; begin += 100) {
      const int64_t rows = std::min<int64_t>(100, kImages - begin);
      const Tensor x = set.gather(train::item_range(begin, begin + rows, kCpu));
      std::vector<std::vector<double>> logits;
      for (int64_t d = 0; d < kDraws; ++d)
        logits.push_back(
            to_doubles(model->encode(Var(x))->classify(1, step_of(d * rows, rows, kDraws * rows)).value()));
      for (int64_t i = 0; i < rows; ++i) {
        std::vector<double> probabilities(kClasses), sums(kClasses), votes(kClasses);
        for (const auto& draw : logits) {
          const std::vector<double> row(draw.begin() + i * kClasses, draw.begin() + (i + 1) * kClasses);
          const std::vector<double> p = softmax(row);
          votes[static_cast<size_t>(best(row))] += 1;
          for (size_t k = 0; k < kClasses; ++k) probabilities[k] += p[k], sums[k] += row[k];
        }
        std::vector<double> sorted = probabilities;
        std::ranges::sort(sorted);
        if (sorted[2] - sorted[1] < 1e-4) continue;  // as good as equal
        EXPECT_EQ(predicted[static_cast<size_t>(begin + i)], best(probabilities));
        by_logits_differ += best(sums) != best(probabilities),
            by_votes_differ += best(votes) != best(probabilities);
      }
    }
    EXPECT_GT(by_logits_differ, 0);
    EXPECT_GT(by_votes_differ, 0);
  }
}

// q(y|x) that draws nothing is asked once.
TEST(AdgmPredict, IsTheMostProbableClass) {
  const ImageSet set = image_set(130);
  for (const Kind kind : {Kind::m2, Kind::ladder_m2, Kind::stacked}) {
    const auto model = trained(small(kind), 2);
    const auto asked = [&] { return model->encode(Var(all_of(set)))->classify(1, test::without_noise()); };
    test::balance(test::parameter_of(*model, "classifier.logits.bias"), asked());
    const auto logits = to_doubles(asked().value());
    const auto predicted = predict(*model, set, train::all_items(set), 1, test::without_noise());
    for (size_t i = 0; i < predicted.size(); ++i)
      EXPECT_EQ(predicted[i], best({logits.begin() + 3 * i, logits.begin() + 3 * i + 3}));
    EXPECT_GT(std::set(predicted.begin(), predicted.end()).size(), 1u) << name_of(kind);
  }
}

/// Scales the rows of a linear map of codes so that each unit has this deviation over the images, about 5.
void set_deviations(const Model& model, const std::string& head, const Tensor& means,
                    const std::vector<double>& deviations) {
  const Tensor weight = test::parameter_of(model, head + ".weight").value();
  const std::vector<double> values = to_doubles(means);
  const size_t units = deviations.size(), rows = values.size() / units;
  for (size_t d = 0; d < units; ++d) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < rows; ++i)
      sum += values[i * units + d], squares += std::pow(values[i * units + d], 2);
    const auto n = static_cast<double>(rows);
    const double deviation = std::sqrt(squares / n - sum * sum / n / n);
    const auto row = static_cast<int64_t>(d);
    weight.slice(row, row + 1)
        .copy_from(autograd::affine(Var(weight.slice(row, row + 1)), deviations[d] / deviation, 0).value());
  }
  kernels::fill(test::parameter_of(model, head + ".bias").value(), 5);
}

// Deviations of 0.2, 0.05, 0.102 and 0.098 over 205 images: two variances are above 0.01.
TEST(AdgmActiveUnits, CountMeansThatVaryOverTheImages) {
  const ImageSet set = image_set(205);
  const Tensor items = train::all_items(set);
  for (const Kind kind : {Kind::vae, Kind::m2}) {
    Config config = small(kind);
    config.z = {4};
    const auto model = trained(config);
    const auto inside = model->encode(Var(all_of(set)));
    Rows rows{205};
    if (has_labels(kind)) {
      const auto predicted = predict(*model, set, items, 1, test::without_noise());
      rows = labeled_rows(205, train::items_of(predicted, kCpu), kClasses, DType::f32);
    }
    const Tensor means = inside->terms(rows, test::without_noise()).posterior_means[0].second.value();
    set_deviations(*model, "encoder.sample.mu", means, {0.2, 0.05, 0.102, 0.098});
    const auto units = active_units(*model, set, items, test::without_noise());
    ASSERT_EQ(units.size(), 1u);
    EXPECT_EQ(units.at("z").all(), 4u);
    EXPECT_EQ(units.at("z").active(), 2u) << name_of(kind);
  }
}

TEST(AdgmActiveUnits, AreCountedByLayer) {
  const auto widths = [](Kind kind) {
    std::map<std::string, size_t> all;
    const ImageSet set = image_set(20);
    for (const auto& [layer, units] :
         active_units(*trained(small(kind)), set, train::all_items(set), test::without_noise()))
      all[layer] = units.all();
    return all;
  };
  using Widths = std::map<std::string, size_t>;
  EXPECT_EQ(widths(Kind::adgm), (Widths{{"a", 2}, {"z", 3}}));
  EXPECT_EQ(widths(Kind::ladder), (Widths{{"enc0", 3}, {"enc1", 2}, {"enc2", 2}}));
}

Tensor labels(const std::vector<int64_t>& of_rows) { return train::items_of(of_rows, kCpu); }

/// The image of one code, under a class where the model has any.
Tensor image_of(const Model& model, const Tensor& z, int64_t k) {
  return generate(model, z, has_labels(model.config().kind) ? labels({k}) : Tensor{}, test::without_noise());
}

/// Kinds whose images follow from code and class where nothing else is drawn.
const Kind kKinds[] = {Kind::adgm, Kind::m2, Kind::vae, Kind::ladder, Kind::ladder_m2};

TEST(AdgmReconstruct, DecodesTheCodeUnderThePredictedClass) {
  const ImageSet set = image_set(7);
  for (const Kind kind : kKinds) {
    const auto model = trained(small(kind), 1.5);
    const Reconstruction r = reconstruct(*model, all_of(set), test::without_noise());
    std::vector<int64_t> predicted(7);
    if (has_labels(kind)) predicted = predict(*model, set, train::all_items(set), 1, test::without_noise());
    for (int64_t i = 0; i < 7; ++i)
      EXPECT_LE(test::distance(
                    test::rows_of(r.images, i, i + 1),
                    to_doubles(image_of(*model, r.z.slice(i, i + 1), predicted[static_cast<size_t>(i)]))),
                1e-5)
          << name_of(kind) << " image " << i;
  }
}

// With flows the code is what the decoder takes: flowed, or as drawn where the library's decoder takes that.
TEST(AdgmReconstruct, DecodesTheCodeBehindTheFlows) {
  const ImageSet set = image_set(7);
  for (const bool fixed : {false, true}) {
    Config config = small(Kind::vae);
    config.flows = 2, config.fixed_flow = fixed;
    const auto model = trained(config, 1.5);
    const Reconstruction r = reconstruct(*model, all_of(set), test::without_noise());
    const Tensor decoded = generate(*model, r.z, {}, test::without_noise());
    EXPECT_LE(test::distance(to_doubles(decoded), to_doubles(r.images)), 1e-5) << fixed;
  }
}

TEST(AdgmGenerate, EveryCodeUnderEveryClass) {
  const auto model = trained(small(Kind::m2), 1.5);
  const Tensor z = test::sample_tensor({4, 3}, DType::f32);
  const Tensor all = generate_classes(*model, z, kClasses, test::without_noise());
  ASSERT_EQ(all.shape(), (Shape{4, kClasses, kX}));
  for (int64_t r = 0; r < 4; ++r)
    for (int64_t k = 0; k < kClasses; ++k)
      EXPECT_LE(test::distance(test::rows_of(all.slice(r, r + 1).reshape({kClasses, kX}), k, k + 1),
                               to_doubles(image_of(*model, z.slice(r, r + 1), k))),
                1e-6)
          << r << " " << k;
}

// 0/1 pixels of the labelled images are drawn when an epoch begins, whatever the step that looks at them.
TEST(AdgmPixels, OfLabelledImagesAreDrawnOnceAnEpoch) {
  ImageSet set = image_set(12);
  set.inputs = train::Inputs::drawn;
  const Settings settings{.model = small(Kind::m2), .batch = 4, .batch_labeled = 4, .iters_per_epoch = 3};
  SemiRecipe recipe(
      settings, {set, set, kClasses, "", {train::item_range(0, 6, kCpu), train::item_range(6, 12, kCpu), {}}},
      {});
  const auto loss = [&] { return recipe.updates(test::without_noise())[0].losses[0]().value().item(); };
  std::vector<double> losses;
  for (int64_t iteration = 0; iteration < 9; ++iteration) {
    recipe.prepare(iteration);
    losses.push_back(loss());
  }
  for (size_t i = 1; i < losses.size(); ++i) EXPECT_EQ(losses[i] == losses[i - 1], i % 3 != 0) << i;
  recipe.prepare(4);  // resumed within an epoch
  EXPECT_EQ(loss(), losses[3]);
}

/// A model with its test set, as pictures take them.
struct Shown {
  explicit Shown(Kind kind, int64_t images = 12) : model(trained(small(kind), 1.5)), set(image_set(images)) {}
  PictureSource source() const { return {*model, set, {}, test::without_noise()}; }
  Tensor items(int64_t count, const char* stream) const {
    return train::random_items(set, count, test::without_noise().key(stream));
  }
  Tensor codes(const Tensor& items) const {
    return reconstruct(*model, set.gather(items), test::without_noise()).z;
  }
  std::unique_ptr<Model> model;
  ImageSet set;
};

/// A grid of images, cell by cell; single images may be off by a last bit, so a grey value by one.
void expect_cells(const report::Picture& picture, const Shown& shown, int rows, int columns,
                  const std::function<Tensor(int row, int column)>& cell) {
  const Tensor cells = Tensor::empty({rows * columns, kX});
  for (int i = 0; i < rows * columns; ++i)
    cells.slice(i, i + 1).copy_from(cell(i / columns, i % columns).reshape({1, kX}));
  const report::Image expected = report::tensor_grid(cells, shown.set.pixels.shape(), rows, columns);
  const auto& image = std::get<report::Image>(picture);
  ASSERT_EQ(image.width, expected.width);
  ASSERT_EQ(image.height, expected.height);
  for (size_t i = 0; i < image.pixels.size(); ++i) ASSERT_NEAR(image.pixels[i], expected.pixels[i], 1) << i;
}

Tensor prior_codes(int64_t rows) {
  return train::normal_noise({rows, 3}, test::without_noise().key("samples"), 0, Tensor::zeros({1}));
}

TEST(AdgmPictures, SamplesHaveARowPerClassAndAColumnPerCode) {
  const Shown shown(Kind::m2);
  const Tensor z = prior_codes(16);
  const auto cell = [&](int64_t k, int64_t column) {
    return image_of(*shown.model, z.slice(column, column + 1), k);
  };
  expect_cells(samples(shown.source(), -1), shown, kClasses, 16, cell);
  expect_cells(samples(shown.source(), 2), shown, 1, 16, [&](int, int column) { return cell(2, column); });
  test::expect_error(ErrorKind::usage, "--digit 3: the classes are 0 to 2",
                     [&] { samples(shown.source(), 3); });
  const Shown plain(Kind::vae);
  expect_cells(samples(plain.source(), -1), plain, 4, 4, [&](int row, int column) {
    return image_of(*plain.model, prior_codes(16).slice(4 * row + column, 4 * row + column + 1), 0);
  });
}

TEST(AdgmPictures, AnalogiesHaveARowPerImageAndAColumnPerClass) {
  const Shown shown(Kind::m2);
  const Tensor items = shown.items(1000, "pictures").slice(0, 10), z = shown.codes(items);
  const Tensor cells = Tensor::empty({10, kClasses, kX});
  for (int64_t r = 0; r < 10; ++r)
    for (int64_t k = 0; k < kClasses; ++k)
      cells.slice(r, r + 1)
          .reshape({kClasses, kX})
          .slice(k, k + 1)
          .copy_from(image_of(*shown.model, z.slice(r, r + 1), k));
  const report::Image image = std::get<report::Image>(analogies(shown.source()));
  const report::Image expected =
      report::analogy_picture(shown.set.gather(items), cells, shown.set.pixels.shape());
  ASSERT_EQ(image.pixels.size(), expected.pixels.size());
  for (size_t i = 0; i < image.pixels.size(); ++i) ASSERT_NEAR(image.pixels[i], expected.pixels[i], 1);
}

// Nine columns from -span to span about the code of the only image; a row per variable.
TEST(AdgmPictures, TraversalsMoveOneVariableARow) {
  const Shown shown(Kind::vae, 1);
  const std::vector<double> z = to_doubles(shown.codes(train::items_of({0}, kCpu)));
  expect_cells(traversals(shown.source(), 2), shown, 3, 9, [&](int row, int column) {
    std::vector<double> moved = z;
    moved[static_cast<size_t>(row)] += -2 + 0.5 * column;
    return image_of(*shown.model, test::tensor_of(moved, {1, 3}, DType::f32), 0);
  });
}

// Ten columns from the first image of a pair to the second; a row per pair.
TEST(AdgmPictures, InterpolationsGoFromOneImageToTheNext) {
  const Shown shown(Kind::vae, 7);  // three pairs, and one image left over
  const std::vector<double> z = to_doubles(shown.codes(shown.items(20, "interpolate")));
  expect_cells(interpolations(shown.source()), shown, 3, 10, [&](int row, int column) {
    std::vector<double> code;
    for (size_t d = 0; d < 3; ++d) {
      const auto first = static_cast<size_t>(2 * row) * 3 + d;
      code.push_back(z[first] + column / 9.0 * (z[first + 3] - z[first]));
    }
    return image_of(*shown.model, test::tensor_of(code, {1, 3}, DType::f32), 0);
  });
}

TEST(AdgmPictures, ReconstructionsFollowTheImages) {
  const Shown shown(Kind::vae);
  const Tensor items = shown.items(1000, "pictures");
  const Tensor x = shown.set.gather(items);
  const Tensor images = reconstruct(*shown.model, x, test::without_noise()).images;
  EXPECT_EQ(std::get<report::Image>(reconstructions(shown.source())).pixels,
            report::reconstruction_picture(x, images, shown.set.pixels.shape()).pixels);
}

}  // namespace
}  // namespace vae::adgm
