#pragma once
// What the bound, the trainers and the evaluations ask of every model of the family.
#include "models/adgm/layers.h"

namespace vae::models::adgm {

class Model : public nn::Module {
 public:
  /// Parts of the bound, nats per row: log p(x|.), and what is subtracted from it under the weight beta (log
  /// q - log p of the latent variables at the sample drawn).
  struct Terms {
    Var log_px, kl;
  };

  /// Images inside the model. What depends on them alone is computed once, here, for all classes and calls.
  class Images {
   public:
    virtual ~Images() = default;
    virtual Terms terms(const Rows& rows, const Pass& pass) = 0;
    /// Logits of q(y|x), rows samples x images; draws of the auxiliary variable are "cls_a".
    virtual Var classify(int64_t samples, const Pass& pass);
    int64_t count() const { return kernels::rows_of(x_.shape()); }

   protected:
    explicit Images(Var x) : x_(std::move(x)) {}
    Var x_;
  };

  /// x [images, x_size]. The result refers to the model.
  virtual std::unique_ptr<Images> look_at(const Var& x) const = 0;
  /// Logits of the pixels for rows of the (top) latent variable, with their labels where the model has any.
  virtual Var decode(const Var& z, const Rows& rows, const Pass& pass) const = 0;
  /// Rows of one label each, or of none.
  Rows rows_of(const Var& labels, int64_t images) const { return {images, 1, 1, labels}; }

  const Config& config() const { return config_; }
  Device device() const { return device_; }
  /// What identifies the model in a checkpoint.
  nlohmann::json meta() const;
  /// Adds parameters and buffers to a checkpoint, those of frozen parts included.
  virtual void add_weights(train::StateDict& state) { add_state(state); }

 protected:
  Model(Config config, Device device) : config_(std::move(config)), device_(device) {}
  /// The sizes of decoders: as configured, else `hidden` reversed.
  static std::vector<int64_t> decoder_sizes(const Config& config);
  static std::vector<int64_t> classifier_sizes(const Config& config);
  Config config_;

 private:
  Device device_;
};

/// The model of a configuration, initialised. Throws Error(usage) for sizes that make none.
std::unique_ptr<Model> make_model(const Config& config, nn::Options options);

}  // namespace vae::models::adgm
