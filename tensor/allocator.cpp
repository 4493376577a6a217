#include "tensor/allocator.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "tensor/error.h"

namespace vae {

size_t CachingAllocator::round_up(size_t bytes) {
  const size_t step = bytes <= 4096 ? 64 : std::bit_floor(bytes - 1) / 8;
  return (bytes + step - 1) / step * step;
}

void* CachingAllocator::take(FreeBlocks& blocks, size_t size) {
  const auto it = blocks.find(size);
  if (it == blocks.end() || it->second.empty()) return nullptr;
  void* pointer = it->second.back();
  it->second.pop_back();
  return pointer;
}

void* CachingAllocator::take_new(size_t size) {
  const auto exceeds = [&](size_t kept) { return limit_ && kept + size > limit_; };
  if (exceeds(stats_.live_bytes + stats_.cached_bytes)) trim_locked();
  const bool fits = !exceeds(stats_.live_bytes);
  void* pointer = fits ? runtime(device_.type).allocate(device_.index, size) : nullptr;
  if (fits && !pointer) {
    trim_locked();
    pointer = runtime(device_.type).allocate(device_.index, size);
  }
  if (!pointer)
    fail(ErrorKind::device, "out of memory on {}: asked for {} bytes, {} bytes live, limit {}", device_.str(),
         size, stats_.live_bytes, limit_ ? fmt::to_string(limit_) : "none");
  ++stats_.raw_allocations;
  return pointer;
}

void* CachingAllocator::allocate(size_t bytes) {
  if (bytes == 0) return nullptr;
  const size_t size = round_up(bytes);
  const std::lock_guard lock(mutex_);
  void* pointer = open_ ? take(open_->free_, size) : nullptr;
  if (!pointer) pointer = take(free_, size);
  if (pointer)
    stats_.cached_bytes -= size;
  else
    pointer = take_new(size);
  if (open_) pool_of_[pointer] = open_;
  runtime(device_.type).prepare(device_.index, pointer, bytes);
  stats_.live_bytes += size;
  stats_.peak_bytes = std::max(stats_.peak_bytes, stats_.live_bytes);
  return pointer;
}

void CachingAllocator::release(void* pointer, size_t bytes) noexcept {
  if (!pointer) return;
  const size_t size = round_up(bytes);
  const std::lock_guard lock(mutex_);
  stats_.live_bytes -= size;
  const auto pool = pool_of_.find(pointer);
  try {
    (pool == pool_of_.end() ? free_ : pool->second->free_)[size].push_back(pointer);
    stats_.cached_bytes += size;
  } catch (...) {  // no memory for the book-keeping: give the block back at once
    runtime(device_.type).release(device_.index, pointer);
  }
}

void CachingAllocator::trim() {
  const std::lock_guard lock(mutex_);
  trim_locked();
}

void CachingAllocator::trim_locked() {
  if (open_) return;  // recorded work may use any block by now
  for (auto& [size, blocks] : free_)
    for (void* pointer : blocks) {
      runtime(device_.type).release(device_.index, pointer);
      stats_.cached_bytes -= size;
    }
  free_.clear();
}

void CachingAllocator::set_limit(size_t bytes) {
  const std::lock_guard lock(mutex_);
  limit_ = bytes;
}

void CachingAllocator::reset_peak() {
  const std::lock_guard lock(mutex_);
  stats_.peak_bytes = stats_.live_bytes;
}

AllocatorStats CachingAllocator::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

MemoryPool::~MemoryPool() {
  const std::lock_guard lock(allocator_.mutex_);
  for (auto& [size, blocks] : free_) {
    std::vector<void*>& shared = allocator_.free_[size];
    shared.insert(shared.end(), blocks.begin(), blocks.end());
  }
  std::erase_if(allocator_.pool_of_, [this](const auto& entry) { return entry.second == this; });
}

MemoryPool::Scope::Scope(MemoryPool& pool) : pool_(pool) {
  const std::lock_guard lock(pool_.allocator_.mutex_);
  VAE_CHECK(!pool_.allocator_.open_, "a step is being recorded already");
  pool_.allocator_.open_ = &pool_;
}

MemoryPool::Scope::~Scope() {
  const std::lock_guard lock(pool_.allocator_.mutex_);
  pool_.allocator_.open_ = nullptr;
}

CachingAllocator& allocator(Device device) {
  // Deliberately never destroyed: tensors of static lifetime may outlive any other static object.
  static auto* mutex = new std::mutex;
  static auto* allocators = new std::map<std::pair<int, int>, std::unique_ptr<CachingAllocator>>;
  const std::lock_guard lock(*mutex);
  auto& slot = (*allocators)[{static_cast<int>(device.type), device.index}];
  if (!slot) slot = std::make_unique<CachingAllocator>(device);
  return *slot;
}

}  // namespace vae
