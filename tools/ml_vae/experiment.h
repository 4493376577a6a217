#pragma once
// The experiment behind the tool ml_vae: data, model, run directory, and what is read off a trained model.
#include <optional>

#include "models/ml_vae/classifier.h"
#include "tools/ml_vae/options.h"

namespace vae {

class MlVaeExperiment {
 public:
  explicit MlVaeExperiment(const MlVaeOptions& options);

  /// Trains, then writes pictures, probes, results and report. Returns the exit code: 0, or 130 after an
  /// interruption.
  int train(const nlohmann::ordered_json& config);
  void benchmark();
  /// Makes a run of the reference's parameters: checkpoint, pictures and probes. Training can resume it.
  void import(const nlohmann::ordered_json& config);
  /// Squared error per pixel of the test images, each under its own class code; of the last train().
  double test_result() const { return test_mse_; }

  /// Loads the weights of the run.
  void load();
  /// swap.png and swap_evidence.png: the style of each of ten digits under the class code of each.
  void swap();
  /// Trains the three latent classifiers in the run's sub-directory `classifier` and prints the table.
  /// Returns the exit code.
  int classify(const nlohmann::ordered_json& config);
  /// tsne_CODE.png and .svg: the test images' codes, or the images, in the plane.
  void tsne();
  /// Losses, reconstruction errors and accuracies of closed-form probes, printed and in probe.json.
  void probe();

 private:
  models::MlVaeTask make_task();
  train::LoopOptions loop(const models::MlVaeTask& task) const;
  nlohmann::ordered_json probe_numbers();
  Tensor reference_digits() const;
  Tensor tsne_input(const Tensor& items) const;
  void pictures();

  MlVaeOptions options_;
  Device device_;
  Images images_;
  int64_t classes_;
  models::MlVae model_;
  double test_mse_ = 0;
};

/// Sizes of a model from the reference's parameters, into options and configuration. Throws Error(io) or
/// Error(data) for a bad file.
void read_sizes(const std::filesystem::path& weights, MlVaeOptions& options, nlohmann::ordered_json& config);

/// main() of the tool: train, import, swap, classify, tsne, probe.
int run_ml_vae(int argc, char** argv);

}  // namespace vae
