#pragma once
// What a device must be able to do: raw memory, copies, fill, synchronise. One object per device type; the
// CUDA one is absent (null) in builds without CUDA.
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tensor/device.h"

namespace vae {

/// Work recorded once, to be queued again as a whole.
class RecordedWork {
 public:
  virtual ~RecordedWork() = default;
  virtual void replay() = 0;
};

class DeviceRuntime {
 public:
  virtual ~DeviceRuntime() = default;
  virtual int count() const = 0;
  /// Why count() is 0, in a few words; empty where there is nothing to say.
  virtual std::string why_none() const { return {}; }
  /// The model of a device, as its maker calls it.
  virtual std::string name(int index) const = 0;
  /// Bytes of memory that this process can still have there; none where the device does not say.
  virtual std::optional<double> free_bytes(int /*index*/) const { return {}; }
  /// Raw memory, aligned to 64 bytes at least; nullptr when there is none left.
  virtual void* allocate(int index, size_t bytes) = 0;
  virtual void release(int index, void* pointer) = 0;
  virtual void copy_from_host(int index, void* to, const void* from, size_t bytes) = 0;
  virtual void copy_to_host(int index, void* to, const void* from, size_t bytes) = 0;
  virtual void copy_on_device(int index, void* to, const void* from, size_t bytes) = 0;
  virtual void fill_zero(int index, void* to, size_t bytes) = 0;
  /// Called when a block is handed out, new or again, of which `bytes` bytes are wanted.
  virtual void prepare(int /*index*/, void* /*pointer*/, size_t /*bytes*/) {}
  /// Waits for all work queued on the device; throws Error(device) if any of it failed.
  virtual void synchronize(int index) = 0;
  /// Milliseconds that the device takes for the work that `queue` queues on it, once it is idle.
  virtual double time_ms(int index, const std::function<void()>& queue);
  /// Remembers the work that `queue` queues on the device instead of running it. Throws what `queue` throws,
  /// and Error(device) where it does what cannot be repeated: a copy between host and device, a wait.
  virtual std::unique_ptr<RecordedWork> record(int index, const std::function<void()>& queue);
};

/// The runtime of a device type; throws Error(device) where this build has none.
DeviceRuntime& runtime(DeviceType type);

/// Whether VAE_SYNC=1 in the environment asks for every kernel to be waited for and checked.
bool sync_launches();

/// Waits for all work queued on the device.
void synchronize(Device device);

/// Copies bytes between any two places; host to host included.
void copy_bytes(void* to, Device to_device, const void* from, Device from_device, size_t bytes);

namespace detail {
DeviceRuntime* host_runtime();
DeviceRuntime* cuda_runtime();  // null without CUDA in the build
DeviceRuntime* simt_runtime();  // null unless the program links the emulator
}  // namespace detail

}  // namespace vae
