#include "models/shot_vae/beta.h"

#include <cmath>
#include <numbers>

namespace vae::shot_vae {

double symmetric_beta(double a, RandomKey key, int64_t number) {
  if (a <= 0) return 1;
  const PhiloxBlock words = random_block(key, static_cast<uint64_t>(number), 0);
  const double w = std::pow(uniform01(words.v[0]), 1 / a),
               c = std::cos(2 * std::numbers::pi * uniform01(words.v[1]));
  // t = c sqrt(1/w - 1) is Student's with 2a degrees of freedom, over sqrt(2a); this is t / sqrt(1 + t^2),
  // without 1/w, which overflows where a is small
  return 0.5 + 0.5 * c * std::sqrt(1 - w) / std::sqrt(w + (1 - w) * c * c);
}

}  // namespace vae::shot_vae
