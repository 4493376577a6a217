#pragma once
// Symmetric learning: configuration, parameters, images and noise by the files' names.
#include "models/sym_vae/sym_vae.h"
#include "sym_vae_run.h"

namespace vae::golden {

sym_vae::Config sym_vae_config(const nlohmann::json& config);
nn::Options options_of(const Numbers& numbers);

/// Weights of convolutions [n, kh, kw, m] are [n, m, kh, kw] in the files; other tensors are as they are.
Shape their_shape(const Shape& ours);
Tensor to_theirs(const Tensor& ours);
Tensor to_ours(const Tensor& theirs);

/// Fills parameters and buffers from "param/NAME".
void load_sym_vae(Numbers& numbers, nn::Module& model);
/// Images [rows, 784].
Tensor images_of(Numbers& numbers, const std::string& name, int64_t rows);
/// Noise "q/z0" of an iteration "it2." is "noise/it2.q.u_z0", or of normals eps_z0.
Tensor sym_vae_noise(Numbers& numbers, const std::string& iteration, const std::string& name, Shape shape,
                     train::Draw draw);

}  // namespace vae::golden
