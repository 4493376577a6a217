#pragma once
// Options of the tools adgm (models with labels) and vae (models without).
#include "models/adgm/task.h"
#include "tools/common/images.h"
#include "tools/common/run_options.h"

namespace vae::adgm_tools {

/// adgm: adgm, sdgm, m2, stacked, ladder. vae: vae, flow, beta, ladder, gumbel.
enum class Tool { adgm, vae };

struct Options {
  RunOptions run;
  std::string preset = "notebook", model, split_file;
  ImageOptions images;

  std::string hidden, z, classifier_hidden, decoder_hidden, decoder_activation = "relu";
  int64_t a = 32, flows = 0, draws = 10;
  std::string init = "glorot", log_var = "softplus", flow = "reference", ladder = "reference",
              gumbel = "reference";
  double eps = 1e-8;
  bool share_a = false;

  std::string alpha = "batches";  ///< or unlabeled-batches, examples, a number
  double alpha_scale = 0.1, beta = 1, tau = 1, tau_factor = 1;
  int64_t warmup = 0, mc = 1, iw = 1;
  int64_t batch = 64, batch_labeled = 64, labels = 100, validation = 0, predict_draws = 1;
  std::string labeled_pixels = "epoch";

  std::string optimizer = "adam";
  double learning_rate = 3e-4, lr_factor = 1, lr_floor = 0, clip = 0, clamp = 0;
  int64_t lr_every = 0;
  bool weight_prior = false;

  std::filesystem::path features_run;  ///< of the stacked model: a finished run of the tool vae
  int64_t features_epochs = 10, features_z = 32;
  std::string features_hidden = "256,128";

  int64_t nll = 0, digit = -1, units = 0;
  double span = 3;

  models::adgm::Kind kind(Tool tool) const;
  models::adgm::Config config(Tool tool, int64_t x_size, int64_t classes) const;
  /// `unlabeled` images in training, of which `labeled` have labels (0: none needed).
  models::adgm::TaskOptions task(int64_t labeled, int64_t unlabeled) const;
  double alpha_of(int64_t labeled, int64_t unlabeled) const;
};

/// Defaults of a preset for a model; throws Error(usage) for unknown names.
Options preset_options(Tool tool, const std::string& model, const std::string& preset);

/// Adds all options of `train`; defaults are the current values.
void add_train_options(CLI::App& command, Tool tool, Options& options);

}  // namespace vae::adgm_tools
