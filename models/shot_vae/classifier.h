#pragma once
// A classifier of images on a deep backbone.
#include "models/backbones/backbone.h"
#include "models/shot_vae/shot_vae.h"

namespace vae::shot_vae {

class Classifier : public nn::Module {
 public:
  Classifier(const backbones::Config& backbone, int64_t classes, nn::Options options);
  /// Logits [n, classes] of images [n, h, w, c] in [0, 1].
  Var operator()(const Var& x, const backbones::Parts& batch, const train::Step& step) const;
  int64_t classes() const { return out_.weight.shape()[0]; }

  /// Mean of -log q(label|x), nats.
  Var loss(const Images& images, const train::Step& step) const;

  /// What FixMatch (Sohn et al., arXiv:2001.07685) makes of a batch, nats.
  struct FixMatch {
    Var labeled, unlabeled;
    Var confident;  ///< share of the unlabelled images whose prediction counts as their label
  };
  /// All images in one pass: -log q(label|x) of labelled ones, and of distorted ones, where the label is the
  /// most probable class of the same image undistorted, and counts where its probability is at least
  /// `threshold`; means over each batch.
  FixMatch fix_match(const Images& labeled, const Images& unlabeled, const Images& distorted,
                     double threshold, const train::Step& step) const;

 private:
  std::unique_ptr<backbones::Backbone> backbone_;
  nn::Linear out_;
};

}  // namespace vae::shot_vae
