#pragma once
// Memory of the device `simt`: one range of addresses that the host cannot touch, except while a kernel or a
// copy runs. What is handed out is filled with NaN, and stands between red zones.
#include <cstddef>

namespace vae::simt {

/// Opens the memory of the device to the calling thread for the life of the object; others wait. May be
/// nested.
class Unlocked {
 public:
  Unlocked();
  ~Unlocked();
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;
};

/// A buffer aligned to 64 bytes; null when there are no addresses left.
void* allocate(size_t bytes);
void release(void* buffer);
/// Fills a buffer with NaN and watches what lies around its first `bytes` bytes.
void prepare(void* buffer, size_t bytes);

/// Throws Error(device) naming the kernel if a watched byte was written, and mends it.
void check_red_zones(const char* kernel);

}  // namespace vae::simt
