#include "kernels/model/stream.h"

#include <fmt/format.h>

#include <array>

#include "kernels/model/calls.h"
#include "kernels/model/state.h"
#include "tensor/error.h"

namespace vae::model {
namespace {

constexpr size_t kDepth = 4096;  // a real queue is not endless either: beyond so much work a launch waits

struct DeviceState {
  cudaError_t broken = cudaSuccess;
  bool context = false;
  std::vector<std::unique_ptr<CUstream_st>> streams;  // the null stream is the first
};

DeviceState& state(int device) {
  static auto* states = new std::array<DeviceState, kMaxDevices>;
  DeviceState& state = states->at(static_cast<size_t>(device));
  if (state.streams.empty()) {
    state.streams.push_back(std::make_unique<CUstream_st>());
    state.streams.front()->device = device;
  }
  return state;
}

/// The streams that were made, which the null streams are not.
std::set<cudaStream_t>& handles() {
  static auto* handles = new std::set<cudaStream_t>;
  return *handles;
}

void break_device(const Piece& piece, const std::string& why) {
  violate(fmt::format("device {}, {}: {}", piece.device, piece.name, why));
  broken(piece.device) = cudaErrorIllegalAddress;
}

/// Counts the operands of queued work at their allocations, or takes them back.
void count(const Piece& piece, const void* stream, int64_t by) {
  for (size_t i = 0; i < piece.operands.size(); ++i) {
    Allocation* allocation = allocation_of(piece.operands[i].pointer);
    if (!allocation || allocation->number != piece.allocations[i]) continue;
    allocation->queued += by;
    allocation->stream = stream;
  }
}

/// An operand that queued work of another stream uses.
std::string race_of(const Piece& piece, const void* stream) {
  for (const Operand& operand : piece.operands) {
    const Allocation* allocation = allocation_of(operand.pointer);
    if (allocation && allocation->queued > 0 && allocation->stream != stream)
      return fmt::format("{} is used by work that is queued on another stream", operand.what);
  }
  return "";
}

void run(const Piece& piece) {
  if (broken(piece.device) != cudaSuccess) return;
  if (const std::string fault = fault_of(piece); !fault.empty()) return break_device(piece, fault);
  const simt::Arena::Opened opened(arena(piece.device));
  try {
    piece.work();
    if (!piece.operands.empty()) arena(piece.device).check_red_zones(piece.name.c_str());
  } catch (const Error& error) {
    break_device(piece, error.what());
  }
}

}  // namespace

Work piece_of(int device, std::string name, std::vector<Operand> operands, std::function<void()> work) {
  auto piece = std::make_shared<Piece>();
  for (const Operand& operand : operands) {
    const Allocation* allocation = allocation_of(operand.pointer);
    piece->allocations.push_back(allocation ? allocation->number : 0);
  }
  piece->name = std::move(name), piece->device = device;
  piece->operands = std::move(operands), piece->work = std::move(work);
  return piece;
}

std::string fault_of(const Piece& piece) {
  for (size_t i = 0; i < piece.operands.size(); ++i) {
    const Operand& operand = piece.operands[i];
    if (std::string fault = fault_of(operand, piece.device); !fault.empty()) return fault;
    const Allocation* allocation = allocation_of(operand.pointer);
    if (allocation && allocation->number != piece.allocations[i])
      return fmt::format("{} lies in memory that was freed since the work was queued or recorded",
                         operand.what);
  }
  return "";
}

cudaError_t queue_on(cudaStream_t stream, Work work) {
  if (cudaError_t error = broken(work->device); error != cudaSuccess) return error;
  if (stream->capture == cudaStreamCaptureStatusInvalidated) return cudaErrorStreamCaptureInvalidated;
  if (std::string fault = fault_of(*work); !fault.empty()) {
    break_device(*work, fault);
    return cudaSuccess;  // it is found when the work runs: the next call says so
  }
  if (stream->capture == cudaStreamCaptureStatusActive) {
    stream->captured.push_back(std::move(work));
    return cudaSuccess;
  }
  if (std::string race = race_of(*work, stream); !race.empty()) {
    break_device(*work, race);
    return cudaSuccess;
  }
  count(*work, stream, 1);
  stream->waiting.push_back(std::move(work));
  if (stream->waiting.size() > kDepth) run_stream(stream);
  return cudaSuccess;
}

cudaError_t queue(cudaStream_t handle, std::string name, std::vector<Operand> operands,
                  std::function<void()> work) {
  const std::lock_guard lock(mutex());
  cudaStream_t stream = resolve(handle);
  if (!stream || stream->device != current_device()) return cudaErrorInvalidResourceHandle;
  return queue_on(stream, piece_of(stream->device, std::move(name), std::move(operands), std::move(work)));
}

void run_stream(cudaStream_t stream, const std::function<bool()>& far_enough) {
  if (stream->waiting.empty()) return;
  const simt::Arena::Opened opened(arena(stream->device));  // once for all, mostly
  while (!stream->waiting.empty() && !(far_enough && far_enough())) {
    const Work work = std::move(stream->waiting.front());
    stream->waiting.pop_front();
    count(*work, stream, -1);
    run(*work);
  }
}

void run_device(int device) {
  for (cudaStream_t stream : streams_of(device)) run_stream(stream);
}

cudaError_t& broken(int device) { return state(device).broken; }

void mend_devices() {
  for (int device = 0; device < kMaxDevices; ++device) {
    for (cudaStream_t stream : streams_of(device)) {
      for (const Work& work : stream->waiting) count(*work, stream, -1);
      stream->waiting.clear();
    }
    broken(device) = cudaSuccess;
  }
}

void mark_context(int device) { state(device).context = true; }
bool has_context(int device) { return state(device).context; }

std::vector<cudaStream_t> streams_of(int device) {
  std::vector<cudaStream_t> streams;
  for (const auto& stream : state(device).streams) streams.push_back(stream.get());
  return streams;
}

cudaStream_t null_stream(int device) { return state(device).streams.front().get(); }

cudaStream_t new_stream(int device) {
  auto& streams = state(device).streams;
  streams.push_back(std::make_unique<CUstream_st>());
  streams.back()->device = device;
  handles().insert(streams.back().get());
  return streams.back().get();
}

cudaStream_t resolve(cudaStream_t handle) {
  if (!handle) return null_stream(current_device());
  return handles().contains(handle) ? handle : nullptr;
}

void invalidate(cudaStream_t stream) {
  if (stream->capture == cudaStreamCaptureStatusActive) stream->capture = cudaStreamCaptureStatusInvalidated;
}

bool capturing(cudaStream_t handle) {
  const std::lock_guard lock(mutex());
  cudaStream_t stream = resolve(handle);
  return stream && stream->capture != cudaStreamCaptureStatusNone;
}

int device_of(cudaStream_t handle) {
  const std::lock_guard lock(mutex());
  cudaStream_t stream = resolve(handle);
  return stream ? stream->device : -1;
}

}  // namespace vae::model
