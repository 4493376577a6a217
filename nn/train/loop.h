#pragma once
// The training loop: steps, metrics, evaluation, checkpoints, exact resume, a clean stop on a signal.
#include <chrono>
#include <functional>

#include "nn/train/checkpoint.h"
#include "nn/train/event_file.h"
#include "nn/train/run_directory.h"
#include "nn/train/trainable.h"

namespace vae::train {

struct LoopOptions {
  int64_t epochs = 1;
  int64_t iters_per_epoch = 1;
  int64_t log_every = 0;         ///< iterations between rows of metrics; 0: at the end of each epoch only
  int64_t checkpoint_every = 0;  ///< iterations between checkpoints beside the one after each epoch; 0: none
  bool quiet = false;            ///< no progress, no epoch lines
  std::string how_to_go_on = "run it again to go on";  ///< said when a signal has stopped the run
  /// Called after each epoch, before its checkpoint: pictures. Must leave the state of the training as it is.
  std::function<void(int64_t epoch, int64_t step, EventFile& events)> after_epoch = {};
  /// Tells the time that rates and durations are measured in.
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};

/// The best epoch so far by a metric, and all that its evaluation gave.
struct Best {
  std::string metric;
  int64_t epoch = 0;
  Scalars metrics{};
  double value() const;
};

struct LoopResult {
  int64_t iterations = 0;      ///< of the whole run, resumed parts included
  double seconds = 0;          ///< of the whole run
  Scalars last;                ///< the last row of metrics
  std::optional<Best> best{};  ///< of a trainable with a selection
};

/// Trains until `epochs` are complete, in a run directory held by this process. Every epoch ends with
/// drain(), evaluate(), a row in each metrics file, an epoch line on standard output and a checkpoint; one
/// that the trainable's selection finds better than all before leaves its weights in best.safetensors. A
/// resumed run continues from the checkpoint (or from the start where there is none yet), cuts the metrics
/// back to it and produces the same bytes as an uninterrupted one. After a signal (nn/train/interrupt.h) the
/// iteration is finished, a checkpoint written, and Error(interrupted) thrown, so that a program ends with
/// its exit code 130. Throws Error(numeric) naming metric and iteration when a metric is not finite (the last
/// good checkpoint stays), Error(data) when the checkpoint is not of this run, Error(io) when a file cannot
/// be written, Error(usage) for a trainable that could not be resumed: a run that begins calls
/// check_resumable(). Of several ranks all come here, with the same options; rank 0 alone writes, and a
/// signal to any of them stops all after the same iteration.
LoopResult run_loop(Trainable& trainable, const RunDirectory& directory, const LoopOptions& options);

/// Throws Error(usage) unless step() is a function of state(): takes a step twice from the present state,
/// which must leave the same bytes, and puts the state back. What draws by a counter or a generator that
/// state() does not hold would repeat its batches and noise in a resumed run.
void check_resumable(Trainable& trainable);

}  // namespace vae::train
