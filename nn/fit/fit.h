#pragma once
// Fit: trains a module of one's own on a named data set, as the families are trained: metrics and their
// evaluation on the test images, checkpoints, exact resuming, pictures and a report in a run directory. It is
// the recipe of one update (fit_recipe.h); what needs more writes a train::Recipe.
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nn/module.h"
#include "nn/train/image_set.h"
#include "nn/train/step.h"

namespace vae::fit {

using autograd::Var;
using train::Step;

/// What a loss gives: the number that is minimised, and others that are metered beside it. Names are those of
/// the columns of the log; "loss" is the total.
struct Losses {
  Var total;
  std::vector<std::pair<std::string, Var>> metrics{};
};

/// Images [n, h, w, c] of an iteration. With FitOptions::labels, x are unlabelled and `labeled` others with
/// their labels (i64); else all images are labelled, and both are the same. Of an evaluation: test images,
/// both the same.
struct Batch {
  Var x, labeled;
  Tensor labels;
};

struct FitOptions {
  std::filesystem::path run;                     ///< directory; a run that is there goes on
  std::string data = "synth";                    ///< a name that data/load.h knows
  std::filesystem::path data_dir{};              ///< the only folder it is looked for, if given
  train::Inputs inputs = train::Inputs::binary;  ///< how pixels become numbers
  int channels = 1;                              ///< 1 grey, 3 colour
  int64_t epochs = 10;                           ///< a finished run goes on when there are more
  int64_t iters_per_epoch = 0;                   ///< 0: a pass over the images
  int64_t batch = 100;                           ///< images of an iteration
  int64_t labels = 0;                            ///< labelled images, as many of each class; 0: all
  double learning_rate = 1e-3;                   ///< of Adam
  int64_t log_every = 0, checkpoint_every = 0;   ///< iterations, beside the ends of epochs; 0: none
  int threads = 0;                               ///< of the CPU; 0: all cores
  bool quiet = false;                            ///< no progress, no line per epoch
};

/// A picture at the end of a run: images [n, h, w, c] or [n, h w c] with values in [0, 1], a tile each.
struct Picture {
  std::string name;
  std::function<Var(const Step&)> images;
};

class Fit {
 public:
  using Loss = std::function<Losses(const Batch&, const Step&)>;
  using ImageLoss = std::function<Losses(const Var& x, const Step&)>;

  /// Loads the data, and initialises a module whose weights are all zero (nn::init_uniform_fan_in) from its
  /// own seed, which is that of batches and noise, too. The module must outlive this object. Throws
  /// Error(usage) for options that are out of range or do not fit the data, and whatever data::load_dataset()
  /// throws.
  Fit(nn::Module& net, Loss loss, FitOptions options);
  Fit(nn::Module& net, ImageLoss loss, FitOptions options);
  ~Fit();
  Fit(const Fit&) = delete;
  Fit& operator=(const Fit&) = delete;

  /// Trains to the last epoch, then writes pictures, results.json and report.html; leaves the module trained,
  /// in test mode. Each metric NAME has a test_NAME, its mean over the test images. After SIGINT or SIGTERM
  /// the state is saved and Error(interrupted) thrown: the same call goes on exactly. Throws Error(numeric)
  /// where a metric is not finite, Error(usage) where the run in the directory had other options or data or a
  /// picture's name is no file's, Error(io) where a file cannot be written.
  void run(const std::vector<Picture>& pictures = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The weights and buffers of a module as a safetensors file; and back from one, or from the checkpoint of a
/// run. Loading throws Error(io) where the file cannot be read, Error(data) where it lacks a tensor or has it
/// in another shape.
void save_weights(const nn::Module& module, const std::filesystem::path& path);
void load_weights(nn::Module& module, const std::filesystem::path& path);

/// Share of rows whose largest logit is that of the label (i64): a metric, without gradient.
Var accuracy(const Var& logits, const Tensor& labels);

}  // namespace vae::fit
