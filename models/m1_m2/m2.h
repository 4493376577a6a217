#pragma once
// M2: the semi-supervised VAE with a class: q(y|x), q(z|x,y), p(x|y,z). Unlabelled images sum over all
// classes.
#include "models/m1_m2/m1.h"

namespace vae::m1_m2 {

class M2 : public nn::Module {
 public:
  M2(const M2Config& config, nn::Options options);

  /// Logits of q(y|x) [B, K].
  Var classify(const Var& x) const { return encoder_x_y_(x); }
  /// Classes are i64 labels, or one-hot [B, K].
  Gaussian encode(const Var& x, const Tensor& labels) const { return encoder_xy_z_(x, one_hot(labels)); }
  Gaussian encode(const Var& x, const Var& y) const { return encoder_xy_z_(x, y); }
  Likelihood decode(const Var& z, const Tensor& labels) const { return decoder_(z, one_hot(labels)); }
  Likelihood decode(const Var& z, const Var& y) const { return decoder_(z, y); }
  Var one_hot(const Tensor& labels) const;
  /// p(x|y,z) for every class: rows k * B + b for z[b].
  Likelihood decode_all_classes(const Var& z) const { return decoder_.all_classes(z, true); }

  /// log p(x,y) >= bound [B] of rows x with classes; nats, noise "eps_l".
  Var labeled_bound(const Var& x, const Tensor& labels, train::Share batch, const train::Step& step) const;
  /// The bound [B, K] of every row under every class; noise "eps_u", class by class. Work that depends on x
  /// alone is done once per row, not once per class. With `rows` it is that of these rows, 0 of the others,
  /// for which only what others need is computed.
  Var all_classes_bound(const Var& x, train::Share batch, const train::Step& step,
                        const nn::ClassRows* rows = nullptr) const;
  /// Mean of -sum_n q_n (bound_n - log(q_n + 1e-6)) over the rows, nats. Bounds whose q_n is below the
  /// threshold count as 0 and are not computed (nn/class_rows.h).
  Var unlabeled_loss(const Var& x, train::Share batch, const train::Step& step,
                     double class_threshold = 0) const;

  const M2Config& config() const { return config_; }
  nn::Module& encoder_xy_z() { return encoder_xy_z_; }
  nn::Module& encoder_x_y() { return encoder_x_y_; }
  nn::Module& decoder() { return decoder_; }

 private:
  M2Config config_;
  GaussianNet encoder_xy_z_;
  LogitsNet encoder_x_y_;
  LikelihoodNet decoder_;
};

/// Whether the classification loss has an update of its own on q(y|x), or is added to the bounds.
enum class M2Update { separate, joint };

/// What an iteration minimises: weights of the mean bounds (the reference has one for both, the paper the
/// shares of the data) and of the classification loss.
struct M2Objective {
  M2Update update = M2Update::separate;
  double alpha = 1, labeled = 1, unlabeled = 1;
  double class_threshold = 0;  ///< weight of a class below which its bound is left out
};

struct M2Batch {
  Tensor x_labeled, labels;  ///< [Bl, x_size], i64 [Bl]
  Tensor x_unlabeled;        ///< [Bu, x_size]; zero rows: no unlabelled part
  train::Share labeled, unlabeled;
};

/// The updates of an iteration: the bounds step all sub-nets, then the classification loss steps encoder_x_y
/// once more. Metrics loss_labeled, loss_unlabeled, loss_classifier (which includes alpha).
std::vector<train::Update> m2_updates(const M2& model, const M2Objective& objective, const M2Batch& batch,
                                      const train::Step& step);
/// The sub-nets, each with an optimiser of its own.
std::vector<train::Group> m2_groups(M2& model, const nn::Adam::Settings& adam, const kernels::Schedule& rate);

}  // namespace vae::m1_m2
