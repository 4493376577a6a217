#pragma once
// Wide residual nets: leaky ReLU everywhere, in the shortcuts, too.
#include <optional>

#include "models/backbones/trunk.h"

namespace vae::backbones {

/// The sizes of "wideresnet-DEPTH-WIDTH"; none for any other name. Throws Error(usage) like make().
std::optional<WideResNet> parse_wide_resnet(std::string_view name);

/// Throws Error(usage) for a depth other than 10, 16, 22, ... and for a block without channels.
std::unique_ptr<Trunk> make(nn::Module* parent, const std::string& name, const WideResNet& sizes,
                            const Config& config);

}  // namespace vae::backbones
