#include "models/shot_vae/shot_vae.h"

#include <cmath>

#include "nn/init.h"
#include "nn/train/image_set.h"

namespace vae::shot_vae {
namespace {

constexpr double kEps = 1e-12;  // inside the logarithms of the relaxed draw

const Config& checked(const Config& c) {
  if (c.side < 32 || c.side % 32 != 0)
    fail(ErrorKind::usage, "images of side {}: the decoder makes multiples of 32", c.side);
  for (const int64_t size : {c.z_size, c.classes, c.decoder_width})
    if (size < 1)
      fail(ErrorKind::usage, "{} latent variables, {} classes, a decoder of width {}", c.z_size, c.classes,
           c.decoder_width);
  return c;
}

/// Of constant rows, those of the batch mixed with others of it.
Var mixed(const Var& x, const Mixing& mixing, train::Share batch, const train::Step& step) {
  return autograd::mix_rows(x, Var(step.gathered(x.value(), batch)), mixing.partner, mixing.lambda);
}

/// Per row, -sum target log q(y|x).
Var cross_entropy(const Posterior& q, const Var& target) {
  return autograd::rowsum(kernels::Map::mul, {q.log_alpha, target}, {0, 0, -1});
}

/// The row whose code is nearest to that of each row, but for itself: the second smallest divergence.
Tensor nearest(const Posterior& q, train::Share batch, const train::Step& step) {
  const Var all_means(step.gathered(q.mean.value(), batch)),
      all_log_vars(step.gathered(q.log_var.value(), batch));
  const Var divergence = autograd::gaussian_kl_matrix(q.mean, q.log_var, all_means, all_log_vars);
  step.note("kl_metric_u", divergence);
  const int64_t n = divergence.shape()[0];
  const Tensor values = Tensor::empty({n, 2}, divergence.value().dtype(), step.device()),
               columns = Tensor::empty({n, 2}, DType::i64, step.device());
  kernels::top_k((-divergence).value(), values, columns);
  const Tensor ranks = Tensor::empty({2, n}, DType::i64, step.device());
  kernels::transpose(columns, ranks);
  const Tensor partner = ranks.slice(1, 2).reshape({n});
  step.note("match_index_u", Var(partner));
  return partner;
}

void note(const Posterior& q, const std::string& pass, const train::Step& step) {
  step.note("mean_" + pass, q.mean);
  step.note("log_sigma_" + pass, q.log_sigma);
  step.note("log_alpha_" + pass, q.log_alpha);
}

/// What is left to learn about the labels of unlabelled images, for the log.
void add_inference(const Posterior& q, const Images& images, const train::Step& step) {
  if (!images.labels.defined()) return;
  step.metric("kl_inference", step.mean(kl_inference(q.constant(), images.labels), images.batch()));
}

/// The decoder's layers stand in one list in the published code, with the norms and ReLUs between them.
std::string layer(size_t index) { return fmt::format("feature_reconstructor.decoder.{}", index); }

}  // namespace

Posterior Posterior::constant() const {
  return {Var(mean.value()), Var(log_sigma.value()), Var(log_var.value()), Var(log_alpha.value())};
}

ShotVae::ShotVae(const Config& c, nn::Options options)
    : Module(options),
      config_(checked(c)),
      backbone_(backbones::make(this, "feature_extractor.encoder", c.backbone)),
      mean_(this, "continuous_inference.mean.fc", backbone_->features(), c.z_size),
      log_sigma_(this, "continuous_inference.log_sigma.fc", backbone_->features(), c.z_size),
      log_alpha_(this, "disc_latent_inference.fc", backbone_->features(), c.classes) {
  const int64_t w = c.decoder_width;
  const std::vector<int64_t> maps{c.z_size + c.classes, 16 * w, 8 * w, 4 * w, 2 * w, w, c.backbone.channels};
  for (size_t i = 0; i + 1 < maps.size(); ++i) {
    if (i > 0)
      norms_.push_back(std::make_unique<nn::BatchNorm>(this, layer(3 * i - 2), maps[i], c.backbone.norm));
    const nn::Window window = i == 0 ? nn::Window(c.side / 32) : nn::Window(4, 2, 1);
    deconvolutions_.push_back(
        std::make_unique<nn::ConvTranspose2d>(this, layer(3 * i), maps[i], maps[i + 1], window, false));
  }
  nn::init_uniform_fan_in(*this, options.seed);
}

Posterior ShotVae::encode(const Var& x, train::Share batch, const train::Step& step) const {
  const Var features = (*backbone_)(x, batch, step);
  const Var mean = mean_(features), log_sigma = log_sigma_(features);
  return {mean, log_sigma, 2 * log_sigma, autograd::log_softmax(log_alpha_(features))};
}

Var ShotVae::decode(const Var& z, const Var& y) const {
  Var h = autograd::reshape(autograd::concat({z, y}), {-1, 1, 1, config_.z_size + config_.classes});
  for (size_t i = 0; i < deconvolutions_.size(); ++i)
    h = (*deconvolutions_[i])(i == 0 ? h : (*norms_[i - 1])(h, kernels::kRelu));
  return h;
}

Var ShotVae::draw_z(const Posterior& q, const std::string& pass, train::Share batch,
                    const train::Step& step) const {
  return autograd::reparameterize(q.mean, q.log_var, step.normal("eps_" + pass, batch, config_.z_size));
}

Var ShotVae::draw_y(const Posterior& q, const std::string& pass, train::Share batch,
                    const train::Step& step) const {
  const Var temperature = step.number("temperature", kernels::Schedule::constant(config_.temperature));
  const Var uniform = step.uniform("unif_" + pass, batch, config_.classes);
  return autograd::gumbel_softmax(q.log_alpha, uniform.value(), temperature, kEps);
}

/// What a pass over images says: q, and the bound without its weight.
struct ShotVae::Bound {
  Posterior q;
  Var loss;
};

/// The first pass of a batch ("l1"), of given classes y or, where there are none, of drawn ones. Terms are
/// noted by the batch ("kl_z_l").
ShotVae::Bound ShotVae::bound(const Images& images, const Var& y, const std::string& pass,
                              const Objective& objective, const Terms& terms, const train::Step& step) const {
  const train::Share batch = images.batch();
  const Var& x = images.x;
  const Posterior q = encode(x, batch, step.in(pass));
  const Var z = draw_z(q, pass, batch, step);
  const Var logits = decode(z, y.defined() ? y : draw_y(q, pass, batch, step));
  note(q, pass, step), step.note("recon_" + pass, logits);
  const std::string set = pass.substr(0, 1);
  const auto metric = [&](const std::string& name, const Var& per_row) {
    const Var mean = step.mean(per_row, batch);
    step.metric(name + "_" + set, mean);
    return mean;
  };
  /// What the distance of a mean from its target costs.
  const auto held = [&](const Var& mean, const Var& target, const Var& beta) {
    return step.part(beta * autograd::abs_difference(step.total(mean), target));
  };
  const Var recon = metric("recon", reconstruction_error(logits, x, objective));
  return {q, recon + held(metric("kl_z", kl_z(q)), terms.target_z, terms.beta_z) +
                 held(metric("kl_y", kl_y(q)), terms.target_y, terms.beta_y)};
}

/// The second pass of a batch, over its mixed images.
Posterior ShotVae::mixed_pass(const Var& x, train::Share batch, const Var& y, const std::string& pass,
                              bool decode_mixed, const train::Step& step) const {
  const Posterior q = encode(x, batch, step.in(pass));
  note(q, pass, step);
  if (decode_mixed) {
    const Posterior fixed = q.constant();
    const Var z = draw_z(fixed, pass, batch, step);
    decode(z, y.defined() ? y : draw_y(fixed, pass, batch, step));
  }
  return q;
}

Losses ShotVae::shot_losses(const Images& labeled, const Mixing& of_labeled, const Images& unlabeled,
                            const Mixing& of_unlabeled, const Objective& objective, const Terms& terms,
                            bool decode_mixed, const train::Step& step) const {
  /// What the second pass of a batch takes from the first.
  struct First {
    Posterior q;
    Tensor partner;
    Var loss;
  };
  const auto first_l = std::make_shared<First>(), first_u = std::make_shared<First>();
  const auto first_pass = [=, this](const Images& images, const Var& y, const std::string& pass,
                                    First& first) {
    const Bound of_pass = bound(images, y, pass, objective, terms, step);
    first.q = of_pass.q.constant();
    const Var loss = terms.elbo * of_pass.loss;
    first.loss = Var(loss.value());
    return loss;
  };
  /// The distance of codes from the mixed codes of the first pass, weighted, and the classification, weighted
  /// where there is a weight.
  const auto second_pass = [=, this](const Images& images, const Mixing& mixing, const Var& mixed_y,
                                     const Var& target, const Var& weight, const std::string& set,
                                     const First& first) {
    const train::Share n = images.batch();
    const Posterior q =
        mixed_pass(mixed(images.x, mixing, n, step), n, mixed_y, set + "2", decode_mixed, step);
    const Var mean = mixed(first.q.mean, mixing, n, step), sigma = mixed(first.q.sigma(), mixing, n, step);
    step.note("target_mean_" + set, mean), step.note("target_sigma_" + set, sigma);
    const Var distance =
        step.mean(autograd::squared_error(q.mean, mean) + autograd::squared_error(q.sigma(), sigma), n);
    const Var classes = step.mean(cross_entropy(q, target), n);
    step.metric("post_z_" + set, distance), step.metric("cls_" + set, classes);
    const Var loss = terms.distance * distance + (weight.defined() ? weight * classes : classes);
    step.metric("loss_" + set, first.loss + Var(loss.value()));
    return loss;
  };
  const Var y(train::one_hot(labeled.labels, config_.classes, step.dtype()));
  return {[=] { return first_pass(labeled, y, "l1", *first_l); },
          [=] {
            const Var mixed_y = mixed(y, of_labeled, labeled.batch(), step);
            return second_pass(labeled, of_labeled, mixed_y, mixed_y, {}, "l", *first_l);
          },
          [=] { return first_pass(unlabeled, {}, "u1", *first_u); },
          [=] {
            Mixing mixing = of_unlabeled;
            if (!mixing.partner.defined()) mixing.partner = nearest(first_u->q, unlabeled.batch(), step);
            const Var target = mixed(first_u->q.alpha(), mixing, unlabeled.batch(), step);
            step.note("target_alpha_u", target);
            add_inference(first_u->q, unlabeled, step);
            return second_pass(unlabeled, mixing, {}, target, terms.unlabeled, "u", *first_u);
          }};
}

Losses ShotVae::m2_losses(const Images& labeled, const Images& unlabeled, const Objective& objective,
                          const Terms& terms, const train::Step& step) const {
  const Var y(train::one_hot(labeled.labels, config_.classes, step.dtype()));
  return {[=, this] {
            const Bound of_pass = bound(labeled, y, "l1", objective, terms, step);
            const Var classes = step.mean(cross_entropy(of_pass.q, y), labeled.batch());
            const Var loss = terms.elbo * of_pass.loss + classes;
            step.metric("cls_l", classes), step.metric("loss_l", loss);
            return loss;
          },
          [=, this] {
            const Bound of_pass = bound(unlabeled, {}, "u1", objective, terms, step);
            add_inference(of_pass.q, unlabeled, step);
            const Var loss = terms.elbo * of_pass.loss;
            step.metric("loss_u", loss);
            return loss;
          }};
}

Var kl_z(const Posterior& q) { return autograd::kl_standard_normal(q.mean, q.log_var); }

Var kl_y(const Posterior& q) {
  const double most = std::log(static_cast<double>(kernels::columns_of(q.log_alpha.shape())));
  return autograd::rowsum(kernels::Map::mul, {q.alpha(), q.log_alpha + most});
}

Var reconstruction_error(const Var& logits, const Var& x, const Objective& objective) {
  const Var rows = autograd::flatten(logits), target = autograd::flatten(x);
  if (objective.reconstruction == Reconstruction::bernoulli) return autograd::bernoulli_nll(rows, target);
  return 0.5 / (objective.sigma * objective.sigma) * autograd::sigmoid_squared_error(rows, target);
}

Var kl_inference(const Posterior& q, const Tensor& labels) {
  constexpr double kRight = 0.999;
  const auto others = static_cast<double>(kernels::columns_of(q.log_alpha.shape()) - 1);
  const double log_wrong = std::log((1 - kRight) / others);
  const Var alpha = q.alpha(), right = autograd::pick(alpha, labels);
  return autograd::rowsum(kernels::Map::mul, {alpha, q.log_alpha}) -
         autograd::affine(right, std::log(kRight) - log_wrong, log_wrong);
}

}  // namespace vae::shot_vae
