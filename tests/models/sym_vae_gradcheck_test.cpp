// The losses of both ways of learning against central differences in f64. Drawn bits jump, so of the bound
// that is differentiated which has straight lines in their place: the slopes that ZGR gives them.
#include <gtest/gtest.h>

#include "autograd/gradcheck.h"
#include "tests/models/sym_vae_models.h"

namespace vae::sym_vae {
namespace {

constexpr int64_t kRows = 2;

autograd::NamedInputs named(const nn::Module& module) {
  autograd::NamedInputs inputs;
  for (const nn::Module::Parameter& p : module.parameters()) inputs.emplace_back(p.name, p.var);
  return inputs;
}

void expect_gradient(const std::function<Var()>& loss, const nn::Module& module) {
  const autograd::GradcheckResult result = autograd::gradcheck(loss, named(module), {.max_elements = 40});
  EXPECT_TRUE(result.ok) << result.str();
}

TEST(SymVaeGradcheck, GeneratorLosses) {
  for_variants([](const Config& config) {
    SymVae model(config, {.dtype = DType::f64});
    test::scatter(model);
    const Var x = images(kRows, config);
    const Codes codes = model.encode(x, kRows, first_step());
    expect_gradient([&] { return model.generator_losses(x, codes, kRows, first_step()).total; },
                    model.generator());
  });
}

TEST(SymVaeGradcheck, EncoderLosses) {
  for_variants([](const Config& config) {
    SymVae model(config, {.dtype = DType::f64});
    test::scatter(model);
    const Drawn drawn = model.draw(kRows, first_step());
    expect_gradient([&] { return model.encoder_losses(drawn, kRows, first_step()).total; }, model.encoder());
  });
}

/// Mean over the batch of the sum of a value per element.
Var mean_of(const Var& x) { return autograd::scaled_sum(x, 1.0 / kRows); }

Var bits_cost(const Var& logits, const Var& target) {
  return mean_of(autograd::softplus(logits) - logits * target);
}

Var divergence(const Var& p, const Var& q) {
  const auto weakened = [](const Var& v) { return autograd::affine(v, 1 - 1e-6, 0.5e-6); };
  const auto rest = [](const Var& v) { return autograd::affine(v, -1, 1); };
  const auto ratio = [](const Var& a, const Var& b) { return a * (autograd::log(a) - autograd::log(b)); };
  const Var a = weakened(p), b = weakened(q);
  return mean_of(ratio(a, b) + ratio(rest(a), rest(b)));
}

/// The negative ELBO by its formulas, on nets of its own. A bit is frozen where it is drawn first, with logit
/// l0 and probability p0; from then on it is bit + |bit - p0| / 2 (l - l0).
class FrozenBits : public nn::Module {
 public:
  explicit FrozenBits(const Config& c) : Module({.dtype = DType::f64}), config_(c), generator_(this, c) {
    if (c.encoder == EncoderKind::ladder)
      ladder_.emplace(this, c);
    else
      reverse_.emplace(this, c);
  }

  Var loss(const Var& x, const train::Step& step) {
    if (ladder_) {
      const auto [a0, a1] = (*ladder_)(x);
      const Var z0 = bits("z0", a0, step), prior = generator_.prior(z0), logits1 = prior + a1;
      const Var z1 = bits("z1", logits1, step);
      const Var half = autograd::affine(a0, 0, 0.5);
      return reconstruction(x, z1) + divergence(autograd::sigmoid(a0), half) +
             divergence(autograd::sigmoid(logits1), autograd::sigmoid(prior));
    }
    const Var logits1 = reverse_->z1(x), z1 = bits("z1", logits1, step);
    const Var logits0 = reverse_->z0(z1), z0 = bits("z0", logits0, step);
    return reconstruction(x, z1) - bits_cost(logits1, z1) - bits_cost(logits0, z0) +
           bits_cost(generator_.prior(z0), z1) + 0.6931 * static_cast<double>(config_.nz0);
  }

 private:
  struct Line {
    Var bit, slope, at;
  };

  Var bits(const std::string& name, const Var& logits, const train::Step& step) {
    const Shape shape = logits.shape();
    if (!lines_.contains(name)) {
      const std::vector<double> l = to_doubles(logits.value()),
                                u = to_doubles(step.uniform(name, kRows, shape[1]).value());
      std::vector<double> bit(l.size()), slope(l.size());
      for (size_t i = 0; i < l.size(); ++i) {
        const double p = 1 / (1 + std::exp(-l[i]));
        bit[i] = u[i] < p, slope[i] = std::abs(bit[i] - p) / 2;
      }
      const auto constant = [&](const std::vector<double>& v) {
        return Var(test::tensor_of(v, shape, DType::f64));
      };
      lines_[name] = {constant(bit), constant(slope), constant(l)};
    }
    const auto& [bit, slope, at] = lines_.at(name);
    return bit + slope * (logits - at);
  }

  Var reconstruction(const Var& x, const Var& z1) const {
    const Var decoded = generator_.decode(z1);
    if (config_.likelihood == nn::LikelihoodKind::bernoulli) return bits_cost(decoded, x);
    const Var standard = (x - decoded) / autograd::exp(generator_.log_sigma);
    return mean_of(0.5 * autograd::square(standard) + 0.91894) +
           static_cast<double>(kPixels) * generator_.log_sigma;
  }

  Config config_;
  Generator generator_;
  std::optional<LadderEncoder> ladder_;
  std::optional<ReverseEncoder> reverse_;
  std::map<std::string, Line> lines_;
};

double value_and_gradients(const nn::Module& module, const std::function<Var()>& loss) {
  for (const nn::Module::Parameter& p : module.parameters()) Var(p.var).clear_grad();
  autograd::Tape tape;
  const Var value = loss();
  tape.backward(value);
  return value.value().item();
}

TEST(SymVaeGradcheck, ElboWithFrozenBits) {
  for_variants([](const Config& config) {
    SymVae model(config, {.dtype = DType::f64});
    FrozenBits frozen(config);
    test::scatter(model), test::scatter(frozen);
    const Var x = images(kRows, config);
    const auto by_formulas = [&] { return frozen.loss(x, first_step()); };
    const double expected = value_and_gradients(frozen, by_formulas);
    const double value =
        value_and_gradients(model, [&] { return model.elbo_losses(x, kRows, first_step()).total; });
    EXPECT_NEAR(value, expected, 1e-12 * std::abs(expected));
    const auto ours = model.parameters(), theirs = frozen.parameters();
    ASSERT_EQ(ours.size(), theirs.size());
    for (size_t i = 0; i < ours.size(); ++i) {
      ASSERT_EQ(ours[i].name, theirs[i].name);
      const std::vector<double> gradient = to_doubles(theirs[i].var.grad());
      double largest = 0;
      for (const double g : gradient) largest = std::max(largest, std::abs(g));
      EXPECT_GT(largest, 1e-6) << ours[i].name << ": nothing is compared";
      EXPECT_LE(test::distance(to_doubles(ours[i].var.grad()), gradient), 1e-12 * (1 + largest))
          << ours[i].name;
    }
    expect_gradient(by_formulas, frozen);
  });
}

}  // namespace
}  // namespace vae::sym_vae
