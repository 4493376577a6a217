#pragma once
// Residual nets whose units have norm and activation before each convolution.
#include "models/backbones/trunk.h"

namespace vae::backbones {

/// What differs between the families.
struct ResidualPlan {
  struct Block {
    std::string name{};
    int64_t units = 1, width = 1, stride = 1;  ///< stride of the first unit
  };
  std::vector<Block> blocks{};
  int64_t stem = 16;
  int64_t expansion = 1;  ///< other than 1: bottlenecks of width channels with expansion * width behind
  kernels::Activation activation{}, shortcut_activation{};
  std::string unit{};  ///< name of a unit, a number behind it
};

/// x + f(x), without an activation behind the sum. f: 3x3 convolutions from `in` to `width` and on to width
/// channels; or, as a bottleneck, 1x1, 3x3 and 1x1 to `out`. The 3x3 convolution before dropout has the
/// stride. Where f changes the shape, x passes a norm and a 1x1 convolution.
class ResidualUnit : public nn::Module {
 public:
  ResidualUnit(nn::Module* parent, const std::string& name, int64_t in, int64_t width, int64_t stride,
               const ResidualPlan& plan, const nn::BatchNormOptions& norm);
  Var operator()(const Var& x, Pass& pass) const;

 private:
  std::vector<std::unique_ptr<NormConv>> layers_;
  std::unique_ptr<NormConv> shortcut_;
};

class ResidualNet : public Trunk {
 public:
  ResidualNet(nn::Module* parent, const std::string& name, const ResidualPlan& plan, const Config& config);
  Var operator()(const Var& images, Pass& pass) const override;
  int64_t channels() const override { return channels_; }
  kernels::Activation activation() const override { return activation_; }

 private:
  nn::Conv2d conv0_;
  std::vector<std::unique_ptr<ResidualUnit>> units_;
  int64_t channels_;
  kernels::Activation activation_;
};

}  // namespace vae::backbones
