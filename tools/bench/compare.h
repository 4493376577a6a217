#pragma once
// Two results of bench_kernels side by side, judged by their own repeats. The ratio of a case's rates, now to
// then, lies between those of the slowest round now to the fastest then, and of the fastest now to the
// slowest then. What the machine itself did meanwhile lies between the least and the greatest ratio of a
// peak, or one. Faster: the first interval lies above the second. Slower: below. Else "same", as far as these
// runs tell; peaks are judged beside one alone.
#include "tools/bench/results.h"

namespace vae::bench {

/// Throws Error(usage) where the runs differ in their setting or share no case. `now` may lack its rounds.
void check_comparable(const Results& now, const Results& then, const std::filesystem::path& file_of_then);

/// A line per case of both, the cases of one alone, and what the machine did.
void print_comparison(const Results& now, const Results& then, const std::filesystem::path& file_of_then);

}  // namespace vae::bench
