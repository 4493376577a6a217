#include "models/adgm/model.h"

#include <algorithm>

#include "models/adgm/adgm.h"
#include "models/adgm/ladder.h"
#include "models/adgm/m2.h"
#include "models/adgm/vae.h"
#include "nn/init.h"

namespace vae::models::adgm {
namespace {

constexpr std::array<const char*, 8> kNames{"adgm",      "sdgm", "m2",     "stacked",
                                            "ladder-m2", "vae",  "ladder", "gumbel"};

void check_sizes(const char* what, const std::vector<int64_t>& sizes) {
  if (sizes.empty()) fail(ErrorKind::usage, "no {}", what);
  for (const int64_t size : sizes)
    if (size < 1) fail(ErrorKind::usage, "{} of {} units", what, size);
}

std::unique_ptr<Model> build(const Config& config, nn::Options options) {
  switch (config.kind) {
    case Kind::adgm:
    case Kind::sdgm:
      return std::make_unique<Adgm>(config, options);
    case Kind::m2:
    case Kind::stacked:
      return std::make_unique<M2>(config, options);
    case Kind::ladder_m2:
    case Kind::ladder:
      return std::make_unique<Ladder>(config, options);
    case Kind::vae:
      return std::make_unique<Vae>(config, options);
    case Kind::gumbel:
      return std::make_unique<GumbelVae>(config, options);
  }
  fail(ErrorKind::internal, "no such model");
}

}  // namespace

std::string name_of(Kind kind) { return kNames[static_cast<size_t>(kind)]; }

bool has_labels(Kind kind) { return kind < Kind::vae; }

void Config::check() const {
  const bool is_ladder = kind == Kind::ladder || kind == Kind::ladder_m2;
  check_sizes("image", {x_size});
  check_sizes("hidden layer", hidden);
  check_sizes("latent variable", z);
  if (has_labels(kind)) check_sizes("label", {y_size});
  if (kind == Kind::adgm || kind == Kind::sdgm) check_sizes("auxiliary variable", {a});
  if (kind == Kind::gumbel) check_sizes("relaxed sample", {draws});
  if (kind == Kind::stacked) check_sizes("features", {features_z}), check_sizes("features", features_hidden);
  if (!classifier_hidden.empty()) check_sizes("hidden layer of the classifier", classifier_hidden);
  if (!decoder_hidden.empty()) check_sizes("hidden layer of the decoder", decoder_hidden);
  if (is_ladder && z.size() != hidden.size())
    fail(ErrorKind::usage, "a ladder of {} hidden layers and {} latent ones", hidden.size(), z.size());
  if (!is_ladder && z.size() != 1)
    fail(ErrorKind::usage, "{} latent layers, which only ladders have", z.size());
  if (flows < 0) fail(ErrorKind::usage, "{} flows", flows);
  if (!(eps >= 0)) fail(ErrorKind::usage, "eps {} is negative", eps);
}

Var Model::Images::classify(int64_t, const Pass&) { fail(ErrorKind::internal, "a model without labels"); }

nlohmann::json Model::meta() const {
  nlohmann::json meta{{"model", name_of(config_.kind)}, {"x_size", config_.x_size}, {"z", config_.z}};
  if (has_labels(config_.kind)) meta["y_size"] = config_.y_size;
  return meta;
}

std::vector<int64_t> Model::decoder_sizes(const Config& config) {
  if (!config.decoder_hidden.empty()) return config.decoder_hidden;
  return {config.hidden.rbegin(), config.hidden.rend()};
}

std::vector<int64_t> Model::classifier_sizes(const Config& config) {
  return config.classifier_hidden.empty() ? std::vector{config.hidden.front()} : config.classifier_hidden;
}

std::unique_ptr<Model> make_model(const Config& config, nn::Options options) {
  config.check();
  std::unique_ptr<Model> model = build(config, options);
  if (config.init == Init::glorot_normal)
    nn::init_glorot_normal(*model, options.seed);
  else
    nn::init_uniform_fan_in(*model, options.seed);
  for (const nn::Module::Parameter& p : model->parameters()) {
    if (!p.name.starts_with("flow.")) continue;
    if (p.name.ends_with(".b"))
      kernels::fill(p.var->value(), 1.0);
    else
      kernels::random_normal(p.var->value(), RandomKey::named(options.seed, "init/" + p.name),
                             Tensor::scalar(int64_t{0}, options.device));
  }
  return model;
}

}  // namespace vae::models::adgm
