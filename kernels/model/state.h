#pragma once
// What the parts of the model share: its lock, devices, streams and allocations. Used under the lock.
#include <cuda_runtime_api.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "kernels/model/heap.h"
#include "kernels/simt/memory.h"

namespace vae::model {

constexpr int kMaxDevices = 8;

std::recursive_mutex& mutex();

struct Allocation {
  std::byte* begin = nullptr;
  size_t bytes = 0;
  int device = 0;
  uint64_t number = 0;  ///< of all allocations, so that another one at the same address is told apart
  const void* stream = nullptr;  ///< whose queued work uses it, while there is any:
  int64_t queued = 0;            ///< so many operands
};

/// The live allocation that holds an address or ends there; null: none.
Allocation* allocation_of(const void* pointer);
simt::Arena& arena(int device);

/// Work with its arguments, queued or recorded.
struct Piece {
  std::string name;
  int device = 0;
  std::vector<Operand> operands;
  std::vector<uint64_t> allocations;  ///< the number of that of each operand when it was named
  std::function<void()> work;
};
using Work = std::shared_ptr<const Piece>;

Work piece_of(int device, std::string name, std::vector<Operand> operands, std::function<void()> work);
/// What is wrong with a piece now; empty if nothing is.
std::string fault_of(const Piece& piece);

/// Where an event stands in its stream.
struct Mark {
  bool captured = false, done = false;
  cudaStream_t stream = nullptr;
  std::chrono::steady_clock::time_point time{};
};

cudaError_t queue_on(cudaStream_t stream, Work work);
/// Runs what is queued on a stream, all of it or until it is far enough; on all streams of a device.
void run_stream(cudaStream_t stream, const std::function<bool()>& far_enough = {});
void run_device(int device);

/// The error that broke a device, or cudaSuccess.
cudaError_t& broken(int device);
/// All devices as new, but for what is allocated, their streams and events.
void mend_devices();
/// That of the calling thread.
void forget_last_error();
void mark_context(int device);

/// Streams of a device, its null stream first.
std::vector<cudaStream_t> streams_of(int device);
cudaStream_t null_stream(int device);
/// The stream of a handle; null: none of ours.
cudaStream_t resolve(cudaStream_t stream);
cudaStream_t new_stream(int device);

/// Ends the captures that a call conflicts with: later calls find them invalidated.
void invalidate(cudaStream_t stream);

}  // namespace vae::model

struct CUstream_st {
  int device = 0;
  std::deque<vae::model::Work> waiting;
  cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  std::thread::id capturer;
  std::vector<vae::model::Work> captured;
};

struct CUevent_st {
  int device = 0;
  std::shared_ptr<vae::model::Mark> mark;
};
