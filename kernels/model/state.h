#pragma once
// What the parts of the model share: its lock, devices, streams and allocations. Used under the lock.
#include <cuda_runtime_api.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
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
/// Told where work may go on that waited for another thread.
std::condition_variable_any& changed();

/// What is behind a point of a stream: of each stream so many pieces.
using Clock = std::map<cudaStream_t, uint64_t>;

/// Bytes of an allocation that a piece of a stream uses; none: from `begin` on.
struct Touch {
  const std::byte* begin = nullptr;
  size_t bytes = 0;
  cudaStream_t stream = nullptr;
  uint64_t piece = 0;
};
using Touches = std::vector<Touch>;

struct Allocation {
  std::byte* begin = nullptr;
  size_t bytes = 0;
  int device = 0;
  uint64_t number = 0;  ///< of all allocations, so that another one at the same address is told apart
  Touches queued{};     ///< by work that has not run
};

/// The live allocation that holds an address or ends there; null: none.
Allocation* allocation_of(const void* pointer);
simt::Arena& arena(int device);

/// Whether queued work may begin now. It may run other streams to find out, which may make it so.
using Gate = std::function<bool()>;

/// Work with its arguments, queued or recorded.
struct Piece {
  std::string name;
  int device = 0;
  std::vector<Operand> operands;
  std::vector<uint64_t> allocations;  ///< the number of that of each operand when it was named
  std::function<void()> work;
  std::function<Gate(cudaStream_t)> arrive{};  ///< told when it is queued; whether it may begin
};
using Work = std::shared_ptr<const Piece>;

Work piece_of(int device, std::string name, std::vector<Operand> operands, std::function<void()> work);
/// What is wrong with a piece now; empty if nothing is.
std::string fault_of(const Piece& piece);

/// A capture: what the streams that take part in it have queued, in the order of the calls.
struct Capture {
  struct Line {
    uint64_t pieces = 0;
    Clock behind;
  };
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusActive;
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  cudaStream_t origin = nullptr;
  std::thread::id capturer;
  std::vector<Work> works;
  std::map<cudaStream_t, Line> lines;  ///< of the origin, and of streams that have waited for it
  std::map<uint64_t, Touches> uses;    ///< by the number of the allocation
};

/// Where an event stands in its stream.
struct Mark {
  bool done = false;
  cudaStream_t stream = nullptr;
  std::shared_ptr<Capture> capture;  ///< in which it was recorded
  Clock behind;
  std::chrono::steady_clock::time_point time{};
};

cudaError_t queue_on(cudaStream_t stream, Work work);
/// Runs what is queued on a stream, all of it or until it is far enough; on all streams of a device. Stops at
/// work that waits for another thread.
void run_stream(cudaStream_t stream, const std::function<bool()>& far_enough = {});
/// The same, and waits for the other threads with the lock given back, which the caller holds once. Where
/// nothing comes for VAE_MODEL_PATIENCE seconds (60), that is a violation and breaks the device.
void finish_stream(cudaStream_t stream, const std::function<bool()>& far_enough = {});
void finish_device(int device);
/// The point behind all that is queued on a stream.
Clock behind(cudaStream_t stream);
/// Work of a stream from now on comes after such a point. In a capture it is a point of the same one.
void follow(cudaStream_t stream, const Clock& point);

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
/// The handle is one no longer; false where it was none.
bool forget_stream(cudaStream_t handle);

/// Breaks the capture in which a stream takes part: later calls find it invalidated.
void invalidate(cudaStream_t stream);
/// What allocations and queries do to captures that are not relaxed.
cudaError_t unsafe_during_capture();
/// That of the capture of a stream.
cudaStreamCaptureStatus capture_status(cudaStream_t stream);

}  // namespace vae::model

struct CUstream_st {
  struct Queued {
    vae::model::Work work;
    uint64_t piece = 0;
    vae::model::Gate gate{};
  };
  int device = 0;
  std::deque<Queued> waiting;
  uint64_t queued = 0, done = 0;  ///< pieces
  vae::model::Clock behind;
  bool running = false;
  std::shared_ptr<vae::model::Capture> capture;
};

struct CUevent_st {
  int device = 0;
  bool timed = true;
  std::shared_ptr<vae::model::Mark> mark;
};
