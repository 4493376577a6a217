#include "shot_vae_deep.h"

#include "layouts.h"

namespace vae::golden {
namespace {

/// Small nets have sizes of their own, others a name.
backbones::Config sizes_of(const nlohmann::json& net) {
  const auto name = net.at("name").get<std::string>();
  if (!net.value("custom", false)) return backbones::parse(name);
  if (name.starts_with("wideresnet"))
    return {.sizes = backbones::WideResNet{
                .depth = net.at("depth"), .width = net.at("width"), .stem = net.at("num_init_features")}};
  if (name.starts_with("preactresnet"))
    return {.sizes = backbones::PreActResNet{.blocks = net.at("block_config"),
                                             .expansion = net.at("expansion"),
                                             .stem = net.at("num_init_features")}};
  return {.sizes = backbones::DenseNet{.growth = net.at("growth_rate"),
                                       .blocks = net.at("block_config"),
                                       .stem = net.at("num_init_features"),
                                       .bottleneck = net.at("bn_size"),
                                       .compression = net.at("compression")}};
}

}  // namespace

backbones::Config backbone_of(const nlohmann::json& config) {
  backbones::Config c = sizes_of(config.at("backbone"));
  c.dropout = config.at("drop_rate");
  c.channels = config.at("image").at(0);
  c.leaky_slope = config.at("leaky_slope");
  c.norm.eps = config.at("bn_eps"), c.norm.momentum = config.at("bn_momentum");
  return c;
}

nn::Sgd::Settings sgd_of(const nlohmann::json& config) {
  const nlohmann::json& sgd = config.at("optimizer");
  return {.learning_rate = sgd.at("lr"),
          .rule = {.momentum = sgd.at("momentum"), .weight_decay = sgd.at("weight_decay")}};
}

Tensor dropout_noise(Numbers& numbers, const std::string& mask, Shape shape) {
  const Tensor kept = to_ours(numbers.get(mask, numbers.file().content.at(mask).shape()));
  return kept.reshape(shape);  // dropped below the ratio: 0, kept: 1
}

}  // namespace vae::golden
