#include "tensor/runtime.h"

#include <sys/mman.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string_view>

#include "tensor/control_group.h"
#include "tensor/error.h"
#include "tensor/recorder.h"

namespace vae {
namespace {

constexpr size_t kLine = 64, kHugePage = size_t{2} << 20;

class HostRuntime final : public DeviceRuntime {
 public:
  int count() const override { return 1; }
  std::string name(int) const override {
    const std::string key = "model name\t: ";
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);)
      if (line.starts_with(key)) return line.substr(key.size());
    return "unknown processor";
  }
  std::optional<double> free_bytes(int) const override { return free_memory(); }
  /// Large blocks begin on huge pages, where the system gives them: fewer misses of the address cache.
  void* allocate(int, size_t bytes) override {
    const bool huge = bytes >= kHugePage;
    void* block = nullptr;
    if (::posix_memalign(&block, huge ? kHugePage : kLine, bytes) != 0) return nullptr;
    if (huge) ::madvise(block, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);  // a wish: no matter if refused
    return block;
  }
  void release(int, void* pointer) override { std::free(pointer); }
  void copy_from_host(int, void* to, const void* from, size_t bytes) override {
    std::memcpy(to, from, bytes);
  }
  void copy_to_host(int, void* to, const void* from, size_t bytes) override { std::memcpy(to, from, bytes); }
  void copy_on_device(int, void* to, const void* from, size_t bytes) override {
    std::memcpy(to, from, bytes);
  }
  void fill_zero(int, void* to, size_t bytes) override { std::memset(to, 0, bytes); }
  void synchronize(int) override {}
};

/// What a Recorder took.
class WorkList final : public RecordedWork {
 public:
  explicit WorkList(std::vector<Recorder::Call> calls) : calls_(std::move(calls)) {}
  void replay() override {
    for (const Recorder::Call& call : calls_) call.run();
  }

 private:
  std::vector<Recorder::Call> calls_;
};

DeviceRuntime* find_runtime(DeviceType type) {
  switch (type) {
    case DeviceType::cuda:
      return detail::cuda_runtime();
    case DeviceType::simt:
      return detail::simt_runtime();
    default:
      return detail::host_runtime();
  }
}

}  // namespace

double DeviceRuntime::time_ms(int index, const std::function<void()>& queue) {
  synchronize(index);
  const auto begin = std::chrono::steady_clock::now();
  queue();
  synchronize(index);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

std::unique_ptr<RecordedWork> DeviceRuntime::record(int, const std::function<void()>& queue) {
  Recorder recorder;
  queue();
  return std::make_unique<WorkList>(recorder.take());
}

bool sync_launches() {
  static const bool wait = [] {
    const char* value = std::getenv("VAE_SYNC");
    return value && std::string_view(value) == "1";
  }();
  return wait;
}

DeviceRuntime* detail::host_runtime() {
  static auto* runtime = new HostRuntime;
  return runtime;
}

[[gnu::weak]] DeviceRuntime* detail::simt_runtime() { return nullptr; }

DeviceRuntime& runtime(DeviceType type) {
  DeviceRuntime* found = find_runtime(type);
  if (!found) fail(ErrorKind::device, "this build has no {} backend", name_of(type));
  return *found;
}

int device_count(DeviceType type) {
  DeviceRuntime* found = find_runtime(type);
  return found ? found->count() : 0;
}

void require_device(Device device) {
  const DeviceRuntime& devices = runtime(device.type);
  if (device.index >= 0 && device.index < devices.count()) return;
  const std::string reason = devices.why_none();
  fail(ErrorKind::device, "no device {}: this machine has {} of type {}{}{}", device.str(), devices.count(),
       name_of(device.type), reason.empty() ? "" : ", ", reason);
}

void refuse_recorded_copy(Device device) {
  fail(ErrorKind::device, "a recorded step copies between the host and a tensor on {}", device.str());
}

void require_recordable(const std::string& what, Device device) {
  if (device.is_cpu())
    fail(ErrorKind::device, "a recorded step runs {} on the host, where it is not recorded", what);
}

void synchronize(Device device) { runtime(device.type).synchronize(device.index); }

void copy_bytes(void* to, Device to_device, const void* from, Device from_device, size_t bytes) {
  if (bytes == 0) return;
  if (from_device.is_cpu()) {
    runtime(to_device.type).copy_from_host(to_device.index, to, from, bytes);
  } else if (to_device.is_cpu()) {
    runtime(from_device.type).copy_to_host(from_device.index, to, from, bytes);
  } else {
    VAE_CHECK(to_device == from_device, "no direct copy from {} to {}", from_device.str(), to_device.str());
    runtime(to_device.type).copy_on_device(to_device.index, to, from, bytes);
  }
}

}  // namespace vae
