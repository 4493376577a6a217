// The importance-weighted estimates of -log p(x) of every model that has one, against the integral over its
// latent variables on a grid. They are of width one, and there are two of them at most.
#include <gtest/gtest.h>

#include <cmath>

#include "models/adgm/recipe.h"
#include "models/m1_m2/stack.h"
#include "models/sym_vae/recipe.h"
#include "tests/expect_error.h"
#include "tests/models/densities.h"
#include "tests/models/few.h"
#include "tests/models/sym_vae_models.h"

namespace vae {
namespace {

constexpr int64_t kX = 6, kClasses = 3, kImages = 4, kCopies = 40;

train::ImageSet image_set() { return test::few_images(kImages, 2, 3, kClasses); }

/// Every image many times, so that the estimate is a mean of many, in batches of 100 and 60.
std::vector<int64_t> many_items() {
  std::vector<int64_t> items;
  for (int64_t i = 0; i < kImages; ++i) items.insert(items.end(), static_cast<size_t>(kCopies), i);
  return items;
}

/// Equidistant points of a standard normal variable, and the logarithms of their probabilities.
struct Grid {
  std::vector<double> at, log_p;
  explicit Grid(double step) {
    for (double z = -7; z <= 7; z += step)
      at.push_back(z), log_p.push_back(std::log(step) - 0.5 * z * z - 0.5 * std::log(2 * M_PI));
  }
  int64_t size() const { return std::ssize(at); }
  Tensor column() const { return test::tensor_of(at, {size(), 1}, DType::f32); }
};

/// log p(x) of each image: the sum over rows of log p(row) p(x|row).
class Evidence {
 public:
  Evidence() : x_(to_doubles(image_set().gather(train::item_range(0, kImages, kCpu)))) {}

  void add(const nn::Likelihood& p, const std::vector<double>& log_p, nn::LogVarRange range = {}) {
    const auto* bits = std::get_if<nn::Bernoulli>(&p);
    const std::vector<double> first =
        to_doubles(bits ? bits->logits.value() : std::get<nn::Gaussian>(p).mean.value());
    const std::vector<double> second =
        bits ? std::vector<double>{} : to_doubles(std::get<nn::Gaussian>(p).log_var.value());
    for (size_t row = 0; row < log_p.size(); ++row)
      for (size_t image = 0; image < kImages; ++image) {
        double log_px = log_p[row];
        for (size_t d = 0; d < kX; ++d) {
          const double x = x_[image * kX + d];
          const size_t i = row * kX + d;
          log_px += bits ? test::log_bernoulli(x, first[i])
                         : test::log_normal(x, first[i], std::clamp(second[i], range.low, range.high));
        }
        sums_[image] += std::exp(log_px);
      }
  }
  /// -log p(x), mean over the images.
  double nll() const {
    double nll = 0;
    for (const double p : sums_) nll -= std::log(p) / kImages;
    return nll;
  }

