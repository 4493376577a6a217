#include "tensor/descriptor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "tensor/error.h"

namespace vae {
namespace {

/// Why an open file must not be written in place, or nothing.
const char* objection(int file, const std::filesystem::path& path) {
  struct stat info {
  }, folder{};
  if (::fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) return "not a regular file";
  if (info.st_nlink > 1) return "the file has other names (hard links)";
  const std::filesystem::path parent = path.has_parent_path() ? path.parent_path() : ".";
  // Whoever owns the folder may put a file there, and some file systems name one owner for all files.
  const bool of_folder = ::stat(parent.c_str(), &folder) == 0 && info.st_uid == folder.st_uid;
  return info.st_uid == ::geteuid() || of_folder ? nullptr : "the file is another user's";
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

Descriptor::Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

int Descriptor::write(std::span<const std::byte> content) const {
  while (!content.empty()) {
    const ssize_t n = ::write(number_, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    content = content.subspan(static_cast<size_t>(n));
  }
  return 0;
}

int Descriptor::close() { return ::close(std::exchange(number_, -1)) == 0 ? 0 : errno; }

Descriptor open_own_file(const std::filesystem::path& path, int flags) {
  Descriptor file(::open(path.c_str(), flags | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666));
  const int error = errno;
  const std::string reason = error == ELOOP ? "a symbolic link" : std::generic_category().message(error);
  if (!file.ok()) fail(ErrorKind::io, "cannot write {}: {}", path.string(), reason);
  if (const char* why = objection(file.get(), path))
    fail(ErrorKind::io, "cannot write {}: {}", path.string(), why);
  return file;
}

int sync_file(int descriptor) {
  while (::fsync(descriptor) != 0) {
    if (errno == EINTR) continue;
    return errno == EINVAL || errno == ENOSYS || errno == ENOTSUP ? 0 : errno;
  }
  return 0;
}

}  // namespace vae
