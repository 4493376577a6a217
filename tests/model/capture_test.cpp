// Capture and graphs of the model: what joins a recording, what breaks it, and what a replay writes.
#include <thread>

#include "kernels/model/stream.h"
#include "tests/model/vendor.h"

namespace vae {
namespace {

/// A stream and two arrays; a graph of what is queued between begin() and end().
class Capture : public test::Vendor {
 protected:
  void SetUp() override {
    ASSERT_EQ(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), cudaSuccess);
  }
  void TearDown() override {
    if (model::capturing(stream_)) end();
    if (graph_) cudaGraphDestroy(graph_);
    if (executable_) cudaGraphExecDestroy(executable_);
    cudaGetLastError();
    Vendor::TearDown();
  }
  void begin(cudaStreamCaptureMode mode = cudaStreamCaptureModeRelaxed) {
    ASSERT_EQ(cudaStreamBeginCapture(stream_, mode), cudaSuccess);
  }
  cudaError_t end() { return cudaStreamEndCapture(stream_, &graph_); }
  cudaError_t copy() {
    return cudaMemcpyAsync(y_.data(), x_.data(), x_.bytes(), cudaMemcpyDeviceToDevice, stream_);
  }
  void make_graph() {
    begin();
    ASSERT_EQ(copy(), cudaSuccess);
    ASSERT_EQ(end(), cudaSuccess);
    ASSERT_EQ(cudaGraphInstantiateWithFlags(&executable_, graph_, 0), cudaSuccess);
  }
  cudaError_t replay() {
    const cudaError_t status = cudaGraphLaunch(executable_, stream_);
    return status == cudaSuccess ? cudaStreamSynchronize(stream_) : status;
  }
  /// The call is refused with a status, and the capture is lost.
  void breaks(cudaError_t status, cudaStreamCaptureMode mode, const std::function<cudaError_t()>& call) {
    begin(mode);
    EXPECT_EQ(copy(), cudaSuccess);
    EXPECT_EQ(call(), status);
    cudaStreamCaptureStatus state{};
    EXPECT_EQ(cudaStreamIsCapturing(stream_, &state), cudaSuccess);
    EXPECT_EQ(state, cudaStreamCaptureStatusInvalidated);
    EXPECT_EQ(copy(), cudaErrorStreamCaptureInvalidated);
    EXPECT_EQ(end(), cudaErrorStreamCaptureInvalidated);
    EXPECT_EQ(graph_, nullptr);
    EXPECT_EQ(copy(), cudaSuccess) << "the stream works again";
    EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  }

  cudaStream_t stream_ = nullptr;
  cudaGraph_t graph_ = nullptr;
  cudaGraphExec_t executable_ = nullptr;
  test::DeviceArray<float> x_{{1, 2, 3}}, y_{{0, 0, 0}};
};

TEST_F(Capture, WorkIsRecordedAndNotRun) {
  make_graph();
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  EXPECT_EQ(y_.values()[0], 0);
  EXPECT_EQ(replay(), cudaSuccess);
  EXPECT_EQ(y_.values(), (std::vector<double>{1, 2, 3}));
  const std::vector<float> next{4, 5, 6};
  cudaMemcpyAsync(x_.data(), next.data(), x_.bytes(), cudaMemcpyHostToDevice, stream_);
  EXPECT_EQ(cudaGraphLaunch(executable_, stream_), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  EXPECT_EQ(y_.values(), (std::vector<double>{4, 5, 6})) << "what the memory holds now";
}

TEST_F(Capture, WaitingBreaksIt) {
  const auto mode = cudaStreamCaptureModeRelaxed;
  breaks(cudaErrorStreamCaptureUnsupported, mode, [&] { return cudaStreamSynchronize(stream_); });
  breaks(cudaErrorStreamCaptureUnsupported, mode, [&] { return cudaDeviceSynchronize(); });
}

TEST_F(Capture, CopiesOfPageableMemoryBreakIt) {
  float host[3] = {};
  const auto mode = cudaStreamCaptureModeRelaxed;
  breaks(cudaErrorStreamCaptureUnsupported, mode,
         [&] { return cudaMemcpyAsync(host, x_.data(), x_.bytes(), cudaMemcpyDeviceToHost, stream_); });
  breaks(cudaErrorStreamCaptureUnsupported, mode,
         [&] { return cudaMemcpyAsync(x_.data(), host, x_.bytes(), cudaMemcpyHostToDevice, stream_); });
}

TEST_F(Capture, AllocationBreaksItUnlessItIsRelaxed) {
  void* memory = nullptr;
  breaks(cudaErrorStreamCaptureUnsupported, cudaStreamCaptureModeGlobal,
         [&] { return cudaMalloc(&memory, 8); });
  breaks(cudaErrorStreamCaptureUnsupported, cudaStreamCaptureModeThreadLocal,
         [&] { return cudaFree(y_.data()); });
  begin();
  EXPECT_EQ(cudaMalloc(&memory, 8), cudaSuccess);
  EXPECT_EQ(end(), cudaSuccess);
  EXPECT_EQ(cudaFree(memory), cudaSuccess);
}

TEST_F(Capture, EventsOfARecordingCannotBeWaitedFor) {
  cudaEvent_t event = nullptr;
  float ms = 0;
  ASSERT_EQ(cudaEventCreate(&event), cudaSuccess);
  begin();
  EXPECT_EQ(cudaEventRecord(event, stream_), cudaSuccess);
  EXPECT_EQ(cudaEventSynchronize(event), cudaErrorCapturedEvent);
  EXPECT_EQ(cudaEventElapsedTime(&ms, event, event), cudaErrorCapturedEvent);
  EXPECT_EQ(end(), cudaSuccess);
  EXPECT_EQ(cudaEventDestroy(event), cudaSuccess);
}

TEST_F(Capture, BeginsOnceOnAStreamOfOnesOwnAndEndsWhereItBegan) {
  EXPECT_EQ(cudaStreamBeginCapture(nullptr, cudaStreamCaptureModeRelaxed), cudaErrorStreamCaptureUnsupported);
  EXPECT_EQ(end(), cudaErrorIllegalState) << "nothing is recorded";
  begin(cudaStreamCaptureModeThreadLocal);
  EXPECT_EQ(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeRelaxed), cudaErrorIllegalState);
  std::thread([&] { EXPECT_EQ(end(), cudaErrorStreamCaptureWrongThread); }).join();
  EXPECT_EQ(end(), cudaSuccess);
}

TEST_F(Capture, AGraphInsideARecordingIsPartOfIt) {
  make_graph();
  begin();
  EXPECT_EQ(cudaGraphLaunch(executable_, stream_), cudaSuccess);
  cudaGraph_t outer = nullptr;
  cudaGraphExec_t twice = nullptr;
  EXPECT_EQ(cudaStreamEndCapture(stream_, &outer), cudaSuccess);
  EXPECT_EQ(cudaGraphInstantiateWithFlags(&twice, outer, 0), cudaSuccess);
  EXPECT_EQ(y_.values()[0], 0);
  EXPECT_EQ(cudaGraphLaunch(twice, stream_), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(outer), cudaSuccess);
  EXPECT_EQ(cudaGraphExecDestroy(twice), cudaSuccess) << "what is queued still runs";
  EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  EXPECT_EQ(y_.values()[0], 1);
  EXPECT_EQ(cudaGraphLaunch(twice, stream_), cudaErrorInvalidValue);
}

}  // namespace
}  // namespace vae
