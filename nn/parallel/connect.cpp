#include "nn/parallel/connect.h"

#include <algorithm>
#include <cstdlib>

#include "nn/parallel/mpi.h"
#include "nn/parallel/nccl.h"
#include "nn/parallel/rendezvous.h"

namespace vae::parallel {
namespace {

/// NCCL's name of the run, rank 0's on all ranks: through MPI where the launcher serves it.
std::string name_of_run(const Environment& e, std::chrono::milliseconds limit) {
  const std::string own = nccl_name();
  if (!e.has_mpi || !has_mpi()) return spread(own, read_meeting(&std::getenv), e, limit);
  return text_of_first(*connect_mpi(e, limit), own);
}

}  // namespace

Device device_of_rank(const Device& named, const Environment& e) {
  const int cards = named.type == DeviceType::cuda && named.index == 0 ? device_count(DeviceType::cuda) : 0;
  if (e.alone() || cards <= 1) return named;
  if (e.local_rank >= cards)
    fail(ErrorKind::usage, "this is process {} of its machine, which has {} cards: start one for each",
         e.local_rank + 1, cards);
  return {DeviceType::cuda, e.local_rank};
}

std::unique_ptr<Communicator> connect(const Environment& environment, const ConnectOptions& options) {
  if (environment.alone()) return std::make_unique<Self>();
  if (options.device.is_cpu()) return connect_mpi(environment, options.limit);
  if (options.device.type == DeviceType::cuda)
    return connect_nccl(environment, options.device.index, name_of_run(environment, options.limit),
                        options.limit);
  fail(ErrorKind::usage, "several processes train on CPUs or CUDA devices, not on {}", options.device.str());
}

}  // namespace vae::parallel
