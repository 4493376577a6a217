#include "data/part_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "tensor/error.h"

namespace vae::data {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_with(const fs::path& path, int code) {
  fail(ErrorKind::io, "{}: cannot be written ({})", path.string(), std::generic_category().message(code));
}

struct stat status(int file, const fs::path& path) {
  struct stat info {};
  if (::fstat(file, &info) != 0) fail_with(path, errno);
  return info;
}

/// Whether the file is locked now; false where the file system cannot.
bool lock(int file, const std::function<void()>& waiting) {
  if (::flock(file, LOCK_EX | LOCK_NB) == 0) return true;
  if (errno != EWOULDBLOCK) return false;
  waiting();
  int result;
  do result = ::flock(file, LOCK_EX);
  while (result != 0 && errno == EINTR);
  return result == 0;
}

}  // namespace

PartFile::PartFile(fs::path path, size_t limit, const std::function<void()>& waiting)
    : path_(std::move(path)), limit_(limit) {
  struct stat opened {
  }, named{};
  do {  // again, where the process that we waited for has removed the file
    file_ = open_own_file(path_, O_RDWR);
    const bool locked = lock(file_.get(), waiting);
    opened = status(file_.get(), path_);
    if (!locked) {
      if (opened.st_size == 0) ::unlink(path_.c_str());
      file_ = Descriptor();
      return;
    }
  } while (::lstat(path_.c_str(), &named) != 0 || named.st_ino != opened.st_ino ||
           named.st_dev != opened.st_dev);

  if (opened.st_size > 0 && !read(static_cast<size_t>(opened.st_size))) clear();
}

PartFile::~PartFile() {
  if (file_.ok() && content_.empty()) ::unlink(path_.c_str());
}

bool PartFile::read(size_t size) {
  if (size > limit_) return false;
  content_.resize(size);
  for (size_t done = 0; done < size;) {
    const ssize_t n = ::read(file_.get(), content_.data() + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<size_t>(n);
  }
  return true;
}

int PartFile::append(std::span<const std::byte> block) {
  if (block.size() > limit_ - content_.size()) return EFBIG;
  content_.insert(content_.end(), block.begin(), block.end());
  return file_.ok() ? file_.write(block) : 0;
}

void PartFile::clear() {
  content_.clear();
  if (file_.ok() && (::ftruncate(file_.get(), 0) != 0 || ::lseek(file_.get(), 0, SEEK_SET) != 0))
    fail_with(path_, errno);
}

}  // namespace vae::data
