#pragma once
// Options of the tools m1, m2 and m1_m2.
#include "models/m1_m2/task.h"
#include "tools/common/images.h"
#include "tools/common/run_options.h"

namespace vae {

/// Settings of one model's nets and optimiser.
struct ModelOptions {
  std::string decoder = "bernoulli", hidden, activation = "softplus", z_terms = "kl", p_z = "marginal",
              q_z = "marginal";
  int64_t z = 50, samples = 1;
  std::string lr_decay = "constant";
  int64_t lr_warmup = 0;
  double weight_scale = 0.1, dropout = 0, learning_rate = 3e-4, clip = 0;
  bool batch_norm = true, batch_norm_to_input = true, batch_norm_before_activation = true;
  nn::BatchNormOptions bn = models::CommonConfig{}.batch_norm;

  models::M1Config m1(int64_t x_size) const;
  models::M2Config m2(int64_t x_size, int64_t y_size) const;
  nn::Adam::Settings adam() const;
  nn::Schedule schedule(const RunOptions& run) const;
};

/// What the tools are about.
struct Options {
  RunOptions run;
  std::string preset = "seed", split_file;
  ImageOptions images;
  ModelOptions m1, m2;
  int64_t m1_epochs = 500, m1_iters_per_epoch = 2000, m1_batch = 100;  ///< M1's own training in m1_m2
  std::filesystem::path m1_run;                                        ///< a finished M1 to load instead
  int64_t labels = 100, validation = 10000, batch_labeled = 100, batch_unlabeled = 100;
  double alpha = 1;
  std::string update = "separate", weights = "means";
  int64_t nll = 0;
  bool means = false;
};

/// Which tool's options: M1 alone, M2 alone, or M2 on a frozen M1.
enum class Tool { m1, m2, m1_m2 };

/// Defaults of a preset; throws Error(usage) for an unknown name.
Options preset_options(Tool tool, const std::string& preset);

/// Adds all options of `train`; defaults are the current values.
void add_train_options(CLI::App& command, Tool tool, Options& options);

}  // namespace vae
