#pragma once
// The hidden layers of fully connected nets.
#include <memory>
#include <optional>

#include "nn/layers.h"

namespace vae::nn {

/// What all hidden layers of a net have in common.
struct HiddenRule {
  kernels::Activation activation = kernels::kRelu;
  std::optional<BatchNormOptions> batch_norm{};  ///< none: no norms; else there is one beside each linear map
  bool norm_before_activation = true;            ///< f(BN(W x + b)), else f(W BN(x) + b)
  double dropout = 0;                            ///< ratio behind each layer
};

/// A linear map and the norm beside it, if any. Both are children of the parent, under names of their own.
class HiddenLayer : public Module {
 public:
  HiddenLayer(Module* parent, const std::string& name, const std::string& norm_name, int64_t in, int64_t out,
              const HiddenRule& rule);
  /// The layer; without `normalise` as if it had no norm.
  Var operator()(const Var& x, bool normalise) const;
  Linear linear;
  std::optional<BatchNorm> norm;

 private:
  kernels::Activation activation_;
  bool norm_before_;
};

/// How the layers of an Mlp are called; {} is a number, which counts from `first`.
struct LayerNames {
  const char *layer = "{}", *norm = "batchnorm_{}";
  int64_t first = 0;
  std::string layer_name(int64_t i) const;
  std::string norm_name(int64_t i) const;
};

/// Hidden layers one behind the other.
class Mlp : public Module {
 public:
  /// `units`: of the input, then of each layer. The noise of dropout has the stream "dropout/`stream`".
  /// Throws Error(usage) for a layer without units.
  Mlp(Module* parent, const std::string& name, const std::vector<int64_t>& units, const HiddenRule& rule,
      const LayerNames& names = {}, const std::string& stream = "");
  /// All layers; whether the first and the others use their norms.
  Var operator()(Var x, bool normalise_first = true, bool normalise = true) const;
  size_t size() const { return layers_.size(); }

 private:
  std::optional<Dropout> dropout_;
  std::vector<std::unique_ptr<HiddenLayer>> layers_;
};

}  // namespace vae::nn
