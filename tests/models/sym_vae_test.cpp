// The model of binary codes: sizes, initial values, what is watched.
#include "models/sym_vae/sym_vae.h"

#include <gtest/gtest.h>

#include "tests/expect_error.h"
#include "tests/models/sym_vae_models.h"

namespace vae::sym_vae {
namespace {

Config published(EncoderKind encoder, nn::LikelihoodKind likelihood, int64_t nz0, int64_t nz1) {
  Config c{.encoder = encoder, .likelihood = likelihood, .nz0 = nz0, .nz1 = nz1};
  if (likelihood == nn::LikelihoodKind::gaussian) c.encoder_units = 1000;
  return c;
}

TEST(SymVaeParameters, AsManyAsPublished) {
  using enum EncoderKind;
  using enum nn::LikelihoodKind;
  const auto count = [](const Config& c) { return SymVae(c, {}).parameter_count(); };
  EXPECT_EQ(count(published(ladder, bernoulli, 30, 100)), 3020143);
  EXPECT_EQ(count(published(reverse, bernoulli, 30, 100)), 3080743);  // less a parameter without use
  EXPECT_EQ(count(published(ladder, gaussian, 30, 100)), 5172544);
  EXPECT_EQ(count(published(ladder, gaussian, 50, 200)), 5583564);
  SymVae model(published(ladder, bernoulli, 30, 100), {});
  EXPECT_EQ(model.encoder().parameter_count(), 2202386);
  EXPECT_EQ(model.generator().parameter_count(), 442300 + 375457);
}

/// Inputs of a unit of each layer; of transposed convolutions, outputs of a unit.
const std::map<std::string, int64_t> kFanIns{{"conv0", 9},
                                             {"conv1", 32 * 4},
                                             {"conv2", 32 * 9},
                                             {"conv3", 64 * 9},
                                             {"conv4", 64 * 9},
                                             {"conv5", 64 * 9},
                                             {"conv6", 128 * 16},
                                             {"conv_z1", 600},
                                             {"lin1", 600},
                                             {"lin2", 600},
                                             {"lin3", 600},
                                             {"lin_skip", 100},
                                             {"net01.lin1", 30},
                                             {"net01.lin_skip", 30},
                                             {"net1x.conv1", 128 * 16},
                                             {"net1x.conv2", 64 * 9},
                                             {"net1x.conv3", 64 * 9},
                                             {"net1x.conv4", 64 * 9},
                                             {"net1x.conv5", 32 * 9},
                                             {"net1x.conv6", 32 * 4},
                                             {"net1x.conv7", 32 * 9},
                                             {"qnet10.conv_z1", 100}};

// U(-b, b) with b = 1 / sqrt(fan-in): within it, up to it, and of variance b^2 / 3.
TEST(SymVaeParameters, StartUniformByTheirFanIn) {
  for (const EncoderKind encoder : {EncoderKind::ladder, EncoderKind::reverse}) {
    const SymVae model(published(encoder, nn::LikelihoodKind::bernoulli, 30, 100), {.seed = 3});
    for (const nn::Module::Parameter& p : model.parameters()) {
      const std::string layer = p.name.substr(0, p.name.rfind('.'));
      const std::string kind = layer.substr(layer.find('.') + 1);
      const std::string net = layer.substr(1);  // without the letter of p or of a function
      const auto of_net = std::find_if(kFanIns.begin(), kFanIns.end(), [&](const auto& entry) {
        return entry.first == net || entry.first == layer;
      });
      const int64_t fan_in = of_net == kFanIns.end() ? kFanIns.at(kind) : of_net->second;
      const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
      const std::vector<double> values = to_doubles(p.var.value());
      double squares = 0, largest = 0;
      for (const double v : values) squares += v * v, largest = std::max(largest, std::abs(v));
      const auto n = static_cast<double>(values.size());
      EXPECT_LE(largest, bound * (1 + 1e-6)) << p.name;
      EXPECT_GT(largest, 0) << p.name;
      if (values.size() < 30) continue;
      EXPECT_GT(largest, 0.8 * bound) << p.name;
      // A square deviates by 0.9 of its mean.
      EXPECT_NEAR(squares / n, bound * bound / 3, 5 * 0.9 * bound * bound / 3 / std::sqrt(n)) << p.name;
    }
  }
  const SymVae grey(small(EncoderKind::ladder, nn::LikelihoodKind::gaussian), {.seed = 3});
  EXPECT_EQ(test::parameter_of(grey, "lsigma").value().item(), 0);
}

// ---- what is watched

Tensor rows(const std::vector<double>& values, int64_t columns) {
  return test::tensor_of(values, {std::ssize(values) / columns, columns}, DType::f64);
}

/// A batch of four, of three bits of p(z1|z0), two of q(z0|x) and three of q(z1|x).
void add(const CodeStatistics& statistics, const std::vector<double>& p_z1) {
  const Var zeros(rows(std::vector<double>(8, 0.0), 2)), twos(rows(std::vector<double>(12, 2.0), 3));
  statistics.add(zeros, Var(rows(p_z1, 3)), twos, 4, train::Step(0, Tensor::scalar(int64_t{0})));
}

TEST(CodeStatistics, OfTwoBatchesByTheirFormula) {
  nn::Module root({.dtype = DType::f64});
  const CodeStatistics statistics(&root, 2, 3);
  const BitStatistics& bits = statistics.p_z1;
  EXPECT_EQ(to_doubles(bits.mean), std::vector<double>(3, 0.5));
  EXPECT_EQ(to_doubles(bits.information), std::vector<double>(3, 0.0));
  const auto negative_entropy = [](double p) {
    p = p * (1 - 1e-6) + 0.5e-6;
    return p * std::log(p) + (1 - p) * std::log(1 - p);
  };
  std::vector<double> mean(3, 0.5), information(3, 0.0);
  for (const uint64_t stream : {1, 2}) {
    std::vector<double> logits = test::sample(4 * 3, -3, 3, stream);
    logits[0] = 100;  // a probability of one
    add(statistics, logits);
    for (size_t k = 0; k < 3; ++k) {
      double p_mean = 0, told = 0;
      for (size_t i = 0; i < 4; ++i) {
        const double p = 1 / (1 + std::exp(-logits[i * 3 + k]));
        p_mean += p / 4, told += negative_entropy(p) / 4;
      }
      mean[k] = 0.99 * mean[k] + 0.01 * p_mean;
      information[k] = 0.99 * information[k] + 0.01 * (told - negative_entropy(mean[k]));
    }
    EXPECT_LE(test::distance(to_doubles(bits.mean), mean), 1e-14);
    EXPECT_LE(test::distance(to_doubles(bits.information), information), 1e-14);
  }
  std::vector<std::string> names;
  for (const nn::Module::Buffer& buffer : root.buffers()) names.push_back(buffer.name);
  EXPECT_EQ(names, (std::vector<std::string>{"z0_q", "z0_q_mi", "z1_p", "z1_p_mi", "z1_q", "z1_q_mi"}));
}

// A bit that its image determines tells log 2, whatever is always as likely tells nothing; all of them have
// their own place.
TEST(CodeStatistics, TendToWhatTheBitsTell) {
  nn::Module root({.dtype = DType::f64});
  const CodeStatistics statistics(&root, 2, 3);
  for (int i = 0; i < 2000; ++i) add(statistics, {40, 1, -40, -40, 1, -40, 40, 1, -40, -40, 1, -40});
  const auto probability = [](double logit) { return 1 / (1 + std::exp(-logit)); };
  const auto expect_near = [](const Tensor& actual, const std::vector<double>& expected) {
    EXPECT_LE(test::distance(to_doubles(actual), expected), 1e-4);
  };
  expect_near(statistics.p_z1.information, {std::log(2), 0, 0});
  expect_near(statistics.p_z1.mean, {0.5, probability(1), 0});
  expect_near(statistics.q_z0.information, {0, 0});
  expect_near(statistics.q_z0.mean, {0.5, 0.5});
  expect_near(statistics.q_z1.information, {0, 0, 0});
  expect_near(statistics.q_z1.mean, std::vector<double>(3, probability(2)));
}

TEST(RunningAverages, AreTheMeansAtFirst) {
  nn::Module root({.dtype = DType::f64});
  const RunningAverages averages(&root, {"loss", "other"});
  double expected = 0, sum = 0;
  for (int64_t n = 0; n < 1200; ++n) {
    const double number = std::sin(static_cast<double>(n)) + 2;
    sum += number;
    expected += (number - expected) / static_cast<double>(std::min<int64_t>(n + 1, 1000));
    averages.add(
        {Var(Tensor::from(std::vector<double>{number}, {})), Var(Tensor::from(std::vector<double>{7}, {}))},
        train::Step(0, Tensor::scalar(n), DType::f64));
    ASSERT_NEAR(averages.values()[0], expected, 1e-12);
    ASSERT_NEAR(averages.values()[1], 7, 1e-12);
    if (n < 1000) {
      ASSERT_NEAR(averages.values()[0], sum / static_cast<double>(n + 1), 1e-12);
    }
  }
  EXPECT_EQ(root.buffers()[1].name, "other");
}

// ---- training

TEST(SymVaeParameters, RefuseSizesThatMakeNoModel) {
  for (const auto size : {&Config::nz0, &Config::nz1, &Config::width, &Config::encoder_units,
                          &Config::prior_units, &Config::code_units}) {
    Config c = small();
    c.*size = 0;
    test::expect_error(ErrorKind::usage, "symmetric VAE of", [&] { SymVae(c, {}); });
  }
}

}  // namespace
}  // namespace vae::sym_vae
