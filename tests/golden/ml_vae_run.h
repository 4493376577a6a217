#pragma once
// Golden files of the multi-level VAE: training steps and trajectories, the released weights with everything
// they say about the test images, evidence alone, the latent classifier, swap grids.
#include "models/ml_vae/ml_vae.h"
#include "nn/optimizer.h"
#include "nn/train/image_set.h"
#include "numbers.h"

namespace vae::golden {

/// The family "ml-vae".
Family ml_vae_family();

enum class MlVaeCase { training, author, trajectory, evidence, classifier, swap };
MlVaeCase ml_vae_case(const File& file);

/// Sets the tolerance of each tensor of a file, and the updates behind it. `file` must outlive the outcome.
void set_ml_vae_tolerances(Outcome& outcome, const File& file, DType precision);

/// The MNIST test images, where they are at hand (VAE_DATA_DIR).
const train::ImageSet* mnist_test();

/// Weights of a file of ours or of the reference into a model: "param/encoder...".
ml_vae::Config ml_vae_config(const nlohmann::json& config);
nn::Adam::Settings ml_vae_adam(const nlohmann::json& config);

/// "prefix/name" of gradients or parameters, with their L2 norms and first 16 elements under prefixnorm/ and
/// prefixhead/.
void put_with_norms(Values& values, const std::string& prefix, const std::string& name, const Tensor& x);

Values run_ml_vae_training(Numbers& numbers);
Values run_ml_vae_evidence(Numbers& numbers);
Values run_ml_vae_classifier(Numbers& numbers);
Values run_ml_vae_swap(Numbers& numbers);

}  // namespace vae::golden
