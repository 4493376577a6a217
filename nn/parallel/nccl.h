#pragma once
// The communicator of tensors on CUDA devices: NCCL, where the build has it. One process for each card.
#include <chrono>
#include <memory>
#include <string>

#include "nn/parallel/environment.h"
#include "tensor/communicator.h"

namespace vae::parallel {

/// That of the library, "2.28.9"; empty where the build has none.
std::string nccl_version();

/// The name under which the ranks of a run connect: made by one of them, given to all.
std::string nccl_name();

/// All ranks of an environment, each with a card of its own, under a name that nccl_name() has made. `limit`:
/// how long a rank waits for others before it gives them up, at the start as well. What is queued on the
/// device never ends without them; a thread watches it, aborts it then, and the next use of the communicator
/// or wait for the device throws Error(peer). Recorded steps must end before the communicator does. Throws
/// Error(peer) where a rank does not come, Error(usage) where two ranks have one card or the build has no
/// NCCL.
std::unique_ptr<Communicator> connect_nccl(const Environment& environment, int device,
                                           const std::string& name, std::chrono::milliseconds limit);

}  // namespace vae::parallel
