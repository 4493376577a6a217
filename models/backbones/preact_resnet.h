#pragma once
// Residual nets with norms before the activations: ReLU, but none in the shortcuts.
#include "models/backbones/trunk.h"

namespace vae::backbones {

/// The nets that have a name: "preactresnet18" and others.
const std::vector<std::pair<std::string_view, PreActResNet>>& preact_resnets();

/// Throws Error(usage) for sizes below one.
std::unique_ptr<Trunk> make(nn::Module* parent, const std::string& name, const PreActResNet& sizes,
                            const Config& config);

}  // namespace vae::backbones
