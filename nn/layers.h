#pragma once
// Layers. Parameters are zero, and norms the identity, until initialised (init.h). What they refuse is an
// Error(usage) that names them: "Linear encoder.hidden: x is f32 [2, 5], expected [n, 4]".
#include "autograd/calling.h"
#include "autograd/ops.h"
#include "nn/module.h"

namespace vae::nn {

/// y = x W^T + b with W [out, in]; `with_bias` false: without b.
class Linear : public Module {
 public:
  Linear(Module* parent, const std::string& name, int64_t in, int64_t out, bool with_bias = true)
      : Module(parent, name),
        weight(parameter("weight", {out, in})),
        bias(with_bias ? parameter("bias", {out}) : Var()) {}
  Var operator()(const Var& x) const {
    const autograd::Calling calling("Linear", path());
    return autograd::linear(x, weight, bias);
  }
  Var weight, bias;
};

struct BatchNormOptions {
  double eps = 1e-5;
  double momentum = 0.1;
  bool running_var_includes_eps = false;  ///< Chainer 1: the running variance keeps var + eps
  bool eval_adds_eps = true;              ///< Chainer 1: no eps is added in test mode
  double initial_running_var = 1;         ///< Chainer 1: 0
};

/// Batch norm over rows (vectors, or the pixels of images) with affine weight (gamma) and bias (beta), and
/// the activation behind it. In test mode the running statistics are used.
class BatchNorm : public Module {
 public:
  BatchNorm(Module* parent, const std::string& name, int64_t features, BatchNormOptions options = {});
  /// Each row of x stands for `copies` equal ones, as far as the running variance is concerned.
  Var operator()(const Var& x, const kernels::Activation& activation = {}, int64_t copies = 1) const;
  /// The same of the first columns of x, as many as there are features.
  Var of_first(const Var& x, const kernels::Activation& activation = {}) const;
  Var weight, bias;
  Tensor running_mean, running_var;

 private:
  Var by_running_statistics(const Var& x, const kernels::Activation& activation) const;
  BatchNormOptions bn_;
};

/// While it lives, the rows that layers of this thread see are a share of a batch, in one block or several
/// (kernels/random.h): noise of theirs is that of these rows in the whole batch. Where several ranks train, a
/// layer with noise needs it.
class ShareOfBatch {
 public:
  explicit ShareOfBatch(kernels::Rows rows);
  ~ShareOfBatch();
  ShareOfBatch(const ShareOfBatch&) = delete;
  ShareOfBatch& operator=(const ShareOfBatch&) = delete;
  /// Those of the innermost one; without one, rows as they stand. Throws Error(usage), naming who asks, where
  /// other ranks hold rows.
  static kernels::Rows rows(const char* who);

 private:
  kernels::Rows rows_;
  const ShareOfBatch* outer_;
};

/// Inverted dropout (autograd::dropout) in training mode, the identity in test mode. The noise of every call
/// is a function of the module's seed, of a stream and of a count of calls, which is part of the state.
class Dropout : public Module {
 public:
  /// Throws Error(usage) for a ratio outside [0, 1).
  Dropout(Module* parent, const std::string& name, double ratio, const std::string& stream);
  Var operator()(const Var& x) const;

 private:
  double ratio_;
  RandomKey key_;
  Tensor calls_;
};

}  // namespace vae::nn
