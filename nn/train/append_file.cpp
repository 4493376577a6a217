#include "nn/train/append_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "tensor/descriptor.h"
#include "tensor/error.h"

namespace vae::train {

AppendFile::AppendFile(std::filesystem::path path, size_t keep)
    : path_(std::move(path)), file_(open_own_file(path_, O_WRONLY | O_APPEND)), size_(keep) {
  struct stat info {};
  if (::fstat(file_.get(), &info) != 0) fail_with(errno);
  if (static_cast<size_t>(info.st_size) != keep && ::ftruncate(file_.get(), static_cast<off_t>(keep)) != 0)
    fail_with(errno);
}

void AppendFile::append(std::string_view record) {
  size_t written = 0;
  while (written < record.size()) {
    const ssize_t n = ::write(file_.get(), record.data() + written, record.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int error = errno;
      // Half a record is worse than none; where even this fails, the reader cuts it off.
      if (written > 0 && ::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) written = 0;
      fail_with(error);
    }
    written += static_cast<size_t>(n);
  }
  size_ += record.size();
}

void AppendFile::sync() {
  if (const int error = sync_file(file_.get())) fail_with(error);
}

void AppendFile::fail_with(int code) const {
  fail(ErrorKind::io, "cannot write {}: {}", path_.string(), std::generic_category().message(code));
}

}  // namespace vae::train
