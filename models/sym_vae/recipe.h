#pragma once
// The recipe of symmetric learning and of ELBO learning.
#include "models/sym_vae/sym_vae.h"
#include "nn/train/image_set.h"
#include "nn/train/recipe.h"

namespace vae::sym_vae {

/// Symmetric: the generator learns from codes of images, then the encoder from what the generator draws.
/// Elbo: both from the bound.
enum class Learning { symmetric, elbo };

/// Whether the test images are learned from, too, as in the published runs.
enum class TrainedOn { all, train };

/// Metrics, nats per image: the losses of the chosen learning, and test_loss, the mean of log q(z|x) - log
/// p(x, z) over the test images. Readings, as in the reference's logs: `len`, the mean square of the
/// parameters; running averages of the losses per bit and per pixel; of ladders the mean mutual information
/// of the bits, nats.
class SymVaeRecipe : public train::Recipe {
 public:
  struct Settings {
    Config model;
    Learning learning = Learning::symmetric;
    TrainedOn trained_on = TrainedOn::all;
    int64_t batch = 1024;
    double flipped = 0.001;      ///< share of the pixels that are flipped in every batch, of bits
    double noise = 0.01;         ///< deviation of what is added to them, of grey values
    int64_t chains = 10;         ///< of the Markov chain that goes on with the training
    int64_t chain_steps = 1000;  ///< of the chain that ends at the limiting images of the report
    nn::Adam::Settings adam{.learning_rate = 1e-4, .rule = {}};
  };
  /// A batch larger than the set is cut to it. Throws Error(data) unless images are of 28 x 28 grey pixels.
  SymVaeRecipe(Settings settings, train::Data data, nn::Options options);

  SymVae& model() override { return model_; }
  const SymVae& model() const { return model_; }
  const Settings& settings() const { return settings_; }
  /// The images that are learned from.
  const train::ImageSet& images() const { return images_; }
  /// Images [chains, 784] of a Markov chain that goes on with the training and has no influence on it.
  const Tensor& chain() const { return chain_; }
  nlohmann::json meta() const override;
  void add_state(nn::StateDict& state) override;
  std::vector<train::Group> groups() override;
  std::vector<train::Update> updates(const train::Step& step) override;
  /// The updates of an iteration on images x [batch, 784] that are corrupted already.
  std::vector<train::Update> updates(const Var& x, train::Share batch, const train::Step& step);
  /// x with a share of its pixels flipped, or noise added; noise "flip" or "data".
  Var corrupted(const Var& x, train::Share batch, const train::Step& step) const;
  int64_t images_per_step() const override { return settings_.batch; }
  int64_t steps_per_pass() const override { return images_.size() / settings_.batch; }
  std::vector<std::string> training_metrics() const override;
  std::vector<std::string> reading_metrics() const override;
  train::Scalars read() override;
  std::vector<std::string> evaluation_metrics() const override { return {"test_loss"}; }
  train::Scalars evaluate(const train::Step& step) override;
  double nll(int64_t samples, const train::Step& step) override;
  void report(report::Summary& summary, const train::Step& step) override;
  std::optional<report::Image> preview(const train::Step& step) override;

 private:
  /// A running average of a loss, and over how many bits and pixels it is read.
  struct Average {
    const char* name;
    int64_t elements;
  };
  std::vector<Average> averages() const;
  /// What follows the last update: `losses` are those of the running averages.
  void finish(const Var& x, const std::vector<Var>& losses, train::Share batch,
              const train::Step& step) const;
  Settings settings_;
  train::Data data_;
  train::ImageSet images_;
  Tensor items_;
  SymVae model_;
  nn::Module log_;
  Tensor flipped_;
  std::optional<RunningAverages> running_;
  Tensor chain_;
};

}  // namespace vae::sym_vae
