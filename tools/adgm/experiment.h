#pragma once
// The experiment behind the tools adgm and vae: data, model, run directory, pictures and report put together.
#include <optional>

#include "tools/adgm/options.h"

namespace vae::adgm_tools {

class Experiment {
 public:
  Experiment(Tool tool, const Options& options);
  /// Trains, then writes pictures, results and report. Returns the exit code: 0, or 130 after an
  /// interruption.
  int train(const nlohmann::ordered_json& config);
  void benchmark();
  /// Accuracy on the test images, or their mean loss in nats without labels, after train().
  double test_result() const { return test_result_; }
  /// Loads the weights of the run.
  void load();
  /// Prints accuracy and confusion matrix; with --nll and --units likelihood and active units.
  void test();
  /// reconstructed_x, samples or conditional, analogy, traversals, codes.
  void sample();
  /// Images between pairs of test images, in the latent space.
  void interpolate();

 private:
  bool semi() const { return tool_ == Tool::adgm; }
  models::adgm::PixelSet train_set() const { return {images_.train_set, draws_pixels()}; }
  models::adgm::PixelSet test_set() const { return {images_.test_set, draws_pixels()}; }
  bool draws_pixels() const { return options_.images.scaling == "auto"; }
  std::unique_ptr<models::adgm::Task> make_task(const std::optional<data::Split>& split);
  std::optional<data::StoredSplit> new_run_split() const;
  std::optional<data::Split> prepare_split(const train::RunDirectory& directory,
                                           const std::optional<data::StoredSplit>& drawn);
  int train_features(const train::RunDirectory& directory);
  void load_features(const std::filesystem::path& run);
  std::vector<int64_t> predict_test();
  void finish(const train::RunDirectory& directory, const train::LoopResult& result,
              const nlohmann::ordered_json& config);
  Tensor test_inputs(const Tensor& items, const char* stream) const;

  Tool tool_;
  Options options_;
  Device device_;
  Images images_;
  std::unique_ptr<models::adgm::Model> model_;
  double test_result_ = 0;
};

/// main() of a tool with subcommands train, test, sample and, for vae, interpolate.
int run_tool(int argc, char** argv, Tool tool, const std::string& name, const std::string& description);

}  // namespace vae::adgm_tools
