#pragma once
// Learning-rate schedules: a factor as a pure function of the iteration, so that a resumed run needs no state for them.
#include <cstdint>
#include <string_view>

namespace vae::nn {

enum class Decay { constant, linear, cosine };

/// Rises linearly over `warmup` iterations, then stays, or falls to zero at iteration `total` linearly or along half a
/// cosine (Loshchilov and Hutter, arXiv:1608.03983).
struct Schedule {
  Decay decay = Decay::constant;
  int64_t total = 0;  ///< iterations of the whole run; not used by constant
  int64_t warmup = 0;

  /// Factor of the base rate in iteration 0, 1, ...
  double factor(int64_t iteration) const;
  bool is_constant() const { return decay == Decay::constant && warmup == 0; }
};

/// "constant", "linear" or "cosine"; throws Error(usage) for anything else.
Decay parse_decay(std::string_view name);

}  // namespace vae::nn
