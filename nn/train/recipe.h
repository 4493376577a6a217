#pragma once
// Recipe: all that a family says of its training. Everything around it (counting, recording, meters,
// checkpoints, the loop, run directories, reports, seeds) is written once, in Task, run_loop and the runner
// of the tools.
#include <nlohmann/json.hpp>

#include "nn/report/summary.h"
#include "nn/train/metrics.h"
#include "nn/train/step.h"
#include "nn/train/trainable.h"
#include "nn/train/update.h"

namespace vae::train {

/// A loss of so many images, the one of a training step that takes the most memory, and the option that says
/// how many there are.
struct MemoryProbe {
  std::string option;
  int64_t batch = 0;
  std::function<Var(int64_t batch)> loss;
};

class Recipe {
 public:
  virtual ~Recipe() = default;

  virtual nn::Module& model() = 0;
  /// What identifies the model in a checkpoint: sizes, variants.
  virtual nlohmann::json meta() const = 0;
  /// The trained tensors of a checkpoint; frozen parts, too.
  virtual void add_state(nn::StateDict& state) { model().add_state(state); }

  virtual std::vector<Group> groups() = 0;
  /// The updates of an iteration, in order; what they share, such as the batch, is made here.
  virtual std::vector<Update> updates(const Step& step) = 0;
  virtual int64_t images_per_step() const = 0;
  /// Whole batches of a pass over the data.
  virtual int64_t steps_per_pass() const = 0;
  /// Work on the host before an iteration, not recorded: a function of its number and of the state.
  virtual void prepare(int64_t /*iteration*/) {}
  /// What the queued work of an iteration depends on beside the contents of tensors: sizes of its batch.
  virtual std::vector<int64_t> sizes(int64_t /*iteration*/) const { return {}; }

  /// The columns of the log, in order: metrics that updates() gives to the step, averaged from row to row;
  /// those that read() reads off the state of the training when a row is written; and those of evaluate().
  virtual std::vector<std::string> training_metrics() const = 0;
  virtual std::vector<std::string> reading_metrics() const { return {}; }
  virtual std::vector<std::string> evaluation_metrics() const = 0;
  virtual Scalars read() { return {}; }
  /// Metrics on held-out data, in test mode and without a tape; those without data are left out. `step` is
  /// the last iteration, with noise in the scope "evaluate".
  virtual Scalars evaluate(const Step& step) = 0;
  /// The metric of evaluate() that makes an epoch the best, whose weights are kept; none: no epoch is.
  virtual std::optional<Selection> selection() const { return {}; }

  /// What is tried with few images before a training, to see whether it fits into memory (nn/train/memory.h);
  /// none: nothing.
  virtual std::optional<MemoryProbe> memory_probe() { return {}; }

  /// Mean importance-weighted estimate of -log p(x) of the test images, nats. Throws Error(usage) where the
  /// model has none.
  virtual double nll(int64_t /*samples*/, const Step& /*step*/) {
    fail(ErrorKind::usage, "no estimate of -log p(x) for this model");
  }

  /// What a report says: results, charts, pictures. In test mode.
  virtual void report(report::Summary& summary, const Step& step) = 0;
  /// A picture for each epoch, or none. In test mode.
  virtual std::optional<report::Image> preview(const Step& /*step*/) { return {}; }
};

}  // namespace vae::train
