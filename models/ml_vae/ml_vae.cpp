#include "models/ml_vae/ml_vae.h"

#include "nn/init.h"

namespace vae::ml_vae {
namespace {

const Config& checked(const Config& c) {
  if (c.x_size < 1 || c.hidden < 1 || c.style_dim < 1 || c.class_dim < 1)
    fail(ErrorKind::usage, "ML-VAE with {} pixels, {} hidden units, codes of {} and {} variables", c.x_size,
         c.hidden, c.style_dim, c.class_dim);
  return c;
}

void note(const train::Step& step, const std::string& name, const Gaussian& g) {
  step.note(name + "_mu", g.mean), step.note(name + "_logvar", g.log_var);
}

}  // namespace

Encoder::Encoder(Module* parent, const std::string& name, const Config& c)
    : Module(parent, name),
      hidden_(this, "linear_model.linear_1", c.x_size, c.hidden),
      style_(this, "", {"style_mu", "style_logvar"}, c.hidden, c.style_dim),
      class_(this, "", {"class_mu", "class_logvar"}, c.hidden, c.class_dim) {}

Codes Encoder::operator()(const Var& x) const {
  const Var h = autograd::tanh(hidden_(x));
  return {.style = style_(h), .class_code = class_(h)};
}

Decoder::Decoder(Module* parent, const std::string& name, const Config& c)
    : Module(parent, name),
      hidden_(this, "linear_model.linear_1", c.style_dim + c.class_dim, c.hidden),
      out_(this, "linear_model.linear_2", c.hidden, c.x_size) {}

MlVae::MlVae(const Config& config, nn::Options options)
    : Module(options),
      config_(checked(config)),
      encoder_(this, "encoder", config),
      decoder_(this, "decoder", config) {
  nn::init_normal(*this, kWeightDeviation, options.seed);
}

Var MlVae::decode(const Var& style, const Var& class_code) const {
  return decoder_(autograd::concat({style, class_code}));
}

Noise MlVae::draw_noise(train::Share images, int64_t groups, const train::Step& step) const {
  const train::Share draws = config_.class_noise == ClassNoise::per_group ? train::Share(groups) : images;
  const Var class_noise = step.normal("class", draws, config_.class_dim);
  return {step.normal("style", images, config_.style_dim),
          autograd::affine(class_noise, config_.noise_std, 0)};
}

Losses MlVae::loss(const Var& x, train::Share images, const Groups& groups, const Noise& noise,
                   const train::Step& step) const {
  Codes codes = encode(x);
  if (config_.class_gradient == ClassGradient::detached) codes.class_code = nn::constant(codes.class_code);
  note(step, "style", codes.style), note(step, "class", codes.class_code);
  return loss(x, images, codes.style, accumulate_evidence(codes.class_code, groups), groups, noise, step);
}

Losses MlVae::loss(const Var& x, train::Share images, const Gaussian& style, const Gaussian& group,
                   const Groups& groups, const Noise& noise, const train::Step& step) const {
  const Var style_z = nn::sample(style, noise.style);
  const Var class_z = config_.class_noise == ClassNoise::per_group
                          ? autograd::gather_rows(nn::sample(group, noise.class_code), groups.of_image)
                          : nn::sample(of_members(group, groups), noise.class_code);
  const Var logits = decode(style_z, class_z);
  note(step, "group", group);
  step.note("style_z", style_z), step.note("class_z", class_z), step.note("logits", logits);

  const bool by_pixels = config_.divisor == LossDivisor::pixels;
  const double scale = by_pixels ? 1.0 / static_cast<double>(images.total * config_.x_size) : 1.0;
  const Var group_kl =
      autograd::kl_standard_normal(group.mean, group.log_var);  // 0 for a group without images
  const double of_group_kl = scale * config_.kl_coef;
  const Var style_kl = autograd::kl_standard_normal(style.mean, style.log_var);
  const Var error = autograd::sigmoid_squared_error(logits, x);
  Losses losses{.reconstruction = step.scaled_sum(error, scale * config_.reconstruction_coef),
                .style_kl = step.scaled_sum(style_kl, scale * config_.kl_coef),
                .class_kl = step.part(config_.class_kl_count == ClassKlCount::per_member
                                          ? autograd::dot(group_kl, Var(groups.size), of_group_kl)
                                          : autograd::scaled_sum(group_kl, of_group_kl)),
                .total = {}};
  if (!by_pixels) {
    const Var present = autograd::sum(autograd::clip(Var(groups.size), 0, 1));
    for (Var* loss : {&losses.reconstruction, &losses.style_kl, &losses.class_kl}) *loss = *loss / present;
  }
  losses.total = losses.reconstruction + losses.style_kl + losses.class_kl;
  return losses;
}

}  // namespace vae::ml_vae
