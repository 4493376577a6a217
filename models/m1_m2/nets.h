#pragma once
// The fully connected nets of M1 and M2: hidden layers of a vector, or of a vector and a class, and a head.
// Layers are named as in the published checkpoints: layer_i, batchnorm_i, layer_merge_*, batchnorm_merge.
#include "models/m1_m2/config.h"
#include "nn/class_rows.h"
#include "nn/mlp.h"

namespace vae::m1_m2 {

/// What a net sees: a vector, and one of `classes` classes (0: none). The first hidden layer of a net with a
/// class is f(BN(Wx x + bx + Wy y + by)); the maps are called layer_merge_`name` and layer_merge_y.
struct NetInput {
  int64_t width;
  int64_t classes = 0;
  const char* name = "x";
};

/// The hidden layers. Classes y are one-hot [B, classes].
class Net : public nn::Module {
 public:
  Net(Module* parent, const std::string& name, NetInput in, const NetConfig& net, const CommonConfig& common);
  /// A layer behind the hidden ones, counted with them.
  std::unique_ptr<nn::HiddenLayer> make_output(int64_t out);
  int64_t last_width() const { return config.hidden.back(); }
  /// Whether what becomes of a row depends on the others, or on its place: by batch norm, by dropout.
  bool mixes_rows() const { return config.batch_norm || config.batch_norm_to_input || config.dropout > 0; }
  const NetConfig config;
  const NetInput input;
  const nn::HiddenRule rule;

 protected:
  Var hidden(const Var& x) const;
  Var hidden(const Var& x, const Var& y) const;
  /// Under all classes: rows k * B + b for class k. x[B, n] is shared by the classes, so Wx x is computed
  /// once; x[K * B, n] has rows of its own for each. With `rows` the result has these rows alone; so has x,
  /// where it is not shared and the net does not mix rows.
  Var hidden_all(const Var& x, bool shared, const nn::ClassRows* rows) const;

 private:
  /// The first hidden layer of a net with a class.
  struct Merge : nn::Module {
    Merge(Net* net, int64_t out);
    nn::Linear x, y;
    nn::BatchNorm norm;
    Tensor all_labels;  ///< one-hot [classes, classes]
  };
  /// The first layer's linear map, of all rows.
  Var merged_all(const Var& x, bool shared, const Var& per_class) const;
  Var finish(const Var& merged) const;
  std::optional<Merge> merge_;
  std::optional<nn::Mlp> layers_;
};

/// Two linear heads on the last hidden layer.
class GaussianHead {
 public:
  GaussianHead(Net* net, int64_t out);
  Gaussian operator()(const Var& h) const { return heads_(h); }

 private:
  nn::GaussianHead heads_;
};

/// A linear last layer giving logits. `norm_on_input`: with batch norm before linear maps, it has one, too.
class LogitsHead {
 public:
  LogitsHead(Net* net, int64_t out, bool norm_on_input = false);
  Var operator()(const Var& h) const { return layer_->linear(normalise_ ? (*layer_->norm)(h) : h); }

 private:
  std::unique_ptr<nn::HiddenLayer> layer_;
  bool normalise_;
};

/// What a decoder says about x. M1's Bernoulli decoder has a norm on the input of its last layer.
class LikelihoodHead {
 public:
  LikelihoodHead(Net* net, int64_t out, LikelihoodKind kind);
  Likelihood operator()(const Var& h) const;

 private:
  std::optional<LogitsHead> logits_;
  std::optional<GaussianHead> gaussian_;
};

template <class Head>
class Headed : public Net {
 public:
  template <class... HeadArguments>
  Headed(Module* parent, const std::string& name, NetInput input, const NetConfig& net,
         const CommonConfig& common, const HeadArguments&... head)
      : Net(parent, name, input, net, common), head_(this, head...) {}
  auto operator()(const Var& x) const { return head_(hidden(x)); }
  auto operator()(const Var& x, const Var& y) const { return head_(hidden(x, y)); }
  auto all_classes(const Var& x, bool shared, const nn::ClassRows* rows = nullptr) const {
    return head_(hidden_all(x, shared, rows));
  }

 private:
  Head head_;
};

using GaussianNet = Headed<GaussianHead>;
using LogitsNet = Headed<LogitsHead>;
using LikelihoodNet = Headed<LikelihoodHead>;

}  // namespace vae::m1_m2
