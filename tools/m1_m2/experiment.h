#pragma once
// The experiments behind the tools m1, m2 and m1_m2: data, model, run directory, pictures and report put
// together.
#include <optional>

#include "data/split.h"
#include "tools/m1_m2/options.h"

namespace vae {

/// Training and test images, on the host with their hashes and on the device as the models see them.
struct Images {
  data::Dataset train, test;
  models::ImageSet train_set, test_set;
};

/// The data set that "auto" stands for: MNIST where it is found, else the synthetic digits, with a word about
/// it.
std::string resolve_dataset(const Options& options);

/// Loads both parts; `likelihood` decides the scaling where it is "auto".
Images load_images(const Options& options, const std::string& likelihood, Device device);

/// The split of a new run: that of --split-file, or drawn.
data::StoredSplit new_split(const Options& options, const data::Dataset& train);

/// M1 on the training images.
class M1Experiment {
 public:
  explicit M1Experiment(const Options& options);
  /// Trains, then writes pictures, results and report. Returns the exit code: 0, or 130 after an
  /// interruption.
  int train(const nlohmann::ordered_json& config);
  void benchmark();
  /// Mean loss of the test images, nats.
  double test_result() { return task_.evaluate()[0].value; }
  /// Loads the weights of the run.
  void load();
  /// Prints test_loss and, with --nll, the importance-weighted estimate; nats.
  void test();
  void visualize();
  models::M1& model() { return model_; }

 private:
  Options options_;
  Device device_;
  Images images_;
  models::M1 model_;
  models::M1Task task_;
};

/// M2 on images, or on features of an M1.
class M2Experiment {
 public:
  M2Experiment(const Options& options, Tool tool);
  int train(const nlohmann::ordered_json& config);
  void benchmark();
  /// Accuracy on the test images, of the last train() or test().
  double test_result() const { return test_accuracy_; }
  void load();
  /// Prints test accuracy and confusion matrix; with --nll, the importance-weighted estimate (M2 alone).
  void test();
  void visualize();
  void analogy();

 private:
  models::Stack stack() { return {&model_, m1_ ? &*m1_ : nullptr}; }
  models::M2Task make_task(const data::Split& split);
  data::Split prepare_split(const train::RunDirectory& directory,
                            const std::optional<data::StoredSplit>& drawn);
  int train_m1(const train::RunDirectory& directory);
  void load_m1(const std::filesystem::path& run);
  std::vector<int64_t> predict_test();
  void finish(const train::RunDirectory& directory, const train::LoopResult& result,
              const nlohmann::ordered_json& config);

  Options options_;
  Tool tool_;
  Device device_;
  Images images_;
  std::optional<models::M1> m1_;
  models::M2 model_;
  double test_accuracy_ = 0;
};

/// main() of a tool with subcommands train, test, visualize and, for M2, analogy.
int run_tool(int argc, char** argv, Tool tool, const std::string& name, const std::string& description);

}  // namespace vae
