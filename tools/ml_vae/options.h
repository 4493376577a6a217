#pragma once
// Options of the tool ml_vae.
#include "models/ml_vae/task.h"
#include "tools/common/images.h"
#include "tools/common/run_options.h"

namespace vae {

struct MlVaeOptions {
  RunOptions run;
  ImageOptions images;
  std::string preset = "reference";
  int64_t batch = 256, hidden = 500, style_dim = 10, class_dim = 10;
  std::string class_gradient = "detached", class_kl = "per_member", class_noise = "per_group",
              divisor = "pixels";
  double noise_std = 0.1, reconstruction_coef = 1, kl_coef = 1;
  double learning_rate = 1e-3, beta_1 = 0.9, beta_2 = 0.999;
  bool reshuffle = false;

  std::filesystem::path weights;                               ///< import
  std::string references = "auto";                             ///< swap
  int64_t evidence_images = 256;                               ///< swap
  int64_t iterations = 100000, classifier_batch = 128;         ///< classify
  double classifier_rate = 1e-4;                               ///< classify
  int64_t fit = 60000;                                         ///< probe
  double ridge = 1e-3;                                         ///< probe
  std::string code = "style";                                  ///< tsne
  int64_t tsne_images = 10000, tsne_iterations = 1000;         ///< tsne
  double perplexity = 30, exaggeration = 12, tsne_rate = 200;  ///< tsne
  bool evidence = false, means = false;                        ///< tsne

  models::MlVaeConfig model(int64_t x_size) const;
  nn::Adam::Settings adam() const;
};

/// Defaults of a preset: reference, reference-std1, attached or paper; throws Error(usage) for another name.
MlVaeOptions ml_vae_preset(const std::string& preset);

/// Adds the options that shape a run; defaults are the current values.
void add_ml_vae_options(CLI::App& command, MlVaeOptions& options);

/// Adds the options of `import`, `swap`, `classify`, `tsne` or `probe` itself.
void add_inspection_options(CLI::App& command, const std::string& what, MlVaeOptions& options);

}  // namespace vae
