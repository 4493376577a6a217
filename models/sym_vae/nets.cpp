#include "models/sym_vae/nets.h"

namespace vae::sym_vae {
namespace {

using kernels::Window;

const nn::HiddenRule kTanh{.activation = kernels::activation(kernels::Map::tanh)};

}  // namespace

Trunk::Trunk(Module* parent, int64_t width, int64_t units)
    : Module(parent, ""),
      conv0_(this, "conv0", 1, width, {3, 1, 1}),
      conv1_(this, "conv1", width, width, 2),
      conv2_(this, "conv2", width, 2 * width, {3, 2}),
      conv3_(this, "conv3", 2 * width, 2 * width, 3),
      conv4_(this, "conv4", 2 * width, 2 * width, 3),
      conv5_(this, "conv5", 2 * width, 4 * width, {3, 2}),
      conv6_(this, "conv6", 4 * width, units, 4) {}

Var Trunk::operator()(const Var& x) const {
  Var h = autograd::reshape(x, {-1, kSide, kSide, 1});
  for (const nn::Conv2d* conv : {&conv0_, &conv1_, &conv2_, &conv3_, &conv4_, &conv5_, &conv6_})
    h = (*conv)(h, kTanh.activation);
  return autograd::flatten(h);
}

SkipNet::SkipNet(Module* parent, const std::string& name, int64_t in, int64_t units, int64_t skipped,
                 int64_t out)
    : Module(parent, name),
      hidden_(this, "", {in, units, units}, kTanh, {.layer = "lin{}", .first = 1}),
      out_(this, "lin3", units, out),
      skip_(this, "lin_skip", skipped, out, false) {}

Var SkipNet::operator()(const Var& h, const Var& skipped) const {
  return autograd::linear(skipped, skip_.weight, out_(hidden_(h)));
}

ImageDecoder::ImageDecoder(Module* parent, const std::string& name, int64_t nz1, int64_t width,
                           kernels::Activation activation)
    : Module(parent, name),
      activation_(activation),
      conv1_(this, "conv1", nz1, 4 * width, 4),
      conv2_(this, "conv2", 4 * width, 2 * width, {3, 2}),
      conv3_(this, "conv3", 2 * width, 2 * width, 3),
      conv4_(this, "conv4", 2 * width, 2 * width, 3),
      conv5_(this, "conv5", 2 * width, width, {3, 2}),
      conv6_(this, "conv6", width, width, 2),
      conv7_(this, "conv7", width, 1, {3, 1, 1}) {}

Var ImageDecoder::operator()(const Var& z1) const {
  Var h = autograd::reshape(z1, {-1, 1, 1, z1.shape()[1]});
  for (const nn::ConvTranspose2d* conv : {&conv1_, &conv2_, &conv3_, &conv4_, &conv5_, &conv6_})
    h = (*conv)(h, activation_);
  return autograd::flatten(conv7_(h));
}

}  // namespace vae::sym_vae
