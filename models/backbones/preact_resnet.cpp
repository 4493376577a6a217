#include "models/backbones/preact_resnet.h"

#include "models/backbones/residual_net.h"

namespace vae::backbones {

const std::vector<std::pair<std::string_view, PreActResNet>>& preact_resnets() {
  static const std::vector<std::pair<std::string_view, PreActResNet>> nets{
      {"preactresnet18", {{2, 2, 2, 2}, 1}},   {"preactresnet34", {{3, 4, 6, 3}, 1}},
      {"preactresnet50", {{3, 4, 6, 3}, 4}},   {"preactresnet101", {{3, 4, 23, 3}, 4}},
      {"preactresnet152", {{3, 8, 36, 3}, 4}},
  };
  return nets;
}

std::unique_ptr<Trunk> make(nn::Module* parent, const std::string& name, const PreActResNet& sizes,
                            const Config& config) {
  check_sizes("residual net", sizes.blocks, {sizes.expansion, sizes.stem});
  ResidualPlan plan{.stem = sizes.stem, .expansion = sizes.expansion, .unit = "preact_block.unit"};
  plan.activation = kernels::kRelu;
  for (size_t k = 0; k < sizes.blocks.size(); ++k)
    plan.blocks.push_back({fmt::format("block{}", k + 1), sizes.blocks[k], sizes.stem << k, k == 0 ? 1 : 2});
  return std::make_unique<ResidualNet>(parent, name, plan, config);
}

}  // namespace vae::backbones
