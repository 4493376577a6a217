#pragma once
// Task: a recipe as the training loop and the benchmark drive it.
#include "kernels/precision.h"
#include "nn/train/meter.h"
#include "nn/train/recipe.h"
#include "nn/train/trainable.h"
#include "tensor/graph.h"

namespace vae::train {

class Task : public Trainable {
 public:
  struct Options {
    uint64_t seed = 0;
    GraphMode graph = GraphMode::automatic;
    kernels::Precision precision = kernels::Precision::fp32;  ///< of products on CUDA devices
    DType grad_reduce = DType::f32;  ///< in which f32 gradients are added up over ranks
    std::string split{};  ///< names the split of the data: a checkpoint is resumed with the same split only
  };
  /// The recipe must outlive the task; its model lies on the device of the task.
  Task(Recipe& recipe, Options options);

  void step() override;
  /// What a step queues on the device, once the recipe is prepared.
  void queue();
  std::vector<std::string> metric_names() const override;
  Scalars drain() override;
  Scalars evaluate() override;
  nn::StateDict state() override;
  nlohmann::json meta() const override;
  int64_t images_per_step() const override { return recipe_.images_per_step(); }
  std::optional<Selection> selection() const override { return recipe_.selection(); }
  nn::StateDict weights() override;
  bool recorded() const { return graph_.enabled(); }
  Groups& groups() { return groups_; }

 private:
  int64_t iteration();
  Recipe& recipe_;
  Options options_;
  Groups groups_;
  Meter meter_;
  Tensor counter_;
  int64_t iteration_ = -1;  // the counter on the host; read where it may have changed
  StepGraph graph_;
};

/// Loads the weights of a recipe from a checkpoint and returns how many iterations they were trained. Throws
/// Error(io), or Error(data) where it is a checkpoint of another model.
int64_t load_weights(Recipe& recipe, const std::filesystem::path& checkpoint);

/// Which weights of a run are looked at: those of its last iteration, or their averages; those of its best
/// epoch, as it was evaluated. Automatic: of the last iteration, averaged where the recipe averages.
enum class Weights { automatic, last, best, average };

/// The same from the folder of a run. Throws Error(usage) where the run keeps no weights of that kind.
int64_t load_weights(Recipe& recipe, const std::filesystem::path& run, Weights which);

/// The last of so many iterations, for evaluations and inspections: noise in a scope.
Step last_step(uint64_t seed, int64_t iterations, Device device, const std::string& scope);

}  // namespace vae::train
