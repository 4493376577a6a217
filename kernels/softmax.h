#pragma once
// Softmax and log-softmax over columns: the check shared by all backends.
#include "kernels/kernel.h"

namespace vae::kernels {

/// x and y: one floating dtype, equal rows and columns.
void check_softmax(const char* kernel, In x, In y);

}  // namespace vae::kernels
