#pragma once
// What changes from step to step by a rule: pure functions of counts, so that a resumed run needs no state
// for them.
#include <algorithm>
#include <cmath>
#include <cstdint>

namespace vae::models::adgm {

/// The weight of the KL terms: 1/n, 2/n, ... up to `top`, one step per evaluation of a bound. n = 0: `top` at
/// once.
struct WarmUp {
  int64_t n = 0;
  double top = 1;
  /// Of evaluation number `call`, counted from 1.
  double beta(int64_t call) const {
    return n > 0 ? std::min(top, static_cast<double>(call) / static_cast<double>(n)) : top;
  }
};

/// A value that is multiplied by `factor` after every `every` epochs, but not below `floor`. every = 0:
/// constant.
struct Stairs {
  double start = 1, factor = 1, floor = 0;
  int64_t every = 0;
  /// In epoch number `epoch`, counted from 0.
  double at(int64_t epoch) const {
    return every > 0 ? std::max(std::min(floor, start),
                                start * std::pow(factor, static_cast<double>(epoch / every)))
                     : start;
  }
};

}  // namespace vae::models::adgm
