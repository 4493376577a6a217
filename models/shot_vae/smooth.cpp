#include "models/shot_vae/smooth.h"

#include <algorithm>
#include <cmath>

#include "nn/init.h"

namespace vae::shot_vae {
namespace {

constexpr double kLogEps = 1e-12;  // inside logarithms
const nn::Window kHalving(4, 2, 1);
const kernels::Activation kTanh = kernels::activation(kernels::Map::tanh);

/// The side of the encoder's last maps.
int64_t code_side(const SmoothConfig& c) {
  const int64_t parts = int64_t{1} << c.conv.size();
  if (c.conv.empty() || c.deconv.size() + 1 != c.conv.size() || c.side < parts || c.side % parts != 0)
    fail(ErrorKind::usage, "{} convolutions and {} transposed ones of images of side {}", c.conv.size(),
         c.deconv.size() + 1, c.side);
  return c.side / parts;
}

/// Layers "NAME.0", "NAME.2", ..., between which the reference has its activations.
template <class Layer>
std::vector<std::unique_ptr<Layer>> halving(nn::Module* parent, const std::string& name,
                                            const std::vector<int64_t>& maps) {
  std::vector<std::unique_ptr<Layer>> layers;
  for (size_t i = 0; i + 1 < maps.size(); ++i)
    layers.push_back(
        std::make_unique<Layer>(parent, fmt::format("{}.{}", name, 2 * i), maps[i], maps[i + 1], kHalving));
  return layers;
}

std::vector<int64_t> joined(std::vector<int64_t> maps, int64_t first, const std::vector<int64_t>& last) {
  maps.insert(maps.begin(), first);
  maps.insert(maps.end(), last.begin(), last.end());
  return maps;
}

/// The target of a divergence in an iteration, at most `limit` nats.
Var target(const Capacity& c, double limit, const std::string& name, const train::Step& step) {
  const double range = c.max - c.min, most = std::min(c.max, limit);
  if (range <= 0) return step.number(name, kernels::Schedule::constant(most));
  return step.number(name, kernels::Schedule::raised(c.min, c.max, c.updates, most));
}

}  // namespace

Smooth::Smooth(const SmoothConfig& c, nn::Options options)
    : Module(options),
      config_(c),
      code_side_(code_side(c)),
      convolutions_(halving<nn::Conv2d>(this, "img_to_features", joined(c.conv, c.channels, {}))),
      features_(this, "features_to_hidden.0", code_side_ * code_side_ * c.conv.back(), c.hidden),
      mean_(this, "fc_mean", c.hidden, c.z_size),
      log_var_(this, "fc_log_var", c.hidden, c.z_size),
      alpha_(this, "fc_alphas.0", c.hidden, c.classes),
      hidden_(this, "latent_to_features.0", c.z_size + c.classes, c.hidden),
      maps_(this, "latent_to_features.2", c.hidden, code_side_ * code_side_ * c.conv.back()),
      deconvolutions_(halving<nn::ConvTranspose2d>(this, "features_to_img",
                                                   joined(c.deconv, c.conv.back(), {c.channels}))) {
  nn::init_uniform_fan_in(*this, options.seed);
}

Smooth::Code Smooth::encode(const Var& x) const {
  Var h = autograd::reshape(x, {-1, config_.side, config_.side, config_.channels});
  for (const auto& convolution : convolutions_) h = (*convolution)(h, kernels::kRelu);
  h = autograd::relu(features_(autograd::flatten(h)));
  return {{mean_(h), log_var_(h)}, autograd::softmax(alpha_(h))};
}

Var Smooth::decode(const Var& latent) const {
  Var h = autograd::relu(maps_(autograd::relu(hidden_(latent))));
  h = autograd::reshape(h, {-1, code_side_, code_side_, config_.conv.back()});
  for (const auto& deconvolution : deconvolutions_)
    h = (*deconvolution)(h, &deconvolution == &deconvolutions_.back() ? kTanh : kernels::kRelu);
  return h;
}

Var Smooth::loss(const Var& x, const Var& labels, const SmoothObjective& objective, train::Share batch,
                 const std::string& set, const train::Step& step) const {
  const auto noted = [&](const std::string& name, const Var& value) {
    step.note(name + "_" + set, value);
    return value;
  };
  const auto [q, alpha] = encode(x);
  const Var z = nn::sample(q, step.normal("eps_" + set, batch, config_.z_size));
  const Var log_alpha = autograd::log(alpha, kLogEps);
  const auto drawn = [&] {
    const Var temperature = step.number("temperature", kernels::Schedule::constant(config_.temperature));
    const Var uniform = step.uniform("unif_" + set, batch, config_.classes);
    return autograd::gumbel_softmax(log_alpha, uniform.value(), temperature, kLogEps);
  };
  const Var y = labels.defined() ? labels : drawn(), latent = autograd::concat({z, y}),
            decoded = decode(latent);
  noted("mean", q.mean), noted("log_var", q.log_var), noted("alpha", alpha), noted("recon", decoded);
  step.note("latent_" + set, latent);

  const double most = std::log(static_cast<double>(config_.classes));
  const Var kl_z = step.total(step.mean(autograd::kl_standard_normal(q.mean, q.log_var), batch)),
            kl_y =
                step.total(step.mean(autograd::rowsum(kernels::Map::mul, {alpha, log_alpha}), batch)) + most;
  const auto held = [&](const Var& kl, const Capacity& c, double limit, const std::string& name) {
    const Var cost = autograd::abs_difference(kl, target(c, limit, name, step), c.gamma);
    return noted(name + "_loss", step.part(cost));
  };
  const Var recon =
      noted("recon_loss",
            step.mean(autograd::squared_error(autograd::flatten(decoded), autograd::flatten(x)), batch));
  Var loss = recon + held(kl_z, objective.z, objective.z.max, "cont_capacity") +
             held(kl_y, objective.y, most, "disc_capacity");
  if (labels.defined()) {
    const Var bits = step.mean(autograd::bernoulli_nll_of_probability(alpha, labels), batch);
    loss = loss + noted("cls_loss", objective.alpha / static_cast<double>(config_.classes) * bits);
  }
  return noted("loss", loss);
}

}  // namespace vae::shot_vae
