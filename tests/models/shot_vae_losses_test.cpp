// The losses of SHOT-VAE, the plain bound and FixMatch by their formulas, as loops over what the nets say.
#include <gtest/gtest.h>

#include <numeric>

#include "models/shot_vae/classifier.h"
#include "tests/expect_error.h"
#include "tests/models/densities.h"
#include "tests/models/shot_vae_models.h"

namespace vae::shot_vae {
namespace {

constexpr int64_t kRows = 5, kZ = 3, kClasses = 3, kPixels = 32 * 32 * 3;
constexpr double kTight = 1e-11;

/// Rows of numbers.
class Table {
 public:
  Table(std::vector<double> values, int64_t rows)
      : values_(std::move(values)), columns_(std::ssize(values_) / rows) {}
  explicit Table(const Tensor& x) : Table(to_doubles(x), x.size(0)) {}
  double& operator()(int64_t row, int64_t column) {
    return values_[static_cast<size_t>(row * columns_ + column)];
  }
  double operator()(int64_t row, int64_t column) const {
    return values_[static_cast<size_t>(row * columns_ + column)];
  }
  int64_t rows() const { return std::ssize(values_) / columns_; }
  int64_t columns() const { return columns_; }
  const std::vector<double>& values() const { return values_; }

 private:
  std::vector<double> values_;
  int64_t columns_;
};

/// Mean over the rows of the sum of term(row, column).
template <class Term>
double mean_of(int64_t rows, int64_t columns, const Term& term) {
  double sum = 0;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) sum += term(r, c);
  return sum / static_cast<double>(rows);
}

Table mixed(const Table& x, double lambda, const std::vector<int64_t>& partner) {
  Table y = x;
  for (int64_t r = 0; r < x.rows(); ++r)
    for (int64_t c = 0; c < x.columns(); ++c)
      y(r, c) = lambda * x(r, c) + (1 - lambda) * x(partner[static_cast<size_t>(r)], c);
  return y;
}

Table exp_of(Table x) {
  for (int64_t r = 0; r < x.rows(); ++r)
    for (int64_t c = 0; c < x.columns(); ++c) x(r, c) = std::exp(x(r, c));
  return x;
}

Table one_hot(const Tensor& labels) {
  const auto of = labels.to_vector<int64_t>();
  Table y(std::vector<double>(of.size() * kClasses), std::ssize(of));
  for (size_t i = 0; i < of.size(); ++i) y(static_cast<int64_t>(i), of[i]) = 1;
  return y;
}

/// What a step says by name.
class Said {
 public:
  explicit Said(const train::Notes& notes) : notes_(notes) {}
  Table table(const std::string& name) const { return Table(notes_.at(name).value()); }
  double number(const std::string& name) const { return notes_.at(name).value().item(); }
  std::vector<int64_t> items(const std::string& name) const {
    return notes_.at(name).value().to_vector<int64_t>();
  }

