// Mistakes in the use of NCCL, one after the other, each caught by the model.
#include "tests/model/ranks.h"
#include "tests/scoped_variable.h"

namespace vae {
namespace {

using test::Rank;
using test::settled;

class PlantedInNccl : public test::NcclTest {
 protected:
  /// What the two ranks do in turns makes one violation, with these words.
  void two_ranks(const std::string& words, const std::function<void(Rank&)>& body) {
    with_ranks(2, [&](Rank& rank) { body(rank); });
    expect_violation(words);
  }
  /// The same with one rank.
  void one_rank(const std::string& words, const std::function<void(Rank&)>& body) {
    with_ranks(1, body);
    expect_violation(words);
  }
};

ncclResult_t reduce(Rank& rank, const void* from, void* to, size_t count) {
  return ncclAllReduce(from, to, count, ncclFloat32, ncclSum, rank.comm, rank.stream);
}

TEST_F(PlantedInNccl, DifferentCounts) {
  two_ranks("ncclAllReduce of", [](Rank& rank) { rank.all_reduce(static_cast<size_t>(2 + rank.rank)); });
}

TEST_F(PlantedInNccl, DifferentTypes) {
  two_ranks("ncclAllReduce of types", [](Rank& rank) {
    const test::DeviceArray<double> wide({1});
    const bool first = rank.rank == 0;
    ncclAllReduce(first ? static_cast<void*>(wide.data()) : rank.x.data(),
                  first ? static_cast<void*>(wide.data()) : rank.x.data(), 1,
                  first ? ncclFloat64 : ncclFloat32, ncclSum, rank.comm, rank.stream);
    settled(rank.comm);
    cudaStreamSynchronize(rank.stream);
  });
}

TEST_F(PlantedInNccl, DifferentRoots) {
  two_ranks("ncclBroadcast from roots", [](Rank& rank) {
    ncclBroadcast(rank.x.data(), rank.x.data(), 3, ncclFloat32, rank.rank, rank.comm, rank.stream);
    settled(rank.comm);
  });
}

TEST_F(PlantedInNccl, DifferentFunctions) {
  two_ranks("at the same place", [](Rank& rank) {
    if (rank.rank == 0) return rank.all_reduce(3);
    ncclBroadcast(rank.x.data(), rank.x.data(), 3, ncclFloat32, 0, rank.comm, rank.stream);
    settled(rank.comm);
  });
}

/// One rank calls once more than the other: a device waits for ever.
TEST_F(PlantedInNccl, ACallThatTheOthersDoNotMake) {
  const test::ScopedVariable patience("VAE_MODEL_PATIENCE", "0.05");
  two_ranks("ncclAllReduce: waits for something that does not come", [](Rank& rank) {
    rank.all_reduce(3);
    if (rank.rank == 1) return;
    rank.all_reduce(3);
    EXPECT_EQ(cudaStreamSynchronize(rank.stream), cudaErrorIllegalAddress);
  });
}

TEST_F(PlantedInNccl, RecordedOnOneRankAlone) {
  two_ranks("in a graph and without one", [](Rank& rank) {
    if (rank.rank == 0) return rank.all_reduce(3);
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t executable = nullptr;
    EXPECT_EQ(cudaStreamBeginCapture(rank.stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    rank.all_reduce(3);
    EXPECT_EQ(cudaStreamEndCapture(rank.stream, &graph), cudaSuccess);
    EXPECT_EQ(cudaGraphInstantiateWithFlags(&executable, graph, 0), cudaSuccess);
    cudaGraphLaunch(executable, rank.stream);
    cudaGraphExecDestroy(executable);
    cudaGraphDestroy(graph);
  });
}

TEST_F(PlantedInNccl, ABufferThatIsTooSmall) {
  one_rank("what is sent has 16 bytes, 12 are left",
           [](Rank& rank) { EXPECT_EQ(reduce(rank, rank.x.data(), rank.x.data(), 4), ncclInvalidArgument); });
}

TEST_F(PlantedInNccl, ABufferOfAnotherDevice) {
  one_rank("what is received is in the memory of device 1", [](Rank& rank) {
    void* far = model::allocate(1, 12);
    EXPECT_EQ(reduce(rank, rank.x.data(), far, 3), ncclInvalidArgument);
    model::release(far);
  });
}

TEST_F(PlantedInNccl, ABufferOfTheHost) {
  one_rank("what is sent is not in device memory", [](Rank& rank) {
    const float host[3] = {};
    EXPECT_EQ(reduce(rank, host, rank.x.data(), 3), ncclInvalidArgument);
  });
}

TEST_F(PlantedInNccl, ABufferThatIsFreedMeanwhile) {
  one_rank("what is sent is in memory that is not allocated", [](Rank& rank) {
    void* freed = model::allocate(0, 12);
    EXPECT_EQ(reduce(rank, freed, rank.x.data(), 3), ncclInProgress);
    EXPECT_EQ(settled(rank.comm), ncclSuccess);
    model::release(freed);
    EXPECT_EQ(cudaStreamSynchronize(rank.stream), cudaErrorIllegalAddress);
  });
}

TEST_F(PlantedInNccl, AnOverlapThatIsNotInPlace) {
  one_rank("overlaps what is received, not in place", [](Rank& rank) {
    EXPECT_EQ(reduce(rank, rank.x.data(), rank.x.data() + 1, 2), ncclInvalidArgument);
  });
}

TEST_F(PlantedInNccl, AStreamOfAnotherDevice) {
  one_rank("a stream of another device than 0", [](Rank& rank) {
    cudaSetDevice(1);
    cudaStream_t far = nullptr;
    cudaStreamCreateWithFlags(&far, cudaStreamNonBlocking);
    cudaSetDevice(0);
    EXPECT_EQ(ncclAllReduce(rank.x.data(), rank.x.data(), 3, ncclFloat32, ncclSum, rank.comm, far),
              ncclInvalidArgument);
  });
}

TEST_F(PlantedInNccl, ACallBeforeAllRanksAreThere) {
  cudaSetDevice(0);
  const test::DeviceArray<float> x({1});
  ncclComm_t comm = test::join(id_, 2, 0);
  EXPECT_EQ(ncclAllReduce(x.data(), x.data(), 1, ncclFloat32, ncclSum, comm, nullptr), ncclInvalidUsage);
  expect_violation("the communicator is not ready");
  ncclCommAbort(comm);
}

TEST_F(PlantedInNccl, ACallWhileAnotherIsInProgress) {
  one_rank("the call before is in progress", [](Rank& rank) {
    EXPECT_EQ(reduce(rank, rank.x.data(), rank.x.data(), 3), ncclInProgress);
    EXPECT_EQ(reduce(rank, rank.x.data(), rank.x.data(), 3), ncclInvalidUsage);
    EXPECT_EQ(settled(rank.comm), ncclSuccess);
  });
}

/// Work that does not wait for a stream beside it reads sums that are not there.
TEST_F(PlantedInNccl, AStreamThatIsNotJoined) {
  one_rank("the destination is used by work that is queued on another stream", [](Rank& rank) {
    rank.all_reduce(3);
    cudaMemsetAsync(rank.x.data(), 0, 4, nullptr);
  });
}

TEST_F(PlantedInNccl, WorkBesideItOnOtherBytesIsFine) {
  with_ranks(1, [](Rank& rank) {
    rank.all_reduce(2);
    EXPECT_EQ(cudaMemsetAsync(rank.x.data() + 2, 0, 4, nullptr), cudaSuccess);
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  });
}

/// The same within a recorded step.
TEST_F(PlantedInNccl, AStreamThatIsNotJoinedInARecording) {
  for (const bool touched : {false, true}) {
    ASSERT_EQ(ncclGetUniqueId(&id_), ncclSuccess);
    with_ranks(1, [touched](Rank& rank) {
      cudaStream_t compute = nullptr;
      cudaEvent_t fork = nullptr;
      cudaGraph_t graph = nullptr;
      ASSERT_EQ(cudaStreamCreateWithFlags(&compute, cudaStreamNonBlocking), cudaSuccess);
      ASSERT_EQ(cudaEventCreateWithFlags(&fork, cudaEventDisableTiming), cudaSuccess);
      ASSERT_EQ(cudaStreamBeginCapture(compute, cudaStreamCaptureModeThreadLocal), cudaSuccess);
      EXPECT_EQ(cudaEventRecord(fork, compute), cudaSuccess);
      EXPECT_EQ(cudaStreamWaitEvent(rank.stream, fork, 0), cudaSuccess);
      rank.all_reduce(3);
      if (touched) cudaMemsetAsync(rank.x.data(), 0, 4, compute);
      EXPECT_EQ(cudaStreamEndCapture(compute, &graph), cudaErrorStreamCaptureUnjoined);
    });
    if (touched)
      expect_violation("the destination is used by work that is recorded on another stream");
    else
      EXPECT_TRUE(model::violations().empty());
  }
}

TEST_F(PlantedInNccl, ACaptureThatForbidsOtherThreadsTheirCalls) {
  one_rank("it is to be thread-local", [](Rank& rank) {
    cudaGraph_t graph = nullptr;
    EXPECT_EQ(cudaStreamBeginCapture(rank.stream, cudaStreamCaptureModeGlobal), cudaSuccess);
    EXPECT_EQ(reduce(rank, rank.x.data(), rank.x.data(), 3), ncclInvalidUsage);
    EXPECT_EQ(cudaStreamEndCapture(rank.stream, &graph), cudaSuccess);
    cudaGraphDestroy(graph);
  });
}

TEST_F(PlantedInNccl, ACallAfterTheAbort) {
  one_rank("the communicator was aborted", [](Rank& rank) {
    EXPECT_EQ(ncclCommAbort(rank.comm), ncclSuccess);
    EXPECT_EQ(reduce(rank, rank.x.data(), rank.x.data(), 3), ncclInvalidUsage);
  });
}

TEST_F(PlantedInNccl, ACallAfterTheEnd) {
  one_rank("the communicator was destroyed", [](Rank& rank) {
    rank.leave();
    EXPECT_EQ(ncclCommAbort(rank.comm), ncclInvalidUsage);
  });
}

TEST_F(PlantedInNccl, AnEndWithoutFinalize) {
  one_rank("the communicator is not finalized",
           [](Rank& rank) { EXPECT_EQ(ncclCommDestroy(rank.comm), ncclInvalidUsage); });
}

TEST_F(PlantedInNccl, AnEndBeforeThatOfAGraph) {
  with_ranks(1, [this](Rank& rank) {
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t executable = nullptr;
    EXPECT_EQ(cudaStreamBeginCapture(rank.stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    rank.all_reduce(3);
    EXPECT_EQ(cudaStreamEndCapture(rank.stream, &graph), cudaSuccess);
    EXPECT_EQ(cudaGraphInstantiateWithFlags(&executable, graph, 0), cudaSuccess);
    EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
    EXPECT_EQ(ncclCommFinalize(rank.comm), ncclInvalidUsage);
    expect_violation("a graph that holds calls of the communicator lives");
    EXPECT_EQ(ncclCommAbort(rank.comm), ncclSuccess);
    cudaGraphLaunch(executable, rank.stream);
    expect_violation("a graph calls a communicator that has ended");
    EXPECT_EQ(cudaGraphExecDestroy(executable), cudaSuccess);
  });
}

TEST_F(PlantedInNccl, AnIdThatNobodyMade) {
  cudaSetDevice(0);
  const ncclUniqueId made_up{};
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  ncclComm_t comm = nullptr;
  EXPECT_EQ(ncclCommInitRankConfig(&comm, 1, made_up, 0, &config), ncclInvalidUsage);
  expect_violation("nobody made this id");
}

TEST_F(PlantedInNccl, ARankThatComesTwice) {
  cudaSetDevice(0);
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  ncclComm_t comm = test::join(id_, 2, 0), again = nullptr;
  EXPECT_EQ(ncclCommInitRankConfig(&again, 2, id_, 0, &config), ncclInvalidUsage);
  expect_violation("rank 0 has come before");
  EXPECT_EQ(ncclCommAbort(comm), ncclSuccess);
}

}  // namespace
}  // namespace vae
