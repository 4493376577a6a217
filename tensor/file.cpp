#include "tensor/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

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

/// A regular file and its size.
std::pair<Descriptor, uint64_t> open_to_read(const fs::path& path) {
  // Without O_NONBLOCK, opening a named pipe would wait for its writer before it can be refused.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (!file.ok() || ::fstat(file.get(), &info) != 0)
    fail(ErrorKind::io, "cannot read {}: {}", path.string(), reason(errno));
  if (!S_ISREG(info.st_mode))
    fail(ErrorKind::io, "cannot read {}: {}", path.string(),
         S_ISDIR(info.st_mode) ? "is a directory" : "not a regular file");
  return {std::move(file), static_cast<uint64_t>(info.st_size)};
}

/// Fills some of `to`; 0 at the end of the file, and where there is no room.
size_t read_some(const Descriptor& file, std::span<std::byte> to, const fs::path& path) {
  while (true) {
    const ssize_t n = ::read(file.get(), to.data(), to.size());
    if (n >= 0) return static_cast<size_t>(n);
    if (errno != EINTR) fail(ErrorKind::io, "cannot read {}: {}", path.string(), reason(errno));
  }
}

/// Bytes; filling more of it with a file would end other programs.
uint64_t physical_memory() {
  const long pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  return pages > 0 && page > 0 ? static_cast<uint64_t>(pages) * static_cast<uint64_t>(page) : UINT64_MAX;
}

}  // namespace

std::vector<std::byte> read_file(const fs::path& path, uint64_t most) try {
  const auto [file, bytes] = open_to_read(path);
  const auto check = [&](uint64_t size) {
    if (size > most) fail(ErrorKind::data, "{}: {} bytes, expected {} at most", path.string(), size, most);
    if (size > physical_memory()) throw std::bad_alloc();
  };
  check(bytes);
  std::vector<std::byte> content(bytes + 1);  // room for the read that finds the end
  size_t size = 0;
  while (const size_t n = read_some(file, std::span(content).subspan(size), path)) {
    size += n;
    if (size == content.size()) check(size), content.resize(2 * size);
  }
  check(size);
  content.resize(size);
  return content;
} catch (const std::bad_alloc&) {
  fail(ErrorKind::io, "cannot read {}: does not fit into memory", path.string());
} catch (const std::length_error&) {
  fail(ErrorKind::io, "cannot read {}: does not fit into memory", path.string());
}

FileHead read_head(const fs::path& path, uint64_t count) {
  const auto [file, bytes] = open_to_read(path);
  FileHead head{std::vector<std::byte>(std::min(count, bytes)), bytes};
  size_t size = 0;
  while (const size_t n = read_some(file, std::span(head.bytes).subspan(size), path)) size += n;
  head.bytes.resize(size);
  return head;
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