 private:
  const train::Notes& notes_;
};

double reconstruction(const Table& logits, const Table& x, const Objective& o) {
  return mean_of(x.rows(), kPixels, [&](int64_t r, int64_t c) {
    if (o.reconstruction == Reconstruction::bernoulli) return -test::log_bernoulli(x(r, c), logits(r, c));
    const double mean = 1 / (1 + std::exp(-logits(r, c)));
    return std::pow(mean - x(r, c), 2) / (2 * o.sigma * o.sigma);
  });
}

double kl_z_of(const Table& mean, const Table& log_sigma) {
  return mean_of(mean.rows(), kZ, [&](int64_t r, int64_t c) {
    return 0.5 * (std::pow(mean(r, c), 2) + std::exp(2 * log_sigma(r, c)) - 2 * log_sigma(r, c) - 1);
  });
}

double kl_y_of(const Table& log_alpha) {
  return mean_of(log_alpha.rows(), kClasses, [&](int64_t r, int64_t c) {
    return std::exp(log_alpha(r, c)) * (log_alpha(r, c) + std::log(3.0));
  });
}

double cross_entropy(const Table& log_alpha, const Table& p) {
  return mean_of(p.rows(), kClasses, [&](int64_t r, int64_t c) { return -log_alpha(r, c) * p(r, c); });
}

/// The bound of a first pass, without its weight, of images and given or drawn classes; also that its terms
/// are those that were said.
double bound_of(const ShotVae& model, const Said& said, const Images& images, bool labeled,
                const Objective& o, const train::Step& step) {
  const std::string pass = labeled ? "l1" : "u1", set = pass.substr(0, 1);
  const int64_t n = images.labels.numel();
  const Table mean = said.table("mean_" + pass), log_sigma = said.table("log_sigma_" + pass),
              log_alpha = said.table("log_alpha_" + pass);
  Table z(step.normal("eps_" + pass, n, kZ).value()), y = one_hot(images.labels);
  const Table u(step.uniform("unif_" + pass, n, kClasses).value());
  for (int64_t r = 0; r < n; ++r) {
    for (int64_t c = 0; c < kZ; ++c) z(r, c) = mean(r, c) + std::exp(log_sigma(r, c)) * z(r, c);
    if (labeled) continue;
    double sum = 0;
    for (int64_t c = 0; c < kClasses; ++c) {
      const double gumbel = -std::log(-std::log(u(r, c) + 1e-12) + 1e-12);
      sum += y(r, c) = std::exp((log_alpha(r, c) + gumbel) / 0.67);
    }
    for (int64_t c = 0; c < kClasses; ++c) y(r, c) /= sum;
  }
  const Var decoded = model.decode(Var(test::tensor_of(z.values(), {n, kZ}, DType::f64)),
                                   Var(test::tensor_of(y.values(), {n, kClasses}, DType::f64)));
  EXPECT_LE(test::distance(to_doubles(decoded.value()), said.table("recon_" + pass).values()), 1e-9);
  const double recon = reconstruction(Table(decoded.value()), Table(images.x.value()), o),
               kl_z = kl_z_of(mean, log_sigma), kl_y = kl_y_of(log_alpha);
  EXPECT_NEAR(said.number("recon_" + set), recon, kTight * recon);
  EXPECT_NEAR(said.number("kl_z_" + set), kl_z, kTight * kl_z);
  EXPECT_NEAR(said.number("kl_y_" + set), kl_y, kTight);
  return recon + o.beta_z.top * std::abs(kl_z - o.target_z.top) +
         o.beta_y.top * std::abs(kl_y - o.target_y.top);
}

/// sum q(y|x) (log q(y|x) - log p), p nearly one at the label.
double kl_inference_of(const Table& log_alpha, const Tensor& labels) {
  const Table y = one_hot(labels);
  return mean_of(y.rows(), kClasses, [&](int64_t r, int64_t c) {
    const double p = y(r, c) == 1 ? 0.999 : 0.001 / (kClasses - 1);
    return std::exp(log_alpha(r, c)) * (log_alpha(r, c) - std::log(p));
  });
}

/// For each row the other one whose divergence from it is smallest.
std::vector<int64_t> nearest_of(const Table& mean, const Table& log_sigma) {
  std::vector<int64_t> partner;
  for (int64_t i = 0; i < mean.rows(); ++i) {
    double least = HUGE_VAL;
    int64_t best = -1;
    for (int64_t j = 0; j < mean.rows(); ++j) {
      double d = 0;
      for (int64_t c = 0; c < kZ; ++c)
        d += log_sigma(j, c) - log_sigma(i, c) - 0.5 +
             0.5 * (std::exp(2 * log_sigma(i, c)) + std::pow(mean(i, c) - mean(j, c), 2)) /
                 std::exp(2 * log_sigma(j, c));
      if (j != i && d < least) least = d, best = j;
    }
    partner.push_back(best);
  }
  return partner;
}

void expect_losses(const NamedBackbone& backbone, const Objective& o, Partner partner) {
  ShotVae model(small_config(backbone.config), {.dtype = DType::f64});
  test::scatter(model, 0.6);
  const Images labeled = pictures(4, 1), unlabeled = pictures(kRows, 2);
  const double lambda_l = 0.3, lambda_u = 0.85;
  const std::vector<int64_t> perm_l{2, 0, 1, 3}, perm_u{4, 3, 1, 0, 2};
  const train::Step step = step_of(4);
  train::Notes notes;
  const Mixing of_labeled{Var(Tensor::scalar(lambda_l)), train::items_of(perm_l, kCpu)};
  Mixing of_unlabeled{Var(Tensor::scalar(lambda_u)), {}};
  if (partner == Partner::random) of_unlabeled.partner = train::items_of(perm_u, kCpu);
  std::vector<double> losses;
  for (const auto& loss : model.shot_losses(labeled, of_labeled, unlabeled, of_unlabeled, o, {o, 1, step},
                                            true, step.with_notes(notes)))
    losses.push_back(loss().value().item());
  const Said said(notes);

  const auto check = [&](const Images& images, const std::string& set, double lambda,
                         const std::vector<int64_t>& pair, const Table& target, double weight) {
    const double first = o.elbo.top * bound_of(model, said, images, set == "l", o, step);
    const Table x = mixed(Table(images.x.value()), lambda, pair),
                mean = mixed(said.table("mean_" + set + "1"), lambda, pair),
                sigma = mixed(exp_of(said.table("log_sigma_" + set + "1")), lambda, pair);
    const int64_t n = x.rows();
    const Posterior q =
        model.encode(Var(test::tensor_of(x.values(), {n, 32, 32, 3}, DType::f64)), n, step.in(set + "2"));
    const Table mean2(q.mean.value()), sigma2 = exp_of(Table(q.log_sigma.value()));
    const double post_z = mean_of(n, kZ, [&](int64_t r, int64_t c) {
      return std::pow(mean2(r, c) - mean(r, c), 2) + std::pow(sigma2(r, c) - sigma(r, c), 2);
    });
    const double classes = cross_entropy(Table(q.log_alpha.value()), target);
    EXPECT_NEAR(said.number("post_z_" + set), post_z, 1e-9 * post_z);
    EXPECT_NEAR(said.number("cls_" + set), classes, 1e-9 * classes);
    const double second = o.elbo.top * o.beta_z.top * o.distance.top * post_z + weight * classes;
    EXPECT_NEAR(losses[set == "l" ? 0 : 2], first, 1e-9 * first);
    EXPECT_NEAR(losses[set == "l" ? 1 : 3], second, 1e-9 * second);
    EXPECT_NEAR(said.number("loss_" + set), first + second, 1e-9 * (first + second));
  };
  check(labeled, "l", lambda_l, perm_l, mixed(one_hot(labeled.labels), lambda_l, perm_l), 1);
  const std::vector<int64_t> pair =
      partner == Partner::random ? perm_u : nearest_of(said.table("mean_u1"), said.table("log_sigma_u1"));
  if (partner == Partner::nearest) {
    EXPECT_EQ(said.items("match_index_u"), pair);
  }
  const Table log_alpha = said.table("log_alpha_u1");
  check(unlabeled, "u", lambda_u, pair, mixed(exp_of(log_alpha), lambda_u, pair), o.unlabeled.top);
  EXPECT_NEAR(said.number("kl_inference"), kl_inference_of(log_alpha, unlabeled.labels), 1e-9);
}

TEST(ShotVaeLosses, AreTheirFormulas) {
  for (const NamedBackbone& backbone : small_backbones())
    for (const Reconstruction kind : {Reconstruction::bernoulli, Reconstruction::squared})
      for (const Partner partner : {Partner::random, Partner::nearest}) {
        SCOPED_TRACE(fmt::format("{}, reconstruction {}, partner {}", backbone.name, static_cast<int>(kind),
                                 static_cast<int>(partner)));
        expect_losses(backbone, full_objective(kind), partner);
      }
}

TEST(ShotVaeLosses, PlainBoundIsItsFormula) {
  const Objective o = full_objective(Reconstruction::squared);
  ShotVae model(small_config(), {.dtype = DType::f64});
  test::scatter(model, 0.6);
  const Images labeled = pictures(4, 1), unlabeled = pictures(4, 2);
  const train::Step step = step_of(4);
  train::Notes notes;
  std::vector<double> losses;
  for (const auto& loss : model.m2_losses(labeled, unlabeled, o, {o, 1, step}, step.with_notes(notes)))
    losses.push_back(loss().value().item());
  const Said said(notes);
  const double classes = cross_entropy(said.table("log_alpha_l1"), one_hot(labeled.labels)),
               of_labeled = o.elbo.top * bound_of(model, said, labeled, true, o, step) + classes,
               of_unlabeled = o.elbo.top * bound_of(model, said, unlabeled, false, o, step);
  ASSERT_EQ(losses.size(), 2u);
  EXPECT_NEAR(losses[0], of_labeled, 1e-9 * of_labeled);
  EXPECT_NEAR(losses[1], of_unlabeled, 1e-9 * of_unlabeled);
  EXPECT_NEAR(said.number("cls_l"), classes, kTight);
  EXPECT_EQ(said.number("loss_l"), losses[0]);
  EXPECT_EQ(said.number("loss_u"), losses[1]);
  EXPECT_NEAR(said.number("kl_inference"), kl_inference_of(said.table("log_alpha_u1"), unlabeled.labels),
              1e-9);
}

// ---- FixMatch

std::vector<double> softmax_of(const Table& logits, int64_t row) {
  std::vector<double> p;
  for (int64_t k = 0; k < kClasses; ++k) p.push_back(std::exp(logits(row, k)));
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& v : p) v /= sum;
  return p;
}

