// The losses of the model of binary codes by their definition: what the nets say of each row, put into the
// formulas; with the constants of the reference, which cut log(2 pi) / 2 and log 2.
#include <gtest/gtest.h>

#include "tests/models/densities.h"
#include "tests/models/sym_vae_models.h"

namespace vae::sym_vae::sym_vae_losses_test {

constexpr int64_t kRows = 4;

std::vector<double> numbers(const Var& x) { return to_doubles(x.value()); }

/// -log Bernoulli of targets, mean over the rows.
double bits_cost(const Var& logits, const Var& target) {
  const std::vector<double> l = numbers(logits), t = numbers(target);
  double sum = 0;
  for (size_t i = 0; i < l.size(); ++i) sum -= test::log_bernoulli(t[i], l[i]) / kRows;
  return sum;
}

double reconstruction(const SymVae& model, const Var& x, const Var& decoded) {
  if (model.has_bits()) return bits_cost(decoded, x);
  const std::vector<double> m = numbers(decoded), v = numbers(x);
  const double log_sigma = to_doubles(test::parameter_of(model, "lsigma").value())[0];
  double sum = 0;
  for (size_t i = 0; i < m.size(); ++i)
    sum += (0.91894 + log_sigma + std::pow((v[i] - m[i]) / std::exp(log_sigma), 2) / 2) / kRows;
  return sum;
}

double sigmoid(double l) { return 1 / (1 + std::exp(-l)); }

/// KL between bits of probabilities that are weakened, mean over the rows; without q: from fair ones.
double divergence(const Var& p_logits, const Var& q_logits) {
  const std::vector<double> l = numbers(p_logits),
                            m = q_logits.defined() ? numbers(q_logits) : std::vector<double>(l.size());
  double sum = 0;
  for (size_t i = 0; i < l.size(); ++i) {
    const double p = sigmoid(l[i]) * (1 - 1e-6) + 0.5e-6, q = sigmoid(m[i]) * (1 - 1e-6) + 0.5e-6;
    sum += (p * std::log(p / q) + (1 - p) * std::log((1 - p) / (1 - q))) / kRows;
  }
  return sum;
}

/// A model away from its start, images, and what they are encoded as.
struct Given {
  explicit Given(const Config& config) : model(config, {.dtype = DType::f64}), x(images(kRows, config)) {
    test::scatter(model);
    codes = model.encode(x, kRows, first_step());
  }
  SymVae model;
  Var x;
  Codes codes;
  train::Notes notes{};
  train::Step step = first_step().with_notes(notes);
};

void expect_bits(const Var& bits, const Var& logits, const char* noise, const train::Step& step) {
  const std::vector<double> z = numbers(bits), l = numbers(logits),
                            u = numbers(step.uniform(noise, kRows, bits.shape()[1]));
  for (size_t i = 0; i < z.size(); ++i) EXPECT_EQ(z[i], u[i] < sigmoid(l[i]) ? 1 : 0) << noise;
}

TEST(SymVaeDraws, BitsOfTheirDistributions) {
  for_variants([](const Config& config) {
    Given g(config);
    const train::Step step = first_step();
    expect_bits(g.codes.z0, g.codes.logits0, "z0", step);
    expect_bits(g.codes.z1, g.codes.logits1, "z1", step);
    EXPECT_EQ(numbers(g.model.encode_z1(g.x, kRows, step)), numbers(g.codes.z1));
    const Drawn drawn = g.model.draw(kRows, step);
    const Var fair(Tensor::zeros(drawn.codes.z0.shape(), DType::f64));
    expect_bits(drawn.codes.z0, fair, "z0", step);
    expect_bits(drawn.codes.z1, drawn.codes.prior, "z1", step);
    const Var decoded = g.model.decode(drawn.codes.z1);
    if (g.model.has_bits()) return expect_bits(drawn.x, decoded, "x", step);
    const std::vector<double> mean = numbers(decoded), eps = numbers(step.normal("x", kRows, kPixels)),
                              x = numbers(drawn.x);
    const double sigma = std::exp(to_doubles(test::parameter_of(g.model, "lsigma").value())[0]);
    for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i], mean[i] + sigma * eps[i], 1e-14);
  });
}

