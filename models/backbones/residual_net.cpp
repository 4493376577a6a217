#include "models/backbones/residual_net.h"

namespace vae::backbones {

ResidualUnit::ResidualUnit(nn::Module* parent, const std::string& name, int64_t in, int64_t width,
                           int64_t stride, const ResidualPlan& plan, const nn::BatchNormOptions& norm)
    : Module(parent, name) {
  const auto add = [&](int64_t from, int64_t to, const nn::Window& window) {
    const std::string number = std::to_string(layers_.size() + 1);
    layers_.push_back(
        std::make_unique<NormConv>(this, "f_block", number, from, to, window, plan.activation, norm));
  };
  const int64_t out = plan.expansion * width;
  if (plan.expansion != 1) add(in, width, window1());
  add(plan.expansion != 1 ? width : in, width, window3(stride));
  add(width, out, plan.expansion != 1 ? window1() : window3());
  if (in != out || stride != 1)
    shortcut_ = std::make_unique<NormConv>(this, "i_block", "", in, out, window1(stride),
                                           plan.shortcut_activation, norm);
}

Var ResidualUnit::operator()(const Var& x, Pass& pass) const {
  Var y = x;
  for (const auto& layer : layers_) {
    if (layer == layers_.back()) y = pass.drop(y);
    y = (*layer)(y);
  }
  return y + (shortcut_ ? (*shortcut_)(x) : x);
}

ResidualNet::ResidualNet(nn::Module* parent, const std::string& name, const ResidualPlan& plan,
                         const Config& config)
    : Trunk(parent, name),
      conv0_(this, "pre_process.conv0", config.channels, plan.stem, window3()),
      channels_(plan.stem),
      activation_(plan.activation) {
  for (const ResidualPlan::Block& block : plan.blocks)
    for (int64_t i = 0; i < block.units; ++i) {
      units_.push_back(std::make_unique<ResidualUnit>(
          this, fmt::format("{}.{}{}", block.name, plan.unit, i + 1), channels_, block.width,
          i == 0 ? block.stride : 1, plan, config.norm));
      channels_ = plan.expansion * block.width;
    }
}

Var ResidualNet::operator()(const Var& images, Pass& pass) const {
  Var x = conv0_(images);
  for (const auto& unit : units_) x = (*unit)(x, pass);
  return x;
}

}  // namespace vae::backbones
