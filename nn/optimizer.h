#pragma once
// Optimisers over a FlatParameters group. Step count and learning rate live on the device; the gradient norm
// never leaves it.
#include "kernels/optimizer.h"
#include "nn/flat_parameters.h"

namespace vae::nn {

/// Squared L2 norm of a group's gradients on the device, and clipping by norm: gradients are scaled by clip /
/// norm where the norm exceeds clip > 0; clip 0 leaves them.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// One update from the gradients of the backward walk since clear_gradients(); they stay readable.
  void step();
  void set_learning_rate(double rate);
  double learning_rate() const;
  /// Norm of the gradients before clipping in the last step; reads back from the device.
  double gradient_norm() const;
  /// Adds moments and counters to a checkpoint under "prefix.".
  virtual void add_state(train::StateDict& state, const std::string& prefix);

 protected:
  Optimizer(FlatParameters& group, double learning_rate, double clip);
  virtual void update() = 0;
  FlatParameters& group_;
  Tensor learning_rate_, norm_squared_;
  double clip_;
};

class Adam : public Optimizer {
 public:
  struct Settings {
    double learning_rate = 1e-3;
    kernels::AdamRule rule;
    double clip = 0;
  };
  Adam(FlatParameters& group, Settings settings);
  void add_state(train::StateDict& state, const std::string& prefix) override;
  /// Moments, flat like the group's values, and the i64 step count.
  const Tensor& m() const { return m_; }
  const Tensor& v() const { return v_; }
  const Tensor& t() const { return t_; }

 private:
  void update() override;
  kernels::AdamRule rule_;
  Tensor m_, v_, t_;
};

class Sgd : public Optimizer {
 public:
  struct Settings {
    double learning_rate = 1e-2;
    kernels::SgdRule rule;
    double clip = 0;
  };
  Sgd(FlatParameters& group, Settings settings);
  void add_state(train::StateDict& state, const std::string& prefix) override;

 private:
  void update() override;
  kernels::SgdRule rule_;
  Tensor velocity_;
};

}  // namespace vae::nn
