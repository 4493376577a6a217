#include "kernels/model/stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

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

/// Calls use(allocation, bytes of it) for each operand of a piece that lies in the allocation it was named
/// in.
void for_touches(const Piece& piece, cudaStream_t stream, uint64_t number,
                 const std::function<void(Allocation&, const Operand&, const Touch&)>& use) {
  for (size_t i = 0; i < piece.operands.size(); ++i) {
    const Operand& operand = piece.operands[i];
    Allocation* allocation = allocation_of(operand.pointer);
    if (allocation && allocation->number == piece.allocations[i])
      use(*allocation, operand,
          {static_cast<const std::byte*>(operand.pointer), operand.bytes, stream, number});
  }
}

/// Whether two uses may meet. How far a kernel goes from its address is not known: it may meet another kernel
/// anywhere, and known bytes where its address lies among them.
bool meet(const Touch& a, const Touch& b) {
  if (a.bytes == 0 && b.bytes == 0) return true;
  const auto within = [](const Touch& x, const Touch& range) {
    return x.begin < range.begin + range.bytes && x.begin + std::max<size_t>(x.bytes, 1) > range.begin;
  };
  return a.bytes ? within(b, a) : within(a, b);
}

bool is_behind(const Clock& clock, const Touch& use) {
  const auto found = clock.find(use.stream);
  return found != clock.end() && found->second >= use.piece;
}

/// Adds a use, in place of an earlier one of the same bytes by the same stream.
void add(Touches& uses, const Touch& use) {
  for (Touch& other : uses)
    if (other.stream == use.stream && other.begin == use.begin && other.bytes == use.bytes) {
      other.piece = use.piece;
      return;
    }
  uses.push_back(use);
}

/// An operand that work of another stream uses, which nothing puts before this one.
std::string race_of(const Piece& piece, cudaStream_t stream) {
  std::string race;
  Capture* capture = stream->capture.get();
  const Clock& clock = capture ? capture->lines[stream].behind : stream->behind;
  for_touches(piece, stream, 0, [&](Allocation& allocation, const Operand& operand, const Touch& use) {
    Touches& uses = capture ? capture->uses[allocation.number] : allocation.queued;
    if (!capture) std::erase_if(uses, [](const Touch& other) { return other.piece <= other.stream->done; });
    for (const Touch& other : uses)
      if (race.empty() && other.stream != stream && !is_behind(clock, other) && meet(use, other))
        race = fmt::format("{} is used by work that is {} on another stream", operand.what,
                           capture ? "recorded" : "queued");
  });
  return race;
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
  if (capture_status(stream) == cudaStreamCaptureStatusInvalidated) return cudaErrorStreamCaptureInvalidated;
  std::string fault = fault_of(*work);
  if (fault.empty()) fault = race_of(*work, stream);
  if (!fault.empty()) {
    break_device(*work, fault);
    return cudaSuccess;  // it is found when the work runs: the next call says so
  }
  if (Capture* capture = stream->capture.get()) {
    const uint64_t number = ++capture->lines[stream].pieces;
    for_touches(*work, stream, number, [&](Allocation& allocation, const Operand&, const Touch& use) {
      add(capture->uses[allocation.number], use);
    });
    capture->works.push_back(std::move(work));
    return cudaSuccess;
  }
  const uint64_t number = ++stream->queued;
  for_touches(*work, stream, number,
              [](Allocation& allocation, const Operand&, const Touch& use) { add(allocation.queued, use); });
  Gate gate = work->arrive ? work->arrive(stream) : Gate{};
  stream->waiting.push_back({std::move(work), number, std::move(gate)});
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
  if (stream->waiting.empty() || stream->running) return;
  const simt::Arena::Opened opened(arena(stream->device));  // once for all, mostly
  stream->running = true;
  while (!stream->waiting.empty() && !(far_enough && far_enough())) {
    const CUstream_st::Queued& front = stream->waiting.front();
    if (front.gate && broken(stream->device) == cudaSuccess && !front.gate()) break;
    const CUstream_st::Queued next = std::move(stream->waiting.front());
    stream->waiting.pop_front();
    stream->done = next.piece;
    run(*next.work);
  }
  stream->running = false;
}

void finish_stream(cudaStream_t stream, const std::function<bool()>& far_enough) {
  const char* seconds = std::getenv("VAE_MODEL_PATIENCE");
  const std::chrono::duration<double> patience(seconds ? std::atof(seconds) : 60);
  for (;;) {
    const uint64_t before = stream->done;
    run_stream(stream, far_enough);
    if (stream->waiting.empty() || (far_enough && far_enough())) return;
    if (changed().wait_for(mutex(), patience) == std::cv_status::timeout && stream->done == before &&
        !stream->waiting.empty())
      break_device(*stream->waiting.front().work, "waits for something that does not come");
  }
}

void finish_device(int device) {
  for (cudaStream_t stream : streams_of(device)) finish_stream(stream);
}

Clock behind(cudaStream_t stream) {
  Capture* capture = stream->capture.get();
  Clock clock = capture ? capture->lines[stream].behind : stream->behind;
  clock[stream] = capture ? capture->lines[stream].pieces : stream->queued;
  return clock;
}

void follow(cudaStream_t stream, const Clock& point) {
  Clock& clock = stream->capture ? stream->capture->lines[stream].behind : stream->behind;
  for (const auto& [other, pieces] : point) clock[other] = std::max(clock[other], pieces);
}

cudaError_t& broken(int device) { return state(device).broken; }

void mend_devices() {
  for (int device = 0; device < kMaxDevices; ++device) {
    for (cudaStream_t stream : streams_of(device)) {
      stream->waiting.clear();
      stream->done = stream->queued;
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

bool forget_stream(cudaStream_t handle) { return handles().erase(handle) == 1; }

cudaStream_t resolve(cudaStream_t handle) {
  if (!handle) return null_stream(current_device());
  return handles().contains(handle) ? handle : nullptr;
}

void invalidate(cudaStream_t stream) {
  if (stream->capture) stream->capture->status = cudaStreamCaptureStatusInvalidated;
}

cudaStreamCaptureStatus capture_status(cudaStream_t stream) {
  return stream->capture ? stream->capture->status : cudaStreamCaptureStatusNone;
}

bool capturing(cudaStream_t handle) {
  const std::lock_guard lock(mutex());
  cudaStream_t stream = resolve(handle);
  return stream && stream->capture;
}

int device_of(cudaStream_t handle) {
  const std::lock_guard lock(mutex());
  cudaStream_t stream = resolve(handle);
  return stream ? stream->device : -1;
}

}  // namespace vae::model