TEST(SymVaeLosses, OfTheGenerator) {
  for_variants([](const Config& config) {
    Given g(config);
    const GeneratorLosses losses = g.model.generator_losses(g.x, g.codes, kRows, g.step);
    const double z1 = bits_cost(g.notes.at("scores_z1"), g.codes.z1),
                 x = reconstruction(g.model, g.x, g.model.decode(g.codes.z1));
    EXPECT_NEAR(losses.z1.value().item(), z1, 1e-12);
    EXPECT_NEAR(losses.x.value().item(), x, 1e-12 * x);
    EXPECT_NEAR(losses.total.value().item(), z1 + x, 1e-12 * x);
    const Var& decoded = g.notes.at(g.model.has_bits() ? "scores_x" : "mu_x");
    EXPECT_EQ(numbers(decoded), numbers(g.model.decode(g.codes.z1)));
  });
}

TEST(SymVaeLosses, OfTheEncoder) {
  for_variants([](const Config& config) {
    Given g(config);
    const Drawn drawn = g.model.draw(kRows, first_step());
    const EncoderLosses losses = g.model.encoder_losses(drawn, kRows, g.step);
    if (config.encoder == EncoderKind::ladder) {
      const std::vector<double> a1 = numbers(g.notes.at("a1")), prior = numbers(drawn.codes.prior),
                                scores = numbers(g.notes.at("scores_z1"));
      for (size_t i = 0; i < scores.size(); ++i) EXPECT_EQ(scores[i], prior[i] + a1[i]);
      EXPECT_EQ(numbers(g.notes.at("scores_z0")), numbers(g.notes.at("a0")));
    }
    const double z0 = bits_cost(g.notes.at("scores_z0"), drawn.codes.z0),
                 z1 = bits_cost(g.notes.at("scores_z1"), drawn.codes.z1);
    EXPECT_NEAR(losses.z0.value().item(), z0, 1e-12);
    EXPECT_NEAR(losses.z1.value().item(), z1, 1e-12);
    EXPECT_NEAR(losses.total.value().item(), z0 + z1, 1e-12);
  });
}

TEST(SymVaeLosses, OfTheBound) {
  for_variants([](const Config& config) {
    Given g(config);
    const ElboLosses losses = g.model.elbo_losses(g.x, kRows, g.step);
    const Codes& q = g.codes;
    const Var& prior = g.notes.at("p/scores_z1");
    const double x = reconstruction(g.model, g.x, g.model.decode(q.z1));
    double kl = 0;
    if (config.encoder == EncoderKind::ladder) {
      const double kl0 = divergence(q.logits0, {}), kl1 = divergence(q.logits1, prior);
      EXPECT_NEAR(losses.kl0.value().item(), kl0, 1e-12);
      EXPECT_NEAR(losses.kl1.value().item(), kl1, 1e-12);
      kl = kl0 + kl1;
    } else {
      kl = -bits_cost(q.logits1, q.z1) - bits_cost(q.logits0, q.z0) + bits_cost(prior, q.z1) + 0.6931 * 2;
    }
    EXPECT_NEAR(losses.data.value().item(), x, 1e-12 * x);
    EXPECT_NEAR(losses.kl.value().item(), kl, 1e-12);
    EXPECT_NEAR(losses.total.value().item(), x + kl, 1e-12 * x);
  });
}

// log p(x, z) - log q(z|x), with all digits of log 2.
TEST(SymVaeLosses, OfTheWeight) {
  for_variants([](const Config& config) {
    Given g(config);
    const Codes& q = g.codes;
    const double log_q = -bits_cost(q.logits0, q.z0) - bits_cost(q.logits1, q.z1);
    const double log_p =
        -2 * std::log(2) - g.model.generator_losses(g.x, q, kRows, first_step()).total.value().item();
    double mean = 0;
    for (const double weight : numbers(g.model.log_weight(g.x, kRows, first_step()))) mean += weight / kRows;
    EXPECT_NEAR(mean, log_p - log_q, 1e-10);
  });
}

}  // namespace vae::sym_vae::sym_vae_losses_test
