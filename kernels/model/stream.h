#pragma once
// Streams of the model: queues whose work runs as late as the rules allow - when something waits for it - in
// order, with the memory of its device open. While a stream is captured, work joins the capture instead.
#include <driver_types.h>

#include <functional>
#include <string>
#include <vector>

#include "kernels/model/heap.h"

namespace vae::model {

/// Queues work of the stream's device. `name` stands in violations. Operands are checked now and again when
/// the work runs: they must lie in live allocations of the device, the same ones as now, and no work that is
/// queued on another stream may use them. Work that throws Error is a violation, and breaks the device as an
/// illegal access does: every later call for it returns cudaErrorIllegalAddress.
/// Returns cudaErrorInvalidResourceHandle for a stream of another device than the current one or none at all,
/// the status of an invalidated capture, and the error of a broken device.
/// The work must hold its arguments by value.
cudaError_t queue(cudaStream_t stream, std::string name, std::vector<Operand> operands,
                  std::function<void()> work);

/// Whether a stream is being captured; one that is invalidated counts.
bool capturing(cudaStream_t stream);
/// The device of a stream (of the null stream: the current one); -1 for none of ours.
int device_of(cudaStream_t stream);
/// The device that is current on this thread.
int current_device();
/// Whether the process has begun to use a device, which takes it time and memory there.
bool has_context(int device);

}  // namespace vae::model
