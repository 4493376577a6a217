#include "nn/mlp.h"

namespace vae::nn {

HiddenLayer::HiddenLayer(Module* parent, const std::string& name, const std::string& norm_name, int64_t in,
                         int64_t out, const HiddenRule& rule)
    : Module(parent, ""),
      linear(this, name, in, out),
      activation_(rule.activation),
      norm_before_(rule.norm_before_activation) {
  if (rule.batch_norm) norm.emplace(this, norm_name, norm_before_ ? out : in, *rule.batch_norm);
}

Var HiddenLayer::operator()(const Var& x, bool normalise) const {
  if (!norm || !normalise) return autograd::activate(activation_, linear(x));
  return norm_before_ ? (*norm)(linear(x), activation_) : autograd::activate(activation_, linear((*norm)(x)));
}

std::string LayerNames::layer_name(int64_t i) const { return fmt::format(fmt::runtime(layer), first + i); }
std::string LayerNames::norm_name(int64_t i) const { return fmt::format(fmt::runtime(norm), first + i); }

Mlp::Mlp(Module* parent, const std::string& name, const std::vector<int64_t>& units, const HiddenRule& rule,
         const LayerNames& names, const std::string& stream)
    : Module(parent, name) {
  for (const int64_t width : units)
    if (width <= 0) fail(ErrorKind::usage, "a hidden layer of {} units", width);
  if (rule.dropout > 0) dropout_.emplace(this, "dropout", rule.dropout, "dropout/" + stream);
  for (size_t i = 0; i + 1 < units.size(); ++i) {
    const auto number = static_cast<int64_t>(i);
    layers_.push_back(std::make_unique<HiddenLayer>(this, names.layer_name(number), names.norm_name(number),
                                                    units[i], units[i + 1], rule));
  }
}

Var Mlp::operator()(Var x, bool normalise_first, bool normalise) const {
  for (size_t i = 0; i < layers_.size(); ++i) {
    x = (*layers_[i])(x, i == 0 ? normalise_first : normalise);
    if (dropout_) x = (*dropout_)(x);
  }
  return x;
}

}  // namespace vae::nn