// One pass over all three parts, whose statistics they share; a prediction counts from the threshold on, and
// it is that of the undistorted image.
TEST(FixMatchLoss, IsItsFormula) {
  backbones::Config backbone = small_backbones()[0].config;
  Classifier model(backbone, kClasses, {.dtype = DType::f64});
  test::scatter(model, 1.5);
  const Images labeled = pictures(3, 1), unlabeled = pictures(kRows, 2), distorted = pictures(kRows, 3);
  const int64_t n = 3, all = n + 2 * kRows;
  const train::Step step = step_of(4);
  const Tensor x = train::stacked({labeled.x.value(), unlabeled.x.value(), distorted.x.value()});
  const Table logits(model(Var(x), all, step).value());
  std::vector<double> probability;
  std::vector<int64_t> predicted;
  for (int64_t i = 0; i < kRows; ++i) {
    const std::vector<double> p = softmax_of(logits, n + i);
    predicted.push_back(std::ranges::max_element(p) - p.begin());
    probability.push_back(p[static_cast<size_t>(predicted.back())]);
  }
  std::vector<double> sorted = probability;
  std::ranges::sort(sorted);
  const auto labels = labeled.labels.to_vector<int64_t>();
  double of_labeled = 0;
  for (int64_t i = 0; i < n; ++i)
    of_labeled -= std::log(softmax_of(logits, i)[static_cast<size_t>(labels[static_cast<size_t>(i)])]) / 3;
  for (const double threshold : {0.0, sorted[2] - 1e-9, sorted[2] + 1e-9, 1.0}) {
    double of_unlabeled = 0, confident = 0;
    for (int64_t i = 0; i < kRows; ++i) {
      const auto at = static_cast<size_t>(i);
      if (probability[at] < threshold) continue;
      of_unlabeled -= std::log(softmax_of(logits, n + kRows + i)[static_cast<size_t>(predicted[at])]) / kRows;
      confident += 1.0 / kRows;
    }
    const auto f = model.fix_match(labeled, unlabeled, distorted, threshold, step);
    EXPECT_NEAR(f.labeled.value().item(), of_labeled, kTight);
    EXPECT_NEAR(f.unlabeled.value().item(), of_unlabeled, kTight * (1 + of_unlabeled));
    EXPECT_NEAR(f.confident.value().item(), confident, kTight);
  }
}

