#include "nn/init.h"

#include <cmath>

#include "kernels/kernels.h"

namespace vae::nn {

void init_normal_fan_in(Module& module, double scale, uint64_t seed) {
  for (const Module::Parameter& p : module.parameters()) {
    const Tensor& value = p.var->value();
    if (value.rank() != 2) continue;
    kernels::random_normal(value, RandomKey::named(seed, "init/" + p.name),
                           Tensor::scalar(int64_t{0}, value.device()));
    const double deviation = scale / std::sqrt(static_cast<double>(value.size(1)));
    kernels::map_fwd(kernels::Map::affine, {deviation, 0}, {&value, 1}, value);
  }
}

}  // namespace vae::nn
