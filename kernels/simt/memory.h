#pragma once
// Memory of an emulated device: one range of addresses that the host cannot touch, except while a kernel or a
// copy runs. What is handed out is filled with NaN, and stands between red zones.
#include <boost/container/flat_map.hpp>
#include <cstddef>
#include <map>
#include <mutex>
#include <vector>

namespace vae::simt {

class Arena {
 public:
  /// Throws Error(device) where the system has no addresses left.
  Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// A buffer aligned to 64 bytes; null when there are no addresses left.
  void* allocate(size_t bytes);
  void release(void* buffer);
  /// Fills a buffer with NaN and watches what lies around its first `bytes` bytes.
  void prepare(void* buffer, size_t bytes);
  /// Throws Error(device) naming the kernel if a watched byte was written, and mends it.
  void check_red_zones(const char* kernel);
  bool holds(const void* address) const { return address >= base_ && address < base_ + kBytes; }

  /// Opens the memory for the life of the object; other threads that want to wait. May be nested.
  class Opened {
   public:
    explicit Opened(Arena& arena) : arena_(arena) { arena_.open(); }
    ~Opened() { arena_.close(); }
    Opened(const Opened&) = delete;
    Opened& operator=(const Opened&) = delete;

   private:
    Arena& arena_;
  };

 private:
  static constexpr size_t kBytes = size_t{64} << 30;  // of addresses; memory is taken as it is written
  struct Buffer {
    size_t capacity = 0, asked = 0;
  };
  void open();
  void close();
  void protect(int access);

  // Addresses [base, top) are in use, and open while depth > 0. Buffers given back wait for a request of
  // their size.
  std::byte *base_ = nullptr, *end_ = nullptr, *top_ = nullptr;  // of the last buffer, of its page
  int depth_ = 0;
  boost::container::flat_map<std::byte*, Buffer> buffers_;  // walked after each launch
  std::map<size_t, std::vector<std::byte*>> free_;
  std::recursive_mutex mutex_;
};

/// Fills bytes of open memory with NaN of f32 and f64.
void poison(std::byte* begin, const std::byte* end);

/// The memory of the device `simt`.
Arena& memory();

}  // namespace vae::simt
