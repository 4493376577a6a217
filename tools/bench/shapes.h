#pragma once
// A user's own shapes: --shape gemm=1000x784x500.
#include "tools/bench/case.h"

namespace vae::bench {

/// Adds the cases of "KIND=SIZES"; throws Error(usage) for anything else.
void add_shape(Cases& cases, const std::string& text);

/// The kinds and their sizes, a line each, for a help text.
std::string shapes_help();

}  // namespace vae::bench
