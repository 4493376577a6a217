#pragma once
// Deep convolutional nets that make a vector of features of an image: wide residual nets (Zagoruyko &
// Komodakis, arXiv:1605.07146), residual nets with norms before the activations (He et al.,
// arXiv:1603.05027), densely connected nets (Huang et al., arXiv:1608.06993), all in the forms for images of
// 32 x 32 pixels.
#include <memory>
#include <string_view>
#include <variant>
#include <vector>

#include "nn/layers.h"
#include "nn/train/step.h"

namespace vae::backbones {

using autograd::Var;

/// Three blocks of (depth - 4) / 6 units, of int(16 width), int(32 width) and int(64 width) channels.
struct WideResNet {
  int64_t depth = 28;
  double width = 2;
  int64_t stem = 16;  ///< channels of the first convolution
  bool operator==(const WideResNet&) const = default;
};

/// Blocks of so many units; block k has stem 2^k channels, times the expansion behind each unit. Units are
/// bottlenecks where the expansion is not 1.
struct PreActResNet {
  std::vector<int64_t> blocks{2, 2, 2, 2};
  int64_t expansion = 1, stem = 64;
  bool operator==(const PreActResNet&) const = default;
};

/// Blocks of so many layers, each with `growth` new channels out of bottleneck * growth; transitions keep
/// int(C compression) of C channels.
struct DenseNet {
  int64_t growth = 12;
  std::vector<int64_t> blocks{16, 16, 16};
  int64_t stem = 24, bottleneck = 4;
  double compression = 0.5;
  bool operator==(const DenseNet&) const = default;
};

struct Config {
  std::variant<WideResNet, PreActResNet, DenseNet> sizes;
  double dropout = 0;         ///< share of the values that are dropped, in [0, 1)
  int64_t channels = 3;       ///< of the images
  double leaky_slope = 0.01;  ///< of the activations of wide residual nets; the other nets have ReLU
  nn::BatchNormOptions norm{};
  /// Path of the last norm below the parent; empty: NAME.transition.norm, of a dense net of B blocks
  /// NAME.transitionB.norm.
  std::string last_norm{};
};

/// The sizes that a name stands for: wideresnet-DEPTH-WIDTH (DEPTH = 6 n + 4), preactresnet18, 34, 50, 101,
/// 152, densenet121, 161, 169, 201, densenetbc100, bc190, bc250. Throws Error(usage), with all names, for any
/// other.
Config parse(std::string_view name);

/// Rows that go through a net together: a share of a batch, or shares of batches that stand one behind the
/// other in a larger one.
struct Parts {
  std::vector<train::Share> shares;
  Parts(train::Share all) : shares{all} {}
  Parts(int64_t all) : shares{all} {}
  Parts(std::initializer_list<train::Share> parts) : shares(parts) {}
};

class Backbone : public nn::Module {
 public:
  /// Features [n, features()] of images [n, h, w, channels] in [0, 1], n the rows of the batch. In training
  /// mode dropout takes its noise from the step: "drop_0", "drop_1", ... in the order of execution.
  virtual Var operator()(const Var& images, const Parts& batch, const train::Step& step) const = 0;
  virtual int64_t features() const = 0;

 protected:
  using Module::Module;
};

/// A net whose parameters stand below NAME of the parent, but for a last norm of another name. Throws
/// Error(usage) for sizes that make no net.
std::unique_ptr<Backbone> make(nn::Module* parent, const std::string& name, const Config& config);

}  // namespace vae::backbones
