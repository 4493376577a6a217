#include "models/adgm/model.h"

#include "models/adgm/adgm.h"
#include "models/adgm/ladder.h"
#include "models/adgm/m2.h"
#include "models/adgm/vae.h"
#include "nn/init.h"

namespace vae::adgm {
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

std::vector<int64_t> Config::decoder_units() const {
  return decoder_hidden.empty() ? std::vector<int64_t>{hidden.rbegin(), hidden.rend()} : decoder_hidden;
}

std::vector<int64_t> Config::classifier_units() const {
  return classifier_hidden.empty() ? std::vector{hidden.front()} : classifier_hidden;
}

Var Model::Encoded::classify(int64_t, const Step&, const Sample&) {
  fail(ErrorKind::internal, "a model without labels");
}

std::unique_ptr<Model> make_model(const Config& config, nn::Options options) {
  config.check();
  std::unique_ptr<Model> model = build(config, options);
  if (config.init == Init::glorot_normal)
    nn::init_glorot_normal(*model, options.seed);
  else
    nn::init_uniform_fan_in(*model, options.seed);
  return model;
}

}  // namespace vae::adgm
