#include "models/backbones/wide_resnet.h"

#include <charconv>

#include "models/backbones/residual_net.h"

namespace vae::backbones {
namespace {

/// Takes a number off the front of a text; false where there is none.
bool take(std::string_view& text, auto& number) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<size_t>(stop - text.data()));
  return true;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

void check(const WideResNet& net) {
  if (net.depth >= 10 && net.depth % 6 == 4 && net.width >= 1.0 / 16 && net.width <= 1024 && net.stem >= 1)
    return;
  fail(ErrorKind::usage,
       "a wide residual net of depth {}, width {}, with a stem of {}: the depth is 10, 16, 22, 28, ..., the "
       "width 1/16 to 1024",
       net.depth, net.width, net.stem);
}

}  // namespace

std::optional<WideResNet> parse_wide_resnet(std::string_view name) {
  WideResNet sizes;
  const bool matches = take_prefix(name, "wideresnet-") && take(name, sizes.depth) &&
                       take_prefix(name, "-") && take(name, sizes.width) && name.empty();
  if (!matches) return {};
  check(sizes);
  return sizes;
}

std::unique_ptr<Trunk> make(nn::Module* parent, const std::string& name, const WideResNet& sizes,
                            const Config& config) {
  check(sizes);
  ResidualPlan plan{.stem = sizes.stem, .unit = "wide_block.wideunit"};
  plan.activation = plan.shortcut_activation = {kernels::Map::leaky_relu, {config.leaky_slope, 0}};
  for (const int k : {0, 1, 2})
    plan.blocks.push_back({fmt::format("wideblock{}", k + 1), (sizes.depth - 4) / 6,
                           static_cast<int64_t>((16 << k) * sizes.width), k == 0 ? 1 : 2});
  return std::make_unique<ResidualNet>(parent, name, plan, config);
}

}  // namespace vae::backbones
