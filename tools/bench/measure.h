#pragma once
// Checks and times one case, and finds what the machine can do.
#include "tools/bench/case.h"

namespace vae::bench {

/// Highest rates of the machine, measured.
struct Peak {
  double copy;   ///< bytes/s of a copy beyond the caches, read and written
  double flops;  ///< of a large f32 matrix product in the precision set
};
Peak measure_peak(Device device);

struct Result {
  double seconds;  ///< median
  double rate;     ///< bytes/s, or FLOP/s where the case counts operations
  double share;    ///< of the peak that limits it: copy, or product for cases that count operations
  double error;    ///< f32 on the device against f64 on the CPU
};

/// Throws Error(numeric) naming the case where the result is wrong; then times it, caches cold, until
/// `seconds` have passed.
Result measure(const Case& c, Device device, const Peak& peak, double seconds);

}  // namespace vae::bench
