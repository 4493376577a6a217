#pragma once
// Deep nets: configuration and noise by the files' names.
#include "models/backbones/backbone.h"
#include "nn/optimizer.h"
#include "numbers.h"

namespace vae::golden {

backbones::Config backbone_of(const nlohmann::json& config);
nn::Sgd::Settings sgd_of(const nlohmann::json& config);

/// Uniform noise of dropout, in a shape, that keeps what a mask [n, c, h, w] of zeros and ones does.
Tensor dropout_noise(Numbers& numbers, const std::string& mask, Shape shape);

}  // namespace vae::golden
