#pragma once
// The published updates: one Adam per sub-net, M2's classifier stepped twice per iteration.
#include <array>

#include "models/m1_m2/m2.h"
#include "nn/optimizer.h"
#include "nn/schedule.h"

namespace vae::models {

/// Optimisers of the sub-nets of a model, in the model's order.
struct SubNets {
  struct Group {
    std::string name;
    nn::FlatParameters parameters;
    nn::Adam adam;
    Group(std::string name, nn::Module& net, const nn::Adam::Settings& settings)
        : name(std::move(name)), parameters(net), adam(parameters, settings) {}
  };
  std::vector<std::unique_ptr<Group>> groups;

  void add(std::string name, nn::Module& net, const nn::Adam::Settings& settings);
  void clear_gradients();
  void step();
  /// The rate of iteration `counter`, an i64 scalar on the device.
  void schedule_learning_rate(double base, const nn::Schedule& schedule, const Tensor& counter);
  void add_state(train::StateDict& state);
};

/// Adam of the reference: Chainer's form, rate 3e-4. M1 is not clipped, M2 by norm 5 per sub-net.
nn::Adam::Settings reference_adam(double clip);

class M1Trainer {
 public:
  M1Trainer(M1& model, const nn::Adam::Settings& settings);
  /// One update on images x[B, x_size] with noise eps[samples, B, z_size]; the loss before it, on the device,
  /// nats.
  Tensor step(const Tensor& x, const Tensor& eps, M1Trace* trace = nullptr);
  SubNets& nets() { return nets_; }

 private:
  M1& model_;
  SubNets nets_;
};

/// Whether the classification loss has an update of its own on q(y|x), or is added to the bounds.
enum class M2Update { separate, joint };

struct M2Batch {
  Tensor x_labeled, labels;  ///< [Bl, x_size], i64 [Bl]
  Tensor x_unlabeled;        ///< [Bu, x_size]; zero rows: no unlabelled part
  Tensor eps_labeled;        ///< [Bl, z_size]
  Tensor eps_unlabeled;      ///< [K * Bu, z_size], class by class
};

/// Losses of one iteration before their updates, on the device, nats; the classifier's includes alpha.
struct M2Losses {
  Tensor labeled, unlabeled, classifier;
};

/// What an iteration computed; the golden tests look inside.
struct M2Trace {
  M2Bound labeled, unlabeled;
  Var q, logits;
  std::function<void()> after_bounds;  ///< called between the two updates, gradients of the bounds in place
};

/// Weights of the mean bounds in the objective; the reference has one for both, the paper the shares of the
/// data.
struct BoundWeights {
  double labeled = 1, unlabeled = 1;
};

class M2Trainer {
 public:
  M2Trainer(M2& model, M2Update update, double alpha, const nn::Adam::Settings& settings,
            BoundWeights weights = {});
  M2Losses step(const M2Batch& batch, M2Trace* trace = nullptr);
  SubNets& nets() { return nets_; }

 private:
  struct BoundLosses {
    Var labeled, unlabeled, total;
  };
  BoundLosses bounds(const M2Batch& batch, M2Trace* trace) const;
  Var classifier_loss(const M2Batch& batch, M2Trace* trace) const;
  M2& model_;
  M2Update update_;
  double alpha_;
  BoundWeights weights_;
  SubNets nets_;
};

}  // namespace vae::models
