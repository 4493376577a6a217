#include "models/backbones/dense_net.h"

namespace vae::backbones {
namespace {

/// New channels by a 1x1 and a 3x3 convolution of the first channels of x, into which they are written.
class DenseLayer : public nn::Module {
 public:
  DenseLayer(nn::Module* parent, const std::string& name, int64_t in, const DenseNet& sizes,
             const Config& config)
      : Module(parent, name),
        in_(in),
        first_(this, "", "1", in, sizes.bottleneck * sizes.growth, window1(), kernels::kRelu, config.norm),
        second_(this, "", "2", sizes.bottleneck * sizes.growth, sizes.growth, window3(), kernels::kRelu,
                config.norm) {}
  Var operator()(const Var& x, Pass& pass) const {
    return autograd::overwrite_columns(x, in_, pass.drop(second_(first_.of_first(x))));
  }

 private:
  int64_t in_;
  NormConv first_, second_;
};

/// So many channels beside x.
Var room(const Var& x, int64_t channels) {
  const Tensor& v = x.value();
  return Var(Tensor::zeros({v.size(0), v.size(1), v.size(2), channels}, v.dtype(), v.device()));
}

/// A block, and the transition behind all but the last. Its channels lie side by side from the start: each
/// layer writes its own, and norms read the first ones, so the concatenation is never made.
struct DenseBlock {
  int64_t added = 0;  ///< channels
  std::vector<std::unique_ptr<DenseLayer>> layers;
  std::unique_ptr<NormConv> transition;
};

class DenseTrunk : public Trunk {
 public:
  DenseTrunk(nn::Module* parent, const std::string& name, const DenseNet& sizes, const Config& config)
      : Trunk(parent, name),
        conv0_(this, "pre_process.conv0", config.channels, sizes.stem, window3()),
        channels_(sizes.stem) {
    for (const int64_t layers : sizes.blocks) {
      const size_t number = blocks_.size() + 1;
      DenseBlock& block = blocks_.emplace_back();
      for (int64_t i = 1; i <= layers; ++i) {
        block.layers.push_back(std::make_unique<DenseLayer>(
            this, fmt::format("denseblock{}.denselayer{}", number, i), channels_, sizes, config));
        channels_ += sizes.growth, block.added += sizes.growth;
      }
      if (number == sizes.blocks.size()) break;
      const auto kept = static_cast<int64_t>(static_cast<double>(channels_) * sizes.compression);
      block.transition = std::make_unique<NormConv>(this, fmt::format("transition{}", number), "", channels_,
                                                    kept, window1(), kernels::kRelu, config.norm);
      channels_ = kept;
    }
  }

  Var operator()(const Var& images, Pass& pass) const override {
    Var x = conv0_(images);
    for (const DenseBlock& block : blocks_) {
      x = autograd::concat({x, room(x, block.added)});
      for (const auto& layer : block.layers) x = (*layer)(x, pass);
      if (block.transition) x = autograd::avg_pool2d((*block.transition)(x), nn::Window(2, 2));
    }
    return x;
  }
  int64_t channels() const override { return channels_; }
  kernels::Activation activation() const override { return kernels::kRelu; }
  std::string last_norm() const override { return fmt::format("transition{}.norm", blocks_.size()); }

 private:
  nn::Conv2d conv0_;
  std::vector<DenseBlock> blocks_;
  int64_t channels_;
};

}  // namespace

const std::vector<std::pair<std::string_view, DenseNet>>& dense_nets() {
  static const std::vector<std::pair<std::string_view, DenseNet>> nets{
      {"densenet121", {32, {6, 12, 24, 16}, 64}}, {"densenet161", {48, {6, 12, 36, 24}, 96}},
      {"densenet169", {32, {6, 12, 32, 32}, 64}}, {"densenet201", {32, {6, 12, 48, 32}, 64}},
      {"densenetbc100", {12, {16, 16, 16}, 24}},  {"densenetbc190", {40, {31, 31, 31}, 40}},
      {"densenetbc250", {24, {41, 41, 41}, 48}},
  };
  return nets;
}

std::unique_ptr<Trunk> make(nn::Module* parent, const std::string& name, const DenseNet& sizes,
                            const Config& config) {
  check_sizes("dense net", sizes.blocks, {sizes.growth, sizes.stem, sizes.bottleneck});
  if (!(sizes.compression > 0 && sizes.compression <= 1))
    fail(ErrorKind::usage, "a dense net whose transitions keep {} of the channels: above 0, at most 1",
         sizes.compression);
  return std::make_unique<DenseTrunk>(parent, name, sizes, config);
}

}  // namespace vae::backbones
