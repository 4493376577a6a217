#pragma once
// What the bound, the recipes and the evaluations ask of every model of the family.
#include "models/adgm/layers.h"

namespace vae::adgm {

/// Parts of the bound, nats per row: log p(x|.), and what is subtracted from it under the weight beta (log q
/// - log p of the latent variables at the sample drawn); and what pictures and counts of active units look
/// at.
struct Terms {
  Var log_px, kl;
  Var code;                                                    ///< sample of the (top) latent variable
  Var logits;                                                  ///< of the pixels
  std::vector<std::pair<std::string, Var>> posterior_means{};  ///< by layer
};

class Model : public nn::Module {
 public:
  /// Images inside the model. What depends on them alone is computed once, here, for all classes and calls.
  class Encoded {
   public:
    virtual ~Encoded() = default;
    virtual Terms terms(const Rows& rows, const Step& step) = 0;
    /// Draws "a" that the classes of an image and its q(y|x) have in common, rows samples x images; undefined
    /// where each has its own. terms() makes them where it is not given any.
    virtual Sample shared_a(int64_t /*samples*/, const Step& /*step*/) { return {}; }
    /// Logits of q(y|x), rows samples x images; draws of the auxiliary variable are the first of the shared
    /// ones, else "cls_a". Throws Error(internal) in models without labels, and for several samples where
    /// nothing is drawn.
    virtual Var classify(int64_t samples, const Step& step, const Sample& shared_a = {});
    const train::Share& images() const { return images_; }

   protected:
    Encoded(Var x, train::Share images) : x_(std::move(x)), images_(images) {}
    Var x_;
    train::Share images_;
  };

  /// x [images, x_size]. The result refers to the model.
  virtual std::unique_ptr<Encoded> encode(const Var& x, train::Share images) const = 0;
  std::unique_ptr<Encoded> encode(const Var& x) const { return encode(x, x.value().size(0)); }
  /// Logits of the pixels for rows of the (top) latent variable, with their labels where the model has any.
  virtual Var decode(const Var& z, const Rows& rows, const Step& step) const = 0;
  /// A frozen part that is no child of the model; null in most.
  virtual Model* frozen() const { return nullptr; }
  /// Whether its bound is one of importance weights.
  virtual bool has_importance_weights() const { return true; }

  const Config& config() const { return config_; }

 protected:
  Model(Config config, nn::Options options) : Module(options), config_(std::move(config)) {}
  Config config_;
};

/// The model of a configuration, initialised. Throws Error(usage) for sizes that make none.
std::unique_ptr<Model> make_model(const Config& config, nn::Options options);

}  // namespace vae::adgm