TEST(ClassifierLoss, IsTheCrossEntropy) {
  Classifier model(small_backbones()[0].config, kClasses, {.dtype = DType::f64});
  test::scatter(model, 0.6);
  const Images images = pictures(4, 1);
  train::Notes notes;
  const double loss = model.loss(images, step_of(3).with_notes(notes)).value().item();
  const Table logits = Said(notes).table("logits");
  const auto labels = images.labels.to_vector<int64_t>();
  double expected = 0;
  for (int64_t i = 0; i < 4; ++i)
    expected -= std::log(softmax_of(logits, i)[static_cast<size_t>(labels[static_cast<size_t>(i)])]) / 4;
  EXPECT_NEAR(loss, expected, kTight);
}

// ---- nets

TEST(ShotVae, RefusesSizesThatMakeNoNet) {
  const auto refused = [](const std::string& words, const std::function<void(Config&)>& change) {
    Config config = small_config();
    change(config);
    test::expect_error(ErrorKind::usage, words, [&] { ShotVae(config, {}); });
  };
  refused("side 48", [](Config& c) { c.side = 48; });
  refused("side 0", [](Config& c) { c.side = 0; });
  refused("0 latent variables", [](Config& c) { c.z_size = 0; });
  refused("0 classes", [](Config& c) { c.classes = 0; });
  refused("a decoder of width 0", [](Config& c) { c.decoder_width = 0; });
}

