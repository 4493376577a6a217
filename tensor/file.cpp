#include "tensor/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <new>
#include <system_error>

#include "tensor/descriptor.h"
#include "tensor/error.h"

namespace vae {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTemporary = ".tmp-";  // behind it: process and count

std::string reason(int code) { return std::generic_category().message(code); }

/// Writes and syncs a new file of that name; 0 or the system's error code. It takes over the permissions of
/// `old`, where that is a file; where they cannot be set, the system's choice has to do.
int write_new_file(const fs::path& path, std::span<const std::byte> content, const fs::path& old) {
  struct stat info {};
  const bool replaces = ::lstat(old.c_str(), &info) == 0 && S_ISREG(info.st_mode);
  const mode_t mode = replaces ? info.st_mode & 0777 : 0666;
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file.ok()) return errno;
  if (replaces) ::fchmod(file.get(), mode);  // whatever the umask
  if (const int error = file.write(content)) return error;
  if (const int error = sync_file(file.get())) return error;
  return file.close();
}

/// The new name survives a power cut only once its directory is synced; where directories cannot be, nothing
/// is lost.
void sync_directory(const fs::path& path) {
  const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const Descriptor directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.ok()) sync_file(directory.get());
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

fs::path temporary_name(const fs::path& path) {
  static std::atomic<unsigned> counter{0};
  return path.string() + fmt::format("{}{}-{}", kTemporary, ::getpid(), counter++);
}

std::string target_of(const std::string& temporary) {
  return temporary.substr(0, temporary.find(kTemporary));
}

void write_file_atomically(const fs::path& path, std::span<const std::byte> content) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode))  // rename would replace a device by a file
    fail(ErrorKind::io, "cannot write {}: {}", path.string(),
         S_ISDIR(info.st_mode) ? "is a directory" : "not a regular file");

  fs::path temporary;
  int error = 0;
  do {  // a killed process with our id may have left its temporary
    temporary = temporary_name(path);
    error = write_new_file(temporary, content, path);
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
