#pragma once
// How cases are checked and timed.
#include "tools/bench/case.h"
#include "tools/bench/results.h"

namespace vae::bench {

/// Puts first what the machine can do, as cases like others: reading (a sum), writing (filling), copying and
/// updating in place an array beyond the caches, and a large f32 product in the precision set.
void add_peaks(Cases& cases, Device device);

/// Fills in the rows of `results`, one for each case and number of threads in that order. Each round goes
/// over all cases, so that a disturbance of some seconds meets one repeat of a case and shows as spread. A
/// call is timed with cold caches; a round is the median of three calls at least. The first round checks
/// every case, f32 on the device against f64 on the CPU; returns a line on each that is wrong.
std::vector<std::string> measure(const std::vector<Case>& cases, Device device, int64_t rounds,
                                 Results& results);

}  // namespace vae::bench
