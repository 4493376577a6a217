#pragma once
// What the training loop and the benchmark drive: a model with its optimiser and its data.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "nn/state.h"
#include "nn/train/metrics.h"

namespace vae::train {

/// The metric of evaluate() by which epochs are compared.
struct Selection {
  std::string metric;
  bool more_is_better = true;
};

class Trainable {
 public:
  virtual ~Trainable() = default;

  /// One optimiser iteration; reads nothing back to the host.
  virtual void step() = 0;
  /// Names of all metrics, those of drain() and those of evaluate(), in the order of the columns.
  virtual std::vector<std::string> metric_names() const = 0;
  /// Training metrics, averaged over the steps since the last drain; resets the sums.
  virtual Scalars drain() = 0;
  /// Metrics on held-out data, once per epoch. Leaves state() as it is.
  virtual Scalars evaluate() = 0;
  /// Everything that step() and drain() depend on: parameters, buffers, optimiser moments, counters, running
  /// sums. Who asks may copy other values into the tensors, so what was read from them before is out of date.
  /// All ranks ask for it, since they may hold pieces of it.
  virtual nn::StateDict state() = 0;
  /// What identifies the model (sizes, variants): constant during a run. A checkpoint whose meta differs in
  /// one of these keys belongs to another model. The key "loop" is taken by the training loop.
  virtual nlohmann::json meta() const = 0;
  virtual int64_t images_per_step() const = 0;
  /// Whether the weights of the best epoch are kept, and which epoch that is.
  virtual std::optional<Selection> selection() const { return {}; }
  /// What is kept of it: the weights as evaluate() sees them.
  virtual nn::StateDict weights() { return state(); }
};

}  // namespace vae::train
