#pragma once
// An open file descriptor.
#include <cstddef>
#include <filesystem>
#include <span>

namespace vae {

/// Owns a descriptor, closed on every way out; a negative number stands for a file that could not be opened.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  int get() const { return number_; }
  bool ok() const { return number_ >= 0; }

  /// Writes all of it; 0 or the system's error code.
  int write(std::span<const std::byte> content) const;
  /// Network file systems report a full disk only here; 0 or the system's error code.
  int close();

 private:
  int number_;
};

/// Opens or makes a file that is written in place; `flags` beside those of that. With others in its folder a
/// name may be a trap: throws Error(io) naming the path for a link, for what is no regular file, for one with
/// other names, and for the file of another user.
Descriptor open_own_file(const std::filesystem::path& path, int flags);

/// Waits until what was written is on the disk; 0 or the system's error code. A file system that knows no
/// such thing, as some on networks or in user space (EINVAL, ENOSYS, ENOTSUP), has done what it can: 0.
int sync_file(int descriptor);

}  // namespace vae
