#pragma once
// Memory of the model's devices: guarded, filled with NaN, closed to the host except while queued work runs.
#include <cstddef>
#include <cstdint>
#include <string>

namespace vae::model {

/// Bytes that queued work reads or writes. `what` names them: "x", "workspace". A null pointer to 0 bytes is
/// fine.
struct Operand {
  const void* pointer = nullptr;
  size_t bytes = 0;
  const char* what = "";
};

/// Bytes that each device has.
constexpr size_t kDeviceBytes = size_t{8} << 30;

/// Memory of a device; null where it has no more.
void* allocate(int device, size_t bytes);
/// Gives an allocation back; false where the pointer is not the beginning of one.
bool release(void* pointer);
size_t free_bytes(int device);
/// The device of an address that lies in a heap, allocated or not; -1 for any other address.
int device_of_address(const void* pointer);

/// What is wrong with an operand of work of a device: not in a live allocation, of another device, beyond its
/// end; empty if nothing is.
std::string fault_of(const Operand& operand, int device);
/// Throws Error(device) where fault_of() finds something; for work that runs.
void check_range(const void* pointer, size_t bytes, int device, const char* what);

/// Fills device memory with NaN; for work that runs, on a workspace before it is used.
void poison(void* pointer, size_t bytes);

}  // namespace vae::model
