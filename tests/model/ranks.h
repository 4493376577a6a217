#pragma once
// Ranks of NCCL as threads of a test, each with a device of the model.
#include <nccl.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <thread>

#include "kernels/model/nccl.h"
#include "tests/model/vendor.h"

namespace vae::test {

/// Calls body(rank) in n threads at once, device `rank` being current in each.
inline void in_ranks(int n, const std::function<void(int rank)>& body) {
  std::vector<std::thread> threads;
  for (int rank = 0; rank < n; ++rank)
    threads.emplace_back([&body, rank] {
      cudaSetDevice(rank);
      body(rank);
    });
  for (std::thread& thread : threads) thread.join();
}

/// The state of a communicator once its last call is done, or in progress for good.
inline ncclResult_t settled(ncclComm_t comm, std::chrono::milliseconds limit = std::chrono::seconds(30)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  ncclResult_t state = ncclInProgress;
  while (state == ncclInProgress && std::chrono::steady_clock::now() < end) {
    EXPECT_EQ(ncclCommGetAsyncError(comm, &state), ncclSuccess);
    if (state == ncclInProgress) std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  return state;
}

/// A communicator that does not block, in the state that its making leaves.
inline ncclComm_t join(const ncclUniqueId& id, int ranks, int rank) {
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  ncclComm_t comm = nullptr;
  EXPECT_EQ(ncclCommInitRankConfig(&comm, ranks, id, rank, &config), ncclInProgress);
  return comm;
}

/// What a rank has: its communicator, a stream, and an array of its own numbers.
struct Rank {
  Rank(const ncclUniqueId& id, int ranks, int number, const std::vector<double>& values)
      : rank(number), comm(join(id, ranks, number)), x(values) {
    EXPECT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
    EXPECT_EQ(settled(comm), ncclSuccess);
  }
  /// The sum in place, queued.
  void all_reduce(size_t count) {
    EXPECT_EQ(ncclAllReduce(x.data(), x.data(), count, ncclFloat32, ncclSum, comm, stream), ncclInProgress);
    EXPECT_EQ(settled(comm), ncclSuccess);
  }
  void leave() {
    EXPECT_EQ(ncclCommFinalize(comm), ncclInProgress);
    EXPECT_EQ(settled(comm), ncclSuccess);
    EXPECT_EQ(ncclCommDestroy(comm), ncclSuccess);
  }

  int rank;
  ncclComm_t comm = nullptr;
  cudaStream_t stream = nullptr;
  DeviceArray<float> x;
};

class NcclTest : public Vendor {
 protected:
  void SetUp() override { ASSERT_EQ(ncclGetUniqueId(&id_), ncclSuccess); }
  /// Ranks with the numbers {1, 2, 3} times rank + 1.
  void with_ranks(int n, const std::function<void(Rank&)>& body) {
    in_ranks(n, [&](int number) {
      const double scale = number + 1;
      Rank rank(id_, n, number, {scale, 2 * scale, 3 * scale});
      body(rank);
    });
  }
  ncclUniqueId id_{};
};

}  // namespace vae::test
