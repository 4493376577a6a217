#include "models/backbones/backbone.h"

#include <optional>

#include "models/backbones/dense_net.h"
#include "models/backbones/preact_resnet.h"
#include "models/backbones/wide_resnet.h"

namespace vae::backbones {
namespace {

const Config& check(const Config& c) {
  if (c.channels < 1) fail(ErrorKind::usage, "a backbone for images of {} channels", c.channels);
  if (!(c.dropout >= 0 && c.dropout < 1))
    fail(ErrorKind::usage, "dropout ratio {} outside [0, 1)", c.dropout);
  return c;
}

/// A trunk, the last norm with its activation, the mean over all pixels.
class Net : public Backbone {
 public:
  Net(nn::Module* parent, const std::string& name, const Config& config)
      : Backbone(parent, ""),
        dropout_(check(config).dropout),
        trunk_(std::visit([&](const auto& sizes) { return make(this, name, sizes, config); }, config.sizes)),
        norm_(this, config.last_norm.empty() ? trunk_path(name) + trunk_->last_norm() : config.last_norm,
              trunk_->channels(), config.norm) {}

  Var operator()(const Var& images, const Parts& batch, const train::Step& step) const override {
    Pass pass(batch, step, training() ? dropout_ : 0);
    return autograd::global_avg_pool(norm_((*trunk_)(images, pass), trunk_->activation()));
  }
  int64_t features() const override { return trunk_->channels(); }

 private:
  static std::string trunk_path(const std::string& name) { return name.empty() ? name : name + "."; }
  double dropout_;
  std::unique_ptr<Trunk> trunk_;
  nn::BatchNorm norm_;
};

}  // namespace

Config parse(std::string_view name) {
  if (const auto sizes = parse_wide_resnet(name)) return {.sizes = *sizes};
  std::string names = "wideresnet-DEPTH-WIDTH";
  const auto find = [&](const auto& nets) -> std::optional<Config> {
    for (const auto& [known, sizes] : nets) {
      if (known == name) return Config{.sizes = sizes};
      names.append(", ").append(known);
    }
    return {};
  };
  if (const auto config = find(preact_resnets())) return *config;
  if (const auto config = find(dense_nets())) return *config;
  fail(ErrorKind::usage, "no backbone '{}': there are {}", name, names);
}

std::unique_ptr<Backbone> make(nn::Module* parent, const std::string& name, const Config& config) {
  return std::make_unique<Net>(parent, name, config);
}

}  // namespace vae::backbones
