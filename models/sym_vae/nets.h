#pragma once
// Nets of the two-layer model of binary codes z0 -> z1 -> image. Parameters are named as in the public
// PyTorch implementation whose results the presets reproduce (docs/sym_vae.md). Images are rows of 28 x 28
// pixels.
#include "nn/distributions.h"
#include "nn/image_layers.h"
#include "nn/mlp.h"

namespace vae::sym_vae {

using autograd::Var;

inline constexpr int64_t kSide = 28, kPixels = kSide * kSide;

/// Images [B, 784] -> features [B, units]: seven convolutions, tanh behind each.
class Trunk : public nn::Module {
 public:
  Trunk(Module* parent, int64_t width, int64_t units);
  Var operator()(const Var& x) const;

 private:
  nn::Conv2d conv0_, conv1_, conv2_, conv3_, conv4_, conv5_, conv6_;
};

/// Two hidden layers of h and beside them a linear map of bits, which add up to logits of other bits.
class SkipNet : public nn::Module {
 public:
  SkipNet(Module* parent, const std::string& name, int64_t in, int64_t units, int64_t skipped, int64_t out);
  Var operator()(const Var& h, const Var& skipped) const;

 private:
  nn::Mlp hidden_;
  nn::Linear out_, skip_;
};

/// z1 [B, nz1] -> logits, or means, of the pixels [B, 784]: six transposed convolutions with an activation
/// behind each, and a convolution.
class ImageDecoder : public nn::Module {
 public:
  ImageDecoder(Module* parent, const std::string& name, int64_t nz1, int64_t width,
               kernels::Activation activation);
  Var operator()(const Var& z1) const;

 private:
  kernels::Activation activation_;
  nn::ConvTranspose2d conv1_, conv2_, conv3_, conv4_, conv5_, conv6_;
  nn::Conv2d conv7_;
};

}  // namespace vae::sym_vae
