#pragma once
// Densely connected nets: a layer sees the channels of all layers before it in its block. ReLU.
#include "models/backbones/trunk.h"

namespace vae::backbones {

/// The nets that have a name: "densenet121", "densenetbc100" and others.
const std::vector<std::pair<std::string_view, DenseNet>>& dense_nets();

/// Throws Error(usage) for sizes below one.
std::unique_ptr<Trunk> make(nn::Module* parent, const std::string& name, const DenseNet& sizes,
                            const Config& config);

}  // namespace vae::backbones
