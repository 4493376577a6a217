#include "kernels/model/heap.h"

#include <fmt/format.h>

#include <array>
#include <map>

#include "kernels/model/state.h"
#include "tensor/error.h"

namespace vae::model {
namespace {

constexpr size_t kAlignment = 256;  // of cudaMalloc

std::map<const std::byte*, Allocation>& allocations() {
  static auto* allocations = new std::map<const std::byte*, Allocation>;
  return *allocations;
}

std::array<size_t, kMaxDevices> g_used{};
std::array<std::unique_ptr<simt::Arena>, kMaxDevices>& arenas() {
  static auto* arenas = new std::array<std::unique_ptr<simt::Arena>, kMaxDevices>;
  return *arenas;
}

size_t rounded(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

simt::Arena& arena(int device) {
  auto& slot = arenas()[static_cast<size_t>(device)];
  if (!slot) slot = std::make_unique<simt::Arena>();
  return *slot;
}

void* allocate(int device, size_t bytes) {
  const std::lock_guard lock(mutex());
  static uint64_t number = 0;
  const size_t size = rounded(bytes);
  if (size < bytes || size > free_bytes(device)) return nullptr;
  void* pointer = arena(device).allocate(size);
  if (!pointer) return nullptr;
  arena(device).prepare(pointer, bytes);
  auto* begin = static_cast<std::byte*>(pointer);
  allocations()[begin] = {begin, bytes, device, ++number};
  g_used[static_cast<size_t>(device)] += size;
  return pointer;
}

bool release(void* pointer) {
  const std::lock_guard lock(mutex());
  const auto found = allocations().find(static_cast<std::byte*>(pointer));
  if (found == allocations().end()) return false;
  const Allocation& gone = found->second;
  arena(gone.device).prepare(pointer, gone.bytes);  // who reads it from now on reads NaN
  arena(gone.device).release(pointer);
  g_used[static_cast<size_t>(gone.device)] -= rounded(gone.bytes);
  allocations().erase(found);
  return true;
}

size_t free_bytes(int device) { return kDeviceBytes - g_used[static_cast<size_t>(device)]; }

int device_of_address(const void* pointer) {
  for (int device = 0; device < kMaxDevices; ++device)
    if (const auto& arena = arenas()[static_cast<size_t>(device)]; arena && arena->holds(pointer))
      return device;
  return -1;
}

Allocation* allocation_of(const void* pointer) {
  const auto* address = static_cast<const std::byte*>(pointer);
  auto after = allocations().upper_bound(address);
  if (after == allocations().begin()) return nullptr;
  Allocation& candidate = (--after)->second;
  return address <= candidate.begin + candidate.bytes ? &candidate : nullptr;
}

std::string fault_of(const Operand& operand, int device) {
  const std::lock_guard lock(mutex());
  if (!operand.pointer)
    return operand.bytes == 0 ? "" : fmt::format("{} of {} bytes is null", operand.what, operand.bytes);
  const int home = device_of_address(operand.pointer);
  if (home < 0) return fmt::format("{} is not in device memory", operand.what);
  if (home != device)
    return fmt::format("{} is in the memory of device {}, the work is on {}", operand.what, home, device);
  const Allocation* allocation = allocation_of(operand.pointer);
  if (!allocation) return fmt::format("{} is in memory that is not allocated", operand.what);
  const auto left = static_cast<size_t>(allocation->begin + allocation->bytes -
                                        static_cast<const std::byte*>(operand.pointer));
  if (operand.bytes > left)
    return fmt::format("{} has {} bytes, {} are left of its allocation of {}", operand.what, operand.bytes,
                       left, allocation->bytes);
  return "";
}

void check_range(const void* pointer, size_t bytes, int device, const char* what) {
  const std::string fault = fault_of(Operand{pointer, bytes, what}, device);
  if (!fault.empty()) fail(ErrorKind::device, "{}", fault);
}

void poison(void* pointer, size_t bytes) {
  auto* begin = static_cast<std::byte*>(pointer);
  simt::poison(begin, begin + bytes);
}

}  // namespace vae::model
