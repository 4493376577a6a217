#pragma once
// Symmetric learning: configuration, parameters, images and noise by the files' names.
#include "layouts.h"
#include "models/sym_vae/sym_vae.h"
#include "sym_vae_run.h"

namespace vae::golden {

sym_vae::Config sym_vae_config(const nlohmann::json& config);

/// Fills parameters and buffers from "param/NAME".
void load_sym_vae(Numbers& numbers, nn::Module& model);
/// Images [rows, 784].
Tensor images_of(Numbers& numbers, const std::string& name, int64_t rows);
/// Noise "q/z0" of an iteration "it2." is "noise/it2.q.u_z0", or of normals eps_z0.
Tensor sym_vae_noise(Numbers& numbers, const std::string& iteration, const std::string& name, Shape shape,
                     train::Draw draw);

}  // namespace vae::golden
