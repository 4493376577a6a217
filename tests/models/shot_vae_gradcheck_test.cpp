// The losses of SHOT-VAE, of the plain bound, of the classifier and FixMatch, and of smooth-ELBO learning
// against central differences in f64. What the first pass of a batch gives the second is no function of the
// parameters: it is made once.
#include <gtest/gtest.h>

#include "autograd/gradcheck.h"
#include "autograd/tape.h"
#include "models/shot_vae/classifier.h"
#include "models/shot_vae/smooth.h"
#include "tests/models/shot_vae_models.h"

namespace vae::shot_vae {
namespace {

constexpr int64_t kLabeled = 3, kUnlabeled = 4;

/// Parameters that the loss does not reach have no gradient; a difference must be nothing, then.
void expect_gradient(const std::function<Var()>& loss, const nn::Module& module, int64_t elements) {
  autograd::NamedInputs inputs;
  for (const nn::Module::Parameter& p : module.parameters()) inputs.emplace_back(p.name, p.var);
  const autograd::GradcheckResult result = autograd::gradcheck(loss, inputs, {.max_elements = elements});
  EXPECT_TRUE(result.ok) << result.str();
  EXPECT_LT(std::ssize(result.kinks), 1 + result.checked / 20) << result.str();
}

/// Each of the losses, with what those before it leave.
void expect_gradients(const Losses& losses, const nn::Module& module, int64_t elements) {
  for (size_t i = 0; i < losses.size(); ++i) {
    SCOPED_TRACE(fmt::format("loss {}", i));
    expect_gradient(losses[i], module, elements);
    losses[i]();
  }
}

Tensor order(const std::vector<int64_t>& items) { return train::items_of(items, kCpu); }

Var number(double value) { return Var(Tensor::scalar(value)); }

// Both reconstructions and both partners with each kind of backbone; all four passes.
TEST(ShotVaeGradcheck, LossesOfAllPasses) {
  int64_t variant = 0;
  for (const NamedBackbone& backbone : small_backbones()) {
    SCOPED_TRACE(backbone.name);
    ShotVae model(small_config(backbone.config), {.dtype = DType::f64});
    test::scatter(model, 0.6);
    const bool nearest = variant == 1 || variant == 2, bits = variant % 2 == 0;
    const Objective objective = full_objective(bits ? Reconstruction::bernoulli : Reconstruction::squared);
    const train::Step step = step_of(2);
    const Mixing of_labeled{number(0.3), order({2, 0, 1})};
    Mixing of_unlabeled{number(0.6), order({1, 3, 2, 0})};
    if (nearest) of_unlabeled.partner = {};
    const Losses losses =
        model.shot_losses(pictures(kLabeled, 1), of_labeled, pictures(kUnlabeled, 2), of_unlabeled, objective,
                          {objective, 1, step}, variant == 3, step);
    ASSERT_EQ(losses.size(), 4u);
    expect_gradients(losses, model, 2);
    ++variant;
  }
}

TEST(ShotVaeGradcheck, PlainBound) {
  int64_t variant = 0;
  for (const NamedBackbone& backbone : small_backbones()) {
    SCOPED_TRACE(backbone.name);
    ShotVae model(small_config(backbone.config), {.dtype = DType::f64});
    test::scatter(model, 0.6);
    const Objective objective =
        full_objective(variant++ % 2 == 1 ? Reconstruction::bernoulli : Reconstruction::squared);
    const train::Step step = step_of(2);
    const Losses losses =
        model.m2_losses(pictures(kLabeled, 1), pictures(kLabeled, 2), objective, {objective, 1, step}, step);
    ASSERT_EQ(losses.size(), 2u);
    expect_gradients(losses, model, 1);
  }
}

TEST(ShotVaeGradcheck, Classifier) {
  for (const NamedBackbone& backbone : small_backbones()) {
    SCOPED_TRACE(backbone.name);
    Classifier model(backbone.config, 3, {.dtype = DType::f64});
    test::scatter(model, 0.6);
    expect_gradient([&] { return model.loss(pictures(kLabeled, 1), step_of(2)); }, model, 6);
  }
}

TEST(ShotVaeGradcheck, FixMatch) {
  Classifier model(small_backbones()[0].config, 3, {.dtype = DType::f64});
  test::scatter(model, 1.5);
  double confident = 0;
  expect_gradient(
      [&] {
        const auto f = model.fix_match(pictures(kLabeled, 1), pictures(kUnlabeled, 2),
                                       pictures(kUnlabeled, 3), 0.5, step_of(2));
        confident = f.confident.value().item();
        return f.labeled + 3 * f.unlabeled;
      },
      model, 4);
  EXPECT_GT(confident, 0) << "an image without label counts";
}

TEST(ShotVaeGradcheck, SmoothElbo) {
  Smooth model(
      {.side = 8, .channels = 2, .conv = {2, 3}, .deconv = {2}, .hidden = 4, .z_size = 2, .classes = 3},
      {.dtype = DType::f64});
  test::scatter(model);
  const SmoothObjective objective{{0.5, 2, 10, 1.5}, {0.1, 3, 10, 1.2}, 7};
  const Var x(test::sample_tensor({kUnlabeled, 8, 8, 2}, DType::f64, kCpu, -1, 1));
  const Var y(train::one_hot(order({0, 2, 1, 2}), 3, DType::f64));
  expect_gradient([&] { return model.loss(x, {}, objective, kUnlabeled, "u", step_of(2)); }, model, 40);
  expect_gradient([&] { return model.loss(x, y, objective, kUnlabeled, "l", step_of(2)); }, model, 40);
}

/// Gradients of all parameters, zero where there is none.
std::vector<std::vector<double>> gradients(const std::function<Var()>& loss, const nn::Module& module) {
  for (const nn::Module::Parameter& p : module.parameters()) Var(p.var).clear_grad();
  autograd::Tape tape;
  tape.backward(loss());
  std::vector<std::vector<double>> all;
  for (const nn::Module::Parameter& p : module.parameters())
    all.push_back(p.var.has_grad() ? to_doubles(p.var.grad())
                                   : std::vector<double>(static_cast<size_t>(p.var.value().numel())));
  return all;
}

// |x| has the slope 0 at 0: then the divergence does not count.
TEST(ShotVaeGradcheck, ADivergenceAtItsTargetHasNoSlope) {
  ShotVae model(small_config(), {.dtype = DType::f64});
  test::scatter(model, 0.6);
  const Objective objective = full_objective(Reconstruction::squared);
  train::Notes notes;
  const train::Step step = step_of(2);
  const Images images = pictures(kLabeled, 1);
  const auto gradients_with = [&](const Terms& terms) {
    return gradients(model.m2_losses(images, images, objective, terms, step.with_notes(notes))[1], model);
  };
  Terms terms(objective, 1, step);
  const auto plain = gradients_with(terms);
  Terms at_target = terms, without = terms;
  at_target.target_z = Var(notes.at("kl_z_u").value().clone());
  at_target.target_y = Var(notes.at("kl_y_u").value().clone());
  without.beta_z = without.beta_y = number(0);
  EXPECT_EQ(gradients_with(at_target), gradients_with(without));
  EXPECT_NE(plain, gradients_with(without));
}

// Whether mixed images are decoded is seen by the statistics of the decoder alone.
TEST(ShotVaeGradcheck, DecodingMixedImagesChangesStatisticsAlone) {
  const auto run = [](bool decode_mixed) {
    ShotVae model(small_config(), {.dtype = DType::f64});
    test::scatter(model, 0.6);
    const Objective objective = full_objective(Reconstruction::bernoulli);
    const train::Step step = step_of(2);
    const Losses losses = model.shot_losses(pictures(kLabeled, 1), {number(0.3), order({2, 0, 1})},
                                            pictures(kUnlabeled, 2), {number(0.6), order({1, 3, 2, 0})},
                                            objective, {objective, 1, step}, decode_mixed, step);
    std::vector<std::vector<double>> numbers, encoder, decoder;
    for (const auto& loss : losses)
      for (auto& gradient : gradients(loss, model)) numbers.push_back(std::move(gradient));
    for (const nn::Module::Buffer& b : model.buffers())
      (b.name.find("decoder") != std::string::npos ? decoder : encoder).push_back(to_doubles(b.tensor));
    return std::tuple(numbers, encoder, decoder);
  };
  const auto [gradients, encoder, decoder] = run(true);
  const auto [gradients_without, encoder_without, decoder_without] = run(false);
  EXPECT_EQ(gradients, gradients_without);
  EXPECT_EQ(encoder, encoder_without);
  EXPECT_NE(decoder, decoder_without);
}

}  // namespace
}  // namespace vae::shot_vae
