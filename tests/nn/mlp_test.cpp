// The hidden layers of fully connected nets, and the heads of distributions.
#include "nn/mlp.h"

#include <gtest/gtest.h>

#include "nn/distributions.h"
#include "nn/init.h"
#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::nn {
namespace {

Var input() { return Var(test::sample_tensor({4, 3}, DType::f64)); }

TEST(Mlp, NamesAndSizes) {
  Module root;
  const Mlp mlp(&root, "net", {3, 5, 2}, {.batch_norm = BatchNormOptions{}}, {"layer_{}", "norm_{}", 1});
  std::vector<std::string> names;
  for (const Module::Parameter& p : root.parameters()) names.push_back(p.name + " " + p.var.shape().str());
  EXPECT_EQ(names, (std::vector<std::string>{"net.layer_1.weight [5, 3]", "net.layer_1.bias [5]",
                                             "net.norm_1.weight [5]", "net.norm_1.bias [5]",
                                             "net.layer_2.weight [2, 5]", "net.layer_2.bias [2]",
                                             "net.norm_2.weight [2]", "net.norm_2.bias [2]"}));
  test::expect_error(ErrorKind::usage, "0 units", [&] { Mlp(&root, "bad", {3, 0}, {}); });
}

// f(BN(W x + b)), f(W BN(x) + b), and f(W x + b) where the norm is not used, against the formulas.
TEST(Mlp, OrderOfNormAndActivation) {
  const auto norm = [](const Var& x) {
    const int64_t n = x.shape()[1];
    const Var one(test::tensor_of(std::vector<double>(static_cast<size_t>(n), 1), {n}, DType::f64)),
        zero(Tensor::zeros({n}, DType::f64));
    return autograd::batch_norm(x, one, zero, {}, {}, {});
  };
  for (const bool before : {true, false})
    for (const bool used : {true, false}) {
      Module root({.dtype = DType::f64});
      const Mlp mlp(&root, "net", {3, 5},
                    {.activation = kernels::activation(kernels::Map::tanh),
                     .batch_norm = BatchNormOptions{},
                     .norm_before_activation = before});
      init_normal(root, 1, 3);
      const std::vector<Module::Parameter> p = root.parameters();
      const Var x = input(), in = used && !before ? norm(x) : x, u = autograd::linear(in, p[0].var, p[1].var);
      const Var expected = autograd::tanh(used && before ? norm(u) : u);
      EXPECT_LE(test::distance(to_doubles(mlp(x, used).value()), to_doubles(expected.value())), 1e-14);
    }
}

TEST(Mlp, DropoutIsOneStreamForAllLayers) {
  Module root({.dtype = DType::f64, .seed = 5});
  const Mlp mlp(&root, "net", {3, 50, 40}, {.dropout = 0.5}, {}, "net");
  init_normal(root, 1, 3);
  ASSERT_EQ(root.buffers().size(), 1u);
  mlp(input());
  EXPECT_EQ(root.buffers()[0].tensor.item(), 2) << "two layers, two draws";
}

TEST(GaussianHead, SoftplusKeepsVariancesAboveOne) {
  Module root({.dtype = DType::f64});
  const GaussianHead plain(&root, "plain", {"mu", "log_var"}, 3, 2),
      soft(&root, "soft", {"mu", "log_var"}, 3, 2, true);
  init_normal(root, 1, 3);
  bool negative = false;
  for (const double v : to_doubles(plain(input()).log_var.value())) negative |= v < 0;
  EXPECT_TRUE(negative);
  for (const double v : to_doubles(soft(input()).log_var.value())) EXPECT_GT(v, 0);
}

TEST(Likelihoods, AreTheDensities) {
  const Var x(test::tensor_of({0, 1, 1, 0}, {2, 2}, DType::f64)), a(test::sample_tensor({2, 2}, DType::f64));
  const Likelihood bits = Bernoulli{a},
                   normal = Gaussian{a, Var(test::sample_tensor({2, 2}, DType::f64, kCpu, -3, 3, 1))};
  const auto logit = to_doubles(a.value()), v = to_doubles(std::get<Gaussian>(normal).log_var.value()),
             target = to_doubles(x.value());
  for (size_t r = 0; r < 2; ++r) {
    double of_bits = 0, of_normal = 0;
    for (size_t c = 2 * r; c < 2 * r + 2; ++c) {
      of_bits += target[c] * logit[c] - std::log1p(std::exp(logit[c]));
      const double limited = std::clamp(v[c], -1.0, 1.0), d = target[c] - logit[c];
      of_normal -= 0.5 * (std::log(2 * M_PI) + limited + d * d * std::exp(-limited));
    }
    EXPECT_NEAR(to_doubles(log_likelihood(x, bits).value())[r], of_bits, 1e-13);
    EXPECT_NEAR(to_doubles(log_likelihood(x, normal, {-1, 1}).value())[r], of_normal, 1e-13);
  }
  EXPECT_NEAR(to_doubles(expectation(bits))[0], 1 / (1 + std::exp(-logit[0])), 1e-14);
  EXPECT_EQ(to_doubles(expectation(normal)), logit);
}

}  // namespace
}  // namespace vae::nn