 private:
  std::vector<double> x_;
  double sums_[kImages] = {};
};

/// 160 estimates of 400 weights each; a weight deviates by its own size at most.
constexpr int64_t kSamples = 400;
constexpr double kTolerance = 0.02;

m1_m2::NetConfig net() { return {.hidden = {5, 4}}; }

TEST(Likelihood, OfM1) {
  for (const auto decoder : {nn::LikelihoodKind::bernoulli, nn::LikelihoodKind::gaussian}) {
    m1_m2::M1Config config;
    config.decoder = decoder, config.x_size = kX, config.z_size = 1;
    config.encoder = config.decoder_net = net();
    m1_m2::M1 model(config, {});
    test::scatter(model, 0.5);
    const nn::TestMode test(model);
    const Grid grid(0.05);
    Evidence evidence;
    evidence.add(model.decode(autograd::Var(grid.column())), grid.log_p);
    EXPECT_NEAR(
        m1_m2::importance_nll(model, image_set(), train::items_of(many_items(), kCpu), kSamples, {1, 2}),
        evidence.nll(), kTolerance);
  }
}

TEST(Likelihood, OfM2) {
  for (const auto decoder : {nn::LikelihoodKind::bernoulli, nn::LikelihoodKind::gaussian}) {
    m1_m2::M2Config config;
    config.decoder = decoder, config.x_size = kX, config.y_size = kClasses, config.z_size = 1;
    config.encoder_xy_z = config.encoder_x_y = config.decoder_net = net();
    m1_m2::M2 model(config, {});
    test::scatter(model, 0.5);
    if (decoder == nn::LikelihoodKind::gaussian)  // beyond the limits of log variances, above and below
      test::parameter_of(model, "decoder.layer_output_var.bias")
          .value()
          .copy_from(test::tensor_of({4, 0, 0, -9, 0, 0}, {kX}, DType::f32));
    const nn::TestMode test(model);
    const Grid grid(0.05);
    Evidence evidence;
    for (int64_t k = 0; k < kClasses; ++k) {
      std::vector<double> log_p = grid.log_p;
      for (double& p : log_p) p -= std::log(kClasses);
      const Tensor labels = train::items_of(std::vector<int64_t>(static_cast<size_t>(grid.size()), k), kCpu);
      evidence.add(model.decode(autograd::Var(grid.column()), labels), log_p, m1_m2::kM2LogVar);
    }
    const m1_m2::Stack stack{&model, nullptr};
    EXPECT_NEAR(
        m1_m2::importance_nll(stack, image_set(), train::items_of(many_items(), kCpu), kSamples, {1, 2}),
        evidence.nll(), kTolerance);
    m1_m2::M1Config below;
    below.x_size = kX;
    m1_m2::M1 m1(below, {});
    test::expect_error(ErrorKind::usage, "M1+M2", [&] {
      m1_m2::importance_nll({&model, &m1}, image_set(), train::items_of({0}, kCpu), 1, {});
    });
  }
}

/// Rows of the ADGM family's decoders: the (top) latent variable and the noise of what is drawn below it,
/// both over a grid.
double log_evidence(const adgm::Model& model) {
  const adgm::Config& c = model.config();
  const Grid grid(0.1);
  std::vector<double> z, noise, log_p;
  for (int64_t i = 0; i < grid.size(); ++i)
    for (int64_t j = 0; j < grid.size(); ++j) {
      z.push_back(grid.at[static_cast<size_t>(i)]), noise.push_back(grid.at[static_cast<size_t>(j)]);
      log_p.push_back(grid.log_p[static_cast<size_t>(i)] + grid.log_p[static_cast<size_t>(j)]);
    }
  const auto count = std::ssize(z);
  const train::Step step = test::without_noise().with_noise([&](const std::string&, Shape, train::Draw) {
    return test::tensor_of(noise, {count, 1}, DType::f32);
  });
  Evidence evidence;
  const int64_t classes = adgm::has_labels(c.kind) ? kClasses : 1;
  for (double& p : log_p) p -= std::log(static_cast<double>(classes));
  for (int64_t k = 0; k < classes; ++k) {
    const Tensor labels = train::items_of(std::vector<int64_t>(z.size(), k), kCpu);
    const adgm::Rows rows = adgm::has_labels(c.kind) ? adgm::labeled_rows(count, labels, kClasses, DType::f32)
                                                     : adgm::Rows{count};
    const autograd::Var codes(test::tensor_of(z, {count, 1}, DType::f32));
    evidence.add(nn::Bernoulli{model.decode(codes, rows, step)}, log_p);
  }
  return evidence.nll();
}

TEST(Likelihood, OfTheAdgmFamily) {
  using adgm::Kind;
  const auto check = [](const char* name, adgm::Config c) {
    c.x_size = kX, c.y_size = kClasses, c.a = 1, c.z = {1}, c.hidden = {5, 4};
    if (c.kind == Kind::ladder || c.kind == Kind::ladder_m2) c.z = {1, 1};
    const auto model = adgm::make_model(c, {});
    test::scatter(*model, 0.5);
    const nn::TestMode test(*model);
    EXPECT_NEAR(adgm::importance_nll(*model, image_set(), train::items_of(many_items(), kCpu), kSamples,
                                     train::Step(3, Tensor::scalar(int64_t{0}))),
                log_evidence(*model), kTolerance)
        << name;
  };
  check("adgm", {.kind = Kind::adgm});
  check("adgm, shared a, exact", {.kind = Kind::adgm, .eps = 0, .share_a = true});
  check("sdgm", {.kind = Kind::sdgm});
  check("m2", {.kind = Kind::m2});
  check("vae, raw log variances, exact", {.kind = Kind::vae, .eps = 0, .raw_log_var = true});
  check("vae, flows", {.kind = Kind::vae, .flows = 2, .fixed_flow = true});
  for (const bool fixed : {false, true}) {
    check("ladder", {.kind = Kind::ladder, .fixed_ladder = fixed});
    check("ladder-m2", {.kind = Kind::ladder_m2, .fixed_ladder = fixed});
  }
}

// The sum over all codes of the model of bits. An image tells little of its code, so that weights do not
// deviate by more than their size.
TEST(Likelihood, OfBinaryCodes) {
  using namespace sym_vae;
  constexpr int64_t kRepeated = 10;
  for_variants([](Config c) {
    c.nz0 = 1, c.nz1 = 2;
    const train::ImageSet one = test::few_images(kImages, sym_vae::kSide, sym_vae::kSide, kClasses);
    std::vector<uint8_t> pixels;
    const auto of_one = one.pixels.to_vector<uint8_t>();
    for (int64_t i = 0; i < kRepeated; ++i) pixels.insert(pixels.end(), of_one.begin(), of_one.end());
    const train::ImageSet repeated{
        Tensor::from(pixels, {kRepeated * kImages, sym_vae::kSide, sym_vae::kSide, 1}),
        Tensor::zeros({kRepeated * kImages}, DType::i64), train::Inputs::unit};
    SymVaeRecipe recipe({.model = c, .batch = 2}, {one, repeated}, {});
    SymVae& model = recipe.model();
    test::scatter(model, 0.5);
    const std::string last = c.encoder == EncoderKind::ladder ? "fnet1x.conv7.weight" : "pnet1x.conv7.weight";
    const Tensor weight = test::parameter_of(model, last).value();
    weight.copy_from((0.02 * autograd::Var(weight)).value());
    double expected = 0;
    for (int64_t i = 0; i < kImages; ++i) {
      const autograd::Var x(one.gather(train::items_of({i}, kCpu)));
      double sum = 0, least = HUGE_VAL;
      std::vector<double> costs;
      for (int code = 0; code < 8; ++code) {
        const auto bits = [&](std::vector<double> z) {
          return autograd::Var(test::tensor_of(z, {1, std::ssize(z)}, DType::f32));
        };
        const Codes z{.z0 = bits({double(code & 1)}), .z1 = bits({double(code >> 1 & 1), double(code >> 2)})};
        costs.push_back(
            model.generator_losses(x, z, 1, {1, Tensor::scalar(int64_t{0})}).total.value().item());
        least = std::min(least, costs.back());
      }
      for (const double cost : costs) sum += std::exp(least - cost);
      expected += (least - std::log(sum) + std::log(2)) / kImages;
    }
    EXPECT_NEAR(recipe.nll(kSamples, {1, Tensor::scalar(int64_t{0})}), expected, kTolerance);
  });
}

}  // namespace
}  // namespace vae
