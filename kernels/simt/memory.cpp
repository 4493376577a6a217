#include "kernels/simt/memory.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <vector>

#include "tensor/error.h"

namespace vae::simt {
namespace {

constexpr size_t kPage = size_t{2} << 20;  // huge pages: to open and close small ones takes long
constexpr size_t kZone = 256;              // bytes watched before and after a buffer
constexpr uint32_t kPoison = 0x7FF7A5A5;   // NaN in f32, and twice over in f64

/// The first byte of a zone that is not as poison() left it, or null.
std::byte* first_written(std::byte* zone) {
  static const auto clean = [] {
    std::array<uint32_t, kZone / sizeof kPoison + 1> words;
    words.fill(kPoison);
    return words;
  }();
  const auto* same =
      reinterpret_cast<const std::byte*>(clean.data()) + reinterpret_cast<uintptr_t>(zone) % sizeof kPoison;
  if (std::memcmp(zone, same, kZone) == 0) return nullptr;
  return std::mismatch(zone, zone + kZone, same).first;
}

/// All arenas, for the handler of segmentation faults.
std::vector<const Arena*>& arenas() {
  static auto* all = new std::vector<const Arena*>;
  return *all;
}

/// The host dies at once when it touches device memory; this says why.
struct sigaction g_previous;
void on_segment_fault(int, siginfo_t* info, void*) {
  for (const Arena* arena : arenas()) {
    if (!arena->holds(info->si_addr)) continue;
    constexpr char text[] =
        "emulator: an address of device memory was used by the host, or by a kernel outside buffers\n";
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
  }
  sigaction(SIGSEGV, &g_previous, nullptr);  // the access is repeated, and the process ends as ever
}

void handle_segment_faults() {
  struct sigaction action {};
  action.sa_sigaction = on_segment_fault;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, &g_previous);
}

}  // namespace

void poison(std::byte* begin, const std::byte* end) {
  for (; begin < end && reinterpret_cast<uintptr_t>(begin) % sizeof kPoison; ++begin)
    *begin = static_cast<std::byte>(kPoison >> 8 * (reinterpret_cast<uintptr_t>(begin) % sizeof kPoison));
  for (; begin + sizeof kPoison <= end; begin += sizeof kPoison) std::memcpy(begin, &kPoison, sizeof kPoison);
  if (begin < end) std::memcpy(begin, &kPoison, static_cast<size_t>(end - begin));
}

Arena::Arena() {
  void* base = mmap(nullptr, kBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) fail(ErrorKind::device, "emulator: no {} bytes of addresses", kBytes);
  const size_t before_page = reinterpret_cast<uintptr_t>(base) % kPage;
  base_ = end_ = top_ = static_cast<std::byte*>(base) + (before_page ? kPage - before_page : 0);
  madvise(base_, kBytes - kPage, MADV_HUGEPAGE);  // where there are none, it is slower
  if (arenas().empty()) handle_segment_faults();
  arenas().push_back(this);
}

void Arena::open() {
  mutex_.lock();
  if (depth_++ == 0) protect(PROT_READ | PROT_WRITE);
}

void Arena::close() {
  if (--depth_ == 0) protect(PROT_NONE);
  mutex_.unlock();
}

void Arena::protect(int access) {
  if (top_ != base_ && mprotect(base_, static_cast<size_t>(top_ - base_), access) != 0)
    fail(ErrorKind::device, "emulator: mprotect failed");
}

void* Arena::allocate(size_t bytes) {
  const std::lock_guard lock(mutex_);
  const size_t capacity = (bytes + 63) / 64 * 64;
  std::byte* buffer = end_ + kZone;
  if (auto& same_size = free_[capacity]; !same_size.empty()) {
    buffer = same_size.back();
    same_size.pop_back();
  } else {
    const size_t used = static_cast<size_t>(end_ - base_) + capacity + 2 * kZone;
    if (capacity > kBytes || used > kBytes - 2 * kPage) return nullptr;
    end_ = base_ + used;
    top_ = base_ + (used + kPage - 1) / kPage * kPage;
    if (depth_) protect(PROT_READ | PROT_WRITE);
  }
  buffers_[buffer] = {capacity, capacity};
  prepare(buffer, capacity);
  return buffer;
}

void Arena::release(void* buffer) {
  const std::lock_guard lock(mutex_);
  const auto found = buffers_.find(static_cast<std::byte*>(buffer));
  free_[found->second.capacity].push_back(found->first);
  buffers_.erase(found);
}

void Arena::prepare(void* pointer, size_t bytes) {
  const Opened opened(*this);
  auto* buffer = static_cast<std::byte*>(pointer);
  buffers_.at(buffer).asked = bytes;
  poison(buffer - kZone, buffer + buffers_.at(buffer).capacity + kZone);
}

void Arena::check_red_zones(const char* kernel) {
  const Opened opened(*this);
  for (const auto& [buffer, sizes] : buffers_) {
    std::byte* end = buffer + sizes.asked;
    std::byte* written = first_written(end);
    if (!written) written = first_written(buffer - kZone);
    if (!written) continue;
    poison(buffer - kZone, buffer);
    poison(end, end + kZone);
    fail(ErrorKind::device, "simt kernel {} wrote outside a buffer of {} bytes, at byte {}", kernel,
         sizes.asked, written - buffer);
  }
}

Arena& memory() {
  static auto* memory = new Arena;
  return *memory;
}

}  // namespace vae::simt
