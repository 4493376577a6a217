#include "tensor/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

#include "tensor/error.h"

namespace vae {
namespace {

namespace fs = std::filesystem;

std::string reason(int code) { return std::generic_category().message(code); }

/// An open file descriptor, closed on every way out.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }
  bool ok() const { return number_ >= 0; }
  /// Network file systems report a full disk only here.
  bool close() { return ::close(std::exchange(number_, -1)) == 0; }

 private:
  int number_;
};

bool write_all(int file, std::span<const std::byte> content) {
  while (!content.empty()) {
    const ssize_t n = ::write(file, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    content = content.subspan(static_cast<size_t>(n));
  }
  return true;
}

/// Writes and syncs a new file of that name; 0 or the system's error code.
int write_new_file(const fs::path& path, std::span<const std::byte> content) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file.ok()) return errno;
  if (!write_all(file.get(), content) || ::fsync(file.get()) != 0 || !file.close()) return errno;
  return 0;
}

/// The new name survives a power cut only once its directory is synced; where directories cannot be, nothing
/// is lost.
void sync_directory(const fs::path& path) {
  const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const Descriptor directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.ok()) ::fsync(directory.get());
}

}  // namespace

std::vector<std::byte> read_file(const fs::path& path) try {
  // Without O_NONBLOCK, opening a named pipe would wait for its writer before it can be refused.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (!file.ok() || ::fstat(file.get(), &info) != 0)
    fail(ErrorKind::io, "cannot read {}: {}", path.string(), reason(errno));
  if (!S_ISREG(info.st_mode))
    fail(ErrorKind::io, "cannot read {}: {}", path.string(),
         S_ISDIR(info.st_mode) ? "is a directory" : "not a regular file");

  std::vector<std::byte> content(static_cast<size_t>(info.st_size) +
                                 1);  // room for the read that finds the end
  size_t size = 0;
  while (true) {
    if (size == content.size()) content.resize(2 * size);
    const ssize_t n = ::read(file.get(), content.data() + size, content.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(ErrorKind::io, "cannot read {}: {}", path.string(), reason(errno));
    if (n == 0) break;
    size += static_cast<size_t>(n);
  }
  content.resize(size);
  return content;
} catch (const std::bad_alloc&) {
  fail(ErrorKind::io, "cannot read {}: does not fit into memory", path.string());
} catch (const std::length_error&) {
  fail(ErrorKind::io, "cannot read {}: does not fit into memory", path.string());
}

void write_file_atomically(const fs::path& path, std::span<const std::byte> content) {
  static std::atomic<unsigned> counter{0};
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode))  // rename would replace a device by a file
    fail(ErrorKind::io, "cannot write {}: {}", path.string(),
         S_ISDIR(info.st_mode) ? "is a directory" : "not a regular file");

  fs::path temporary;
  int error = 0;
  do {  // a killed process with our id may have left its temporary
    temporary = path;
    temporary += fmt::format(".tmp-{}-{}", ::getpid(), counter++);
    error = write_new_file(temporary, content);
  } while (error == EEXIST);
  if (error == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    fail(ErrorKind::io, "cannot write {}: {}", path.string(), reason(error));
  }
  sync_directory(path);
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  write_file_atomically(path, std::as_bytes(std::span(content)));
}

}  // namespace vae
