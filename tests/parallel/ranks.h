#pragma once
// The ranks that a test program runs on.
#include "tensor/communicator.h"

namespace vae::test {

/// Those that mpirun has started.
parallel::Communicator& world();

}  // namespace vae::test
