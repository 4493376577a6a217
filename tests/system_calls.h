#pragma once
// fsync, rename and flock of this program: recorded, and failing as asked.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace vae::test {

/// While one lives, the calls of the program are recorded: "fsync NAME", "rename NAME NAME". One at a time.
class SystemCalls {
 public:
  SystemCalls() { active_ = this; }
  ~SystemCalls() { active_ = nullptr; }
  SystemCalls(const SystemCalls&) = delete;
  SystemCalls& operator=(const SystemCalls&) = delete;
  static SystemCalls* active() { return active_; }

  int fsync_error = 0, flock_error = 0;  ///< errno of every such call; 0: as the system answers
  std::vector<std::string> record;

 private:
  static inline SystemCalls* active_ = nullptr;
};

inline int failure(int error) {
  errno = error;
  return -1;
}

}  // namespace vae::test

extern "C" [[gnu::weak]] int fsync(int file) {
  if (auto* calls = vae::test::SystemCalls::active()) {
    const auto name = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(file)).filename();
    calls->record.push_back("fsync " + name.string());
    if (calls->fsync_error != 0) return vae::test::failure(calls->fsync_error);
  }
  return static_cast<int>(::syscall(SYS_fsync, file));
}

extern "C" [[gnu::weak]] int rename(const char* from, const char* to) noexcept {
  if (auto* calls = vae::test::SystemCalls::active()) {
    const std::filesystem::path source = from, target = to;
    calls->record.push_back("rename " + source.filename().string() + " " + target.filename().string());
  }
  return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

extern "C" [[gnu::weak]] int flock(int file, int operation) noexcept {
  const auto* calls = vae::test::SystemCalls::active();
  if (calls && calls->flock_error != 0) return vae::test::failure(calls->flock_error);
  return static_cast<int>(::syscall(SYS_flock, file, operation));
}
