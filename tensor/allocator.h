#pragma once
// Caching allocator: one policy for every device over DeviceRuntime's raw memory. Freed blocks are kept by
// size class and handed out again, so a steady-state training step performs no raw allocation.
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "tensor/runtime.h"

namespace vae {

struct AllocatorStats {
  size_t live_bytes = 0;       ///< handed out now
  size_t cached_bytes = 0;     ///< kept for reuse
  size_t peak_bytes = 0;       ///< highest live_bytes since reset_peak()
  size_t raw_allocations = 0;  ///< calls that reached the runtime
};

class MemoryPool;

class CachingAllocator {
 public:
  explicit CachingAllocator(Device device) : device_(device) {}

  /// A block of at least `bytes` bytes (0 gives nullptr). Throws Error(device) naming the figures when the
  /// limit or the device is exhausted even after trimming the cache.
  void* allocate(size_t bytes);
  /// Returns a block obtained with the same `bytes`.
  void release(void* pointer, size_t bytes) noexcept;
  /// Gives all cached blocks back to the device.
  void trim();
  /// Upper bound for live + cached bytes; 0 means none.
  void set_limit(size_t bytes);
  void reset_peak();
  AllocatorStats stats() const;

  /// Size class of a request: 64-byte steps up to 4 KiB, then eight classes per power of two.
  static size_t round_up(size_t bytes);

 private:
  friend class MemoryPool;
  using FreeBlocks = std::map<size_t, std::vector<void*>>;
  static void* take(FreeBlocks& blocks, size_t size);
  void* take_new(size_t size);
  void trim_locked();
  Device device_;
  size_t limit_ = 0;
  AllocatorStats stats_;
  FreeBlocks free_;
  MemoryPool* open_ = nullptr;            // hands out blocks while its scope lasts
  std::map<void*, MemoryPool*> pool_of_;  // blocks that belong to a pool
  mutable std::mutex mutex_;
};

/// Memory of recorded work. Blocks handed out within a Scope belong to the pool and return to it alone, so
/// nobody else gets the addresses that the recording will write again. When the pool goes, so does its claim
/// on them.
class MemoryPool {
 public:
  explicit MemoryPool(CachingAllocator& allocator) : allocator_(allocator) {}
  ~MemoryPool();
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;

  /// The allocator serves from the pool, then from its cache, then with new memory; it gives none back to the
  /// device. One scope of an allocator at a time.
  class Scope {
   public:
    explicit Scope(MemoryPool& pool);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    MemoryPool& pool_;
  };

 private:
  friend class CachingAllocator;
  CachingAllocator& allocator_;
  CachingAllocator::FreeBlocks free_;
};

/// The allocator of a device. It lives until the process ends, so tensors may be destroyed at any time.
CachingAllocator& allocator(Device device);

}  // namespace vae
