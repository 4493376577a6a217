// What the model's NCCL promises: ranks that meet, what collectives move, graphs, errors and the end.
#include <cmath>

#include "tests/expect_error.h"
#include "tests/model/ranks.h"

namespace vae {
namespace {

using test::in_ranks;
using test::Rank;
using test::settled;

class Nccl : public test::NcclTest {};

TEST_F(Nccl, AReduceIsTheSumInPlaceOfAllRanks) {
  for (const int n : {1, 2, 4}) {
    ASSERT_EQ(ncclGetUniqueId(&id_), ncclSuccess);
    with_ranks(n, [n](Rank& rank) {
      rank.all_reduce(3);
      rank.all_reduce(2);
      EXPECT_EQ(cudaStreamSynchronize(rank.stream), cudaSuccess);
      const double sum = n * (n + 1) / 2;
      EXPECT_EQ(rank.x.values(), (std::vector<double>{n * sum, n * 2 * sum, 3 * sum}));
      rank.leave();
    });
  }
}

TEST_F(Nccl, AGroupGathersRowsOfDifferentNumber) {
  with_ranks(2, [](Rank& rank) {
    test::DeviceArray<float> all(test::nans(3)), twice(test::nans(6));
    EXPECT_EQ(ncclGroupStart(), ncclSuccess);
    EXPECT_EQ(ncclBroadcast(rank.x.data(), all.data(), 1, ncclFloat32, 0, rank.comm, rank.stream),
              ncclSuccess);
    EXPECT_EQ(ncclBroadcast(rank.x.data(), all.data() + 1, 2, ncclFloat32, 1, rank.comm, rank.stream),
              ncclSuccess);
    EXPECT_EQ(ncclGroupEnd(), ncclInProgress);
    EXPECT_EQ(settled(rank.comm), ncclSuccess);
    EXPECT_EQ(ncclAllGather(rank.x.data(), twice.data(), 3, ncclFloat32, rank.comm, rank.stream),
              ncclInProgress);
    EXPECT_EQ(settled(rank.comm), ncclSuccess);
    EXPECT_EQ(cudaStreamSynchronize(rank.stream), cudaSuccess);
    EXPECT_EQ(all.values(), (std::vector<double>{1, 2, 4}));
    EXPECT_EQ(twice.values(), (std::vector<double>{1, 2, 3, 2, 4, 6}));
    rank.leave();
  });
}

/// The last rank comes late; nobody waits for its stream but the others.
TEST_F(Nccl, AStreamWaitsForThoseOfTheOtherRanks) {
  with_ranks(2, [](Rank& rank) {
    if (rank.rank == 1) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    rank.all_reduce(3);
    if (rank.rank == 1) return;
    EXPECT_EQ(cudaStreamSynchronize(rank.stream), cudaSuccess);
    EXPECT_EQ(rank.x.values()[0], 3);
  });
}

TEST_F(Nccl, ACallIsQueuedWhenItHasBeenWaitedFor) {
  with_ranks(1, [](Rank& rank) {
    EXPECT_EQ(ncclAllReduce(rank.x.data(), rank.x.data(), 3, ncclFloat32, ncclSum, rank.comm, rank.stream),
              ncclInProgress);
    EXPECT_EQ(cudaStreamQuery(rank.stream), cudaSuccess) << "nothing is there yet";
    EXPECT_EQ(settled(rank.comm), ncclSuccess);
    EXPECT_EQ(cudaStreamSynchronize(rank.stream), cudaSuccess);
    rank.leave();
  });
}

/// A stream that communicates beside the one that computes, recorded and not.
TEST_F(Nccl, EventsForkAndJoinAStreamOfItsOwn) {
  for (const bool recorded : {false, true}) {
    ASSERT_EQ(ncclGetUniqueId(&id_), ncclSuccess);
    with_ranks(2, [recorded](Rank& rank) {
      cudaStream_t compute = nullptr;
      cudaEvent_t fork = nullptr, join = nullptr;
      ASSERT_EQ(cudaStreamCreateWithFlags(&compute, cudaStreamNonBlocking), cudaSuccess);
      ASSERT_EQ(cudaEventCreateWithFlags(&fork, cudaEventDisableTiming), cudaSuccess);
      ASSERT_EQ(cudaEventCreateWithFlags(&join, cudaEventDisableTiming), cudaSuccess);
      const test::DeviceArray<float> gradient({1, 1, 1});
      const auto step = [&] {
        EXPECT_EQ(cudaMemcpyAsync(rank.x.data(), gradient.data(), 12, cudaMemcpyDeviceToDevice, compute),
                  cudaSuccess);
        EXPECT_EQ(cudaEventRecord(fork, compute), cudaSuccess);
        EXPECT_EQ(cudaStreamWaitEvent(rank.stream, fork, 0), cudaSuccess);
        rank.all_reduce(3);
        EXPECT_EQ(cudaEventRecord(join, rank.stream), cudaSuccess);
        EXPECT_EQ(cudaStreamWaitEvent(compute, join, 0), cudaSuccess);
        EXPECT_EQ(cudaMemcpyAsync(gradient.data(), rank.x.data(), 12, cudaMemcpyDeviceToDevice, compute),
                  cudaSuccess);
      };
      if (recorded) {
        cudaGraph_t graph = nullptr;
        cudaGraphExec_t executable = nullptr;
        EXPECT_EQ(cudaStreamBeginCapture(compute, cudaStreamCaptureModeThreadLocal), cudaSuccess);
        step();
        EXPECT_EQ(cudaStreamEndCapture(compute, &graph), cudaSuccess);
        EXPECT_EQ(cudaGraphInstantiateWithFlags(&executable, graph, 0), cudaSuccess);
        EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
        for (int i = 0; i < 3; ++i) EXPECT_EQ(cudaGraphLaunch(executable, compute), cudaSuccess);
        EXPECT_EQ(cudaGraphExecDestroy(executable), cudaSuccess);
      } else {
        for (int i = 0; i < 3; ++i) step();
      }
      EXPECT_EQ(cudaStreamSynchronize(compute), cudaSuccess);
      EXPECT_EQ(gradient.values(), (std::vector<double>{8, 8, 8}));
      rank.leave();
    });
  }
}

TEST_F(Nccl, ARankThatNeverComesLeavesTheOthersInProgress) {
  cudaSetDevice(0);
  ncclComm_t comm = test::join(id_, 2, 0);
  EXPECT_EQ(settled(comm, std::chrono::milliseconds(20)), ncclInProgress);
  EXPECT_EQ(ncclCommAbort(comm), ncclSuccess);
}

TEST_F(Nccl, TwoRanksOfOneDeviceAreRefused) {
  in_ranks(2, [&](int rank) {
    cudaSetDevice(0);
    ncclComm_t comm = test::join(id_, 2, rank);
    EXPECT_EQ(settled(comm), ncclInvalidUsage);
    EXPECT_NE(std::string(ncclGetLastError(comm)).find("Duplicate GPU"), std::string::npos);
    EXPECT_EQ(ncclCommAbort(comm), ncclSuccess);
  });
}

/// As of a peer that died: what is queued does not end before the abort, and leaves no numbers.
TEST_F(Nccl, AnAsynchronousErrorAppearsAndAnAbortEndsWhatIsQueued) {
  with_ranks(2, [](Rank& rank) {
    if (rank.rank == 1) return;
    rank.all_reduce(3);
    EXPECT_EQ(cudaStreamQuery(rank.stream), cudaErrorNotReady);
    model::comm::break_connection(0, ncclRemoteError);
    ncclResult_t state{};
    EXPECT_EQ(ncclCommGetAsyncError(rank.comm, &state), ncclSuccess);
    EXPECT_EQ(state, ncclRemoteError);
    EXPECT_EQ(ncclAllReduce(rank.x.data(), rank.x.data(), 3, ncclFloat32, ncclSum, rank.comm, rank.stream),
              ncclRemoteError);
    EXPECT_EQ(cudaStreamQuery(rank.stream), cudaErrorNotReady);
    EXPECT_EQ(ncclCommAbort(rank.comm), ncclSuccess);
    EXPECT_EQ(cudaStreamSynchronize(rank.stream), cudaSuccess);
    EXPECT_TRUE(std::isnan(rank.x.values()[0]));
  });
}

/// From another thread, as of one that watches.
TEST_F(Nccl, AnAbortEndsAWait) {
  with_ranks(2, [](Rank& rank) {
    if (rank.rank == 1) return;
    rank.all_reduce(3);
    std::thread watch([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      EXPECT_EQ(ncclCommAbort(rank.comm), ncclSuccess);
    });
    EXPECT_EQ(cudaStreamSynchronize(rank.stream), cudaSuccess);
    watch.join();
  });
}

TEST_F(Nccl, ACallFailsAsAsked) {
  with_ranks(1, [](Rank& rank) {
    const model::Fault fault("ncclAllReduce", 2, ncclSystemError);
    rank.all_reduce(3);
    EXPECT_EQ(ncclAllReduce(rank.x.data(), rank.x.data(), 3, ncclFloat32, ncclSum, rank.comm, rank.stream),
              ncclSystemError);
    rank.leave();
  });
}

TEST_F(Nccl, SaysItsVersionAndItsErrors) {
  int version = 0;
  EXPECT_EQ(ncclGetVersion(&version), ncclSuccess);
  EXPECT_EQ(version, NCCL_VERSION_CODE);
  EXPECT_STREQ(ncclGetErrorString(ncclInProgress), "NCCL operation in progress");
}

}  // namespace
}  // namespace vae
