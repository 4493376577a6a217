#pragma once
// The fully connected nets of M1 and M2. Layers are named as in the published checkpoints: layer_i,
// batchnorm_i, layer_merge_*, batchnorm_merge, and heads.
#include <memory>

#include "models/common/gaussian.h"
#include "models/m1_m2/config.h"

namespace vae::models {

/// Base of the nets: a chain of linear layers, each with a batch norm beside it, in the order of the
/// configuration.
class Net : public nn::Module {
 protected:
  Net(NetConfig net, const CommonConfig& common, nn::Options options);

  /// Adds layer_i and batchnorm_i.
  void add_layer(int64_t in, int64_t out);
  /// f(BN(W x + b)) or f(W BN(x) + b) of layer_i, with dropout.
  Var hidden(size_t i, const Var& x, bool normalise) const;
  /// All layers but the last `bare` ones as hidden layers; `before` hidden layers precede them.
  Var hidden_chain(Var x, size_t before, size_t bare) const;

  NetConfig net_;
  CommonConfig common_;
  nn::Options options_;
  std::vector<std::unique_ptr<nn::Linear>> layers_;
  std::vector<std::unique_ptr<nn::BatchNorm1d>> norms_;
  std::unique_ptr<nn::Dropout> dropout_;
};

/// Hidden layers and two linear heads on the last: M1's encoder and Gaussian decoder.
class GaussianNet : public Net {
 public:
  GaussianNet(int64_t in, int64_t out, NetConfig net, const CommonConfig& common, nn::Options options);
  Gaussian operator()(const Var& x) const;

 private:
  nn::Linear mean_, log_var_;
};

/// Hidden layers and a linear last one giving logits: M1's Bernoulli decoder and M2's classifier q(y|x).
/// `norm_on_last`: with batch norm before the linear map, the last layer has it too (M1's decoder).
class LogitsNet : public Net {
 public:
  LogitsNet(int64_t in, int64_t out, bool norm_on_last, NetConfig net, const CommonConfig& common,
            nn::Options options);
  Var operator()(const Var& x) const;

 private:
  bool norm_on_last_;
};

/// A net of a vector and a class: the first hidden layer is f(BN(Wx x + bx + Wy y + by)). Names of the maps
/// are layer_merge_`name` and layer_merge_y.
class MergeNet : public Net {
 protected:
  MergeNet(const std::string& name, int64_t in, int64_t classes, NetConfig net, const CommonConfig& common,
           nn::Options options);
  /// Hidden layer of rows x[B] with one-hot classes y[B, K].
  Var merge(const Var& x, const Var& y) const;
  /// Hidden layer of all classes: rows k * B + b for class k. x[B, n] is shared by the classes, so Wx x is
  /// computed once; x[K * B, n] has rows of its own for each.
  Var merge_all(const Var& x, bool shared) const;
  Var finish(const Var& merged) const;

  int64_t classes_;
  Tensor all_classes_;  // one-hot rows of every class
  nn::Linear merge_x_, merge_y_;
  nn::BatchNorm1d merge_norm_;
};

/// q(z|x,y), and p(x|y,z) with a Gaussian likelihood.
class MergeGaussianNet : public MergeNet {
 public:
  MergeGaussianNet(int64_t in, int64_t classes, int64_t out, NetConfig net, const CommonConfig& common,
                   nn::Options options);
  Gaussian operator()(const Var& x, const Var& y) const { return heads(merge(x, y)); }
  Gaussian all_classes(const Var& x, bool shared) const { return heads(merge_all(x, shared)); }

 private:
  Gaussian heads(const Var& merged) const;
  nn::Linear mean_, log_var_;
};

/// p(x|y,z) with a Bernoulli likelihood: logits.
class MergeLogitsNet : public MergeNet {
 public:
  MergeLogitsNet(int64_t in, int64_t classes, int64_t out, NetConfig net, const CommonConfig& common,
                 nn::Options options);
  Var operator()(const Var& z, const Var& y) const { return logits(merge(z, y)); }
  Var all_classes(const Var& z, bool shared) const { return logits(merge_all(z, shared)); }

 private:
  Var logits(const Var& merged) const;
};

}  // namespace vae::models
