#pragma once
// The experiments behind the tools m1, m2 and m1_m2: data, model, run directory, pictures and report put
// together.
#include <optional>

#include "tools/common/images.h"
#include "tools/m1_m2/options.h"

namespace vae {

/// The pictures of the family and what they show.
inline const std::vector<std::pair<std::string, std::string>> kPictures{
    {"reconstructed_x.png", "Reconstructions of test images; each tile has its own grey scale"},
    {"analogy.png", "Analogies: a test image, and its latent code decoded under every class"},
    {"latent_code.png", "Latent codes of test images, first two variables"},
    {"labeled_z.png", "The same, coloured by class"}};

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
  data::StoredSplit draw_split() const;
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
