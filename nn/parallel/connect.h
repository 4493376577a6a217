#pragma once
// The communicator of a run: that of its device, for the processes that its launcher started.
#include <chrono>
#include <memory>

#include "nn/parallel/environment.h"
#include "tensor/communicator.h"

namespace vae::parallel {

struct ConnectOptions {
  Device device;                            ///< on which the tensors lie that the ranks exchange
  std::chrono::milliseconds limit{30'000};  ///< how long a rank waits for others before it gives them up
};

/// The device of a rank where the options name one: "cuda" is the card of its number on its machine, or the
/// only one that its launcher lets it see. Throws Error(usage) where the machine has fewer cards.
Device device_of_rank(const Device& named, const Environment& environment);

/// Self for a process alone. Throws Error(usage) where build or launcher have no communication for the
/// device, Error(peer) where a rank does not come in time.
std::unique_ptr<Communicator> connect(const Environment& environment, const ConnectOptions& options);

}  // namespace vae::parallel
