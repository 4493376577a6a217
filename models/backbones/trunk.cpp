#include "models/backbones/trunk.h"

#include <fmt/format.h>

#include <algorithm>

namespace vae::backbones {

Var Pass::drop(const Var& x) {
  if (ratio_ == 0) return x;
  const int64_t per_image = x.value().numel() / std::max<int64_t>(1, batch_.rows);
  const Var uniform = step_.uniform(fmt::format("drop_{}", dropped_++), batch_, per_image);
  return autograd::dropout(x, autograd::reshape(uniform, x.shape()).value(), ratio_);
}

void check_sizes(std::string_view net, const std::vector<int64_t>& blocks,
                 std::initializer_list<int64_t> sizes) {
  for (const auto& list : {std::vector(sizes), blocks})
    if (list.empty() || *std::min_element(list.begin(), list.end()) < 1)
      fail(ErrorKind::usage, "a {} of blocks [{}] and sizes [{}]: none is below one", net,
           fmt::join(blocks, ", "), fmt::join(sizes, ", "));
}

}  // namespace vae::backbones
