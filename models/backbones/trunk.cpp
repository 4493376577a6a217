#include "models/backbones/trunk.h"

#include <fmt/format.h>

#include <algorithm>

#include "nn/train/image_set.h"

namespace vae::backbones {

Var Pass::drop(const Var& x) {
  if (ratio_ == 0) return x;
  const std::string name = fmt::format("drop_{}", dropped_++);
  const int64_t per_image = x.value().numel() / std::max<int64_t>(1, x.shape()[0]);
  std::vector<Tensor> uniform;
  for (const train::Share& part : batch_.shares)
    uniform.push_back(step_.uniform(name, part, per_image).value());
  const Tensor noise = uniform.size() == 1 ? uniform[0] : train::stacked(uniform);
  return autograd::dropout(x, noise.reshape(x.shape()), ratio_);
}

void check_sizes(std::string_view net, const std::vector<int64_t>& blocks,
                 std::initializer_list<int64_t> sizes) {
  for (const auto& list : {std::vector(sizes), blocks})
    if (list.empty() || *std::min_element(list.begin(), list.end()) < 1)
      fail(ErrorKind::usage, "a {} of blocks [{}] and sizes [{}]: none is below one", net,
           fmt::join(blocks, ", "), fmt::join(sizes, ", "));
}

}  // namespace vae::backbones
