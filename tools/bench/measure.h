#pragma once
// Checks and times one case, and finds what the machine can do.
#include <nlohmann/json.hpp>

#include "tools/bench/case.h"

namespace vae::bench {

/// Highest rates of the machine, measured.
struct Peak {
  double copy;   ///< bytes/s of a copy beyond the caches, read and written
  double flops;  ///< of a large f32 matrix product in the precision set
};
Peak measure_peak(Device device);

/// Throws Error(numeric) naming the case where the result is wrong, f32 on the device against f64 on the CPU;
/// then times it, caches cold, until `seconds` have passed, and prints what it returns: the median and its
/// rate, of FLOP or else bytes, beside the peak that limits it.
nlohmann::json measure(const Case& c, Device device, const Peak& peak, double seconds);

}  // namespace vae::bench
