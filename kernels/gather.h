#pragma once
// Filling, copying and indexing: the checks shared by all backends.
#include "kernels/kernel.h"

namespace vae::kernels {

/// How stored pixels become numbers: value / 255, or 1 where the pixel is at least 128 and 0 elsewhere.
enum class Pixels : int { unit, binary };

/// Rows of x named by i64 index: y is [index.numel(), row of x].
void check_gather(const char* kernel, In x, In index, Out y);
/// One i64 label per row of x; y (or dy) has one element per row.
void check_pick(const char* kernel, In x, In label, In y);
/// y[K * B, H] from a[B, H] and v[K, H]. Returns K.
int64_t check_outer_add(In a, In v, Out y);

}  // namespace vae::kernels
