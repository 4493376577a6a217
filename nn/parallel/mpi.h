#pragma once
// The communicator of tensors on the CPU: MPI, where the build has it.
#include <chrono>
#include <memory>

#include "nn/parallel/environment.h"
#include "tensor/communicator.h"

namespace vae::parallel {

/// Whether this build has MPI.
bool has_mpi();

/// All processes of the launcher. `limit`: how long a rank waits for others before it gives them up, at the
/// start as well. Once in a process. Throws Error(usage) where build or launcher have no MPI, Error(peer)
/// where a rank does not come.
std::unique_ptr<Communicator> connect_mpi(const Environment& environment, std::chrono::milliseconds limit);

}  // namespace vae::parallel