TEST(ShotVae, DecodesLargerImages) {
  Config config = small_config();
  config.side = 64;
  const ShotVae model(config, {});
  const Var images = model.decode(Var(test::sample_tensor({2, 3}, DType::f32)),
                                  Var(test::sample_tensor({2, 3}, DType::f32)));
  EXPECT_EQ(images.shape(), (Shape{2, 64, 64, 3}));
}

// The published nets for ten and for a hundred classes.
TEST(ShotVae, HasAsManyParametersAsThePublishedNets) {
  const auto count = [](int64_t classes) {
    return ShotVae({.backbone = backbones::parse("wideresnet-28-2"), .classes = classes}, {})
        .parameter_count();
  };
  EXPECT_EQ(count(10), 12'790'346);
  EXPECT_EQ(count(100), 12'894'116);
  const auto of_classifier = [](const char* name, int64_t classes) {
    return Classifier(backbones::parse(name), classes, {}).parameter_count();
  };
  EXPECT_EQ(of_classifier("wideresnet-28-2", 10), 1'467'850);
  EXPECT_EQ(of_classifier("wideresnet-28-2", 100), 1'479'460);
}

/// The largest magnitude of a parameter.
double limit_of(const nn::Module& module, const std::string& name) {
  double largest = 0;
  for (const double v : to_doubles(test::parameter_of(module, name).value()))
    largest = std::max(largest, std::abs(v));
  return largest;
}

// Uniform up to the limits of the framework's defaults; of the classifier He's and Glorot's.
TEST(ShotVae, BeginsWithinTheLimits) {
  const auto within = [](const nn::Module& module, const std::string& name, double limit) {
    const double largest = limit_of(module, name);
    EXPECT_LE(largest, limit * (1 + 1e-6)) << name;
    EXPECT_GE(largest, 0.9 * limit) << name;
  };
  const ShotVae model({.backbone = backbones::parse("wideresnet-10-1"), .z_size = 20}, {});
  within(model, "feature_extractor.encoder.pre_process.conv0.weight", 1 / std::sqrt(27.0));
  within(model, "feature_reconstructor.decoder.0.weight", 1.0 / 32);
  within(model, "feature_reconstructor.decoder.3.weight", 1 / std::sqrt(512 * 16.0));
  within(model, "continuous_inference.log_sigma.fc.weight", 1.0 / 8);
  EXPECT_EQ(limit_of(model, "feature_reconstructor.decoder.1.weight"), 1);
  EXPECT_EQ(limit_of(model, "feature_reconstructor.decoder.1.bias"), 0);
  const Classifier classifier(backbones::parse("wideresnet-10-1"), 10, {});
  within(classifier, "encoder.pre_process.conv0.weight", std::sqrt(6 / 27.0));
  EXPECT_EQ(limit_of(classifier, "encoder.pre_process.conv0.bias"), 0);
  within(classifier, "classification.fc.weight", std::sqrt(6 / 74.0));
  EXPECT_EQ(limit_of(classifier, "classification.fc.bias"), 0);
  EXPECT_EQ(limit_of(classifier, "global_avg.norm.weight"), 1);
}

}  // namespace
}  // namespace vae::shot_vae
