#pragma once
// What the backbones are made of: a trunk of convolutions, below a last norm and pooling.
#include "models/backbones/backbone.h"
#include "nn/image_layers.h"

namespace vae::backbones {

/// One pass of a batch through a net.
class Pass {
 public:
  /// Drops this share of the values; 0: none.
  Pass(const Parts& batch, const train::Step& step, double ratio)
      : batch_(batch), step_(step), ratio_(ratio) {}

  /// Dropout with noise of its own, "drop_N" for the N-th call.
  Var drop(const Var& x);

 private:
  const Parts& batch_;
  const train::Step& step_;
  double ratio_;
  int64_t dropped_ = 0;
};

/// A net without its last norm. Layers are children, with the names of the published code.
class Trunk : public nn::Module {
 public:
  using Module::Module;
  /// Maps [n, h', w', channels()] of images [n, h, w, c].
  virtual Var operator()(const Var& images, Pass& pass) const = 0;
  virtual int64_t channels() const = 0;
  /// Of the last norm, whose name below the trunk this is.
  virtual kernels::Activation activation() const = 0;
  virtual std::string last_norm() const { return "transition.norm"; }
};

/// Norm, activation and a convolution without bias, called "norm" and "conv" with a number behind, if any.
class NormConv : public nn::Module {
 public:
  NormConv(nn::Module* parent, const std::string& name, const std::string& number, int64_t in, int64_t out,
           const nn::Window& window, kernels::Activation activation, const nn::BatchNormOptions& norm)
      : Module(parent, name),
        norm_(this, "norm" + number, in, norm),
        conv_(this, "conv" + number, in, out, window, false),
        activation_(std::move(activation)) {}
  Var operator()(const Var& x) const { return conv_(norm_(x, activation_)); }
  /// Of the first channels of x, as many as there are to the norm.
  Var of_first(const Var& x) const { return conv_(norm_.of_first(x, activation_)); }

 private:
  nn::BatchNorm norm_;
  nn::Conv2d conv_;
  kernels::Activation activation_;
};

/// 3x3 windows that keep the extents at stride 1, and single pixels.
inline nn::Window window3(int64_t stride = 1) { return {3, stride, 1}; }
inline nn::Window window1(int64_t stride = 1) { return {1, stride, 0}; }

/// Throws Error(usage) for a list without blocks and for a size below one.
void check_sizes(std::string_view net, const std::vector<int64_t>& blocks,
                 std::initializer_list<int64_t> sizes);

}  // namespace vae::backbones
