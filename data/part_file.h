#pragma once
// What has arrived of a download.
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "tensor/descriptor.h"

namespace vae::data {

/// The first bytes of a download, in memory and in a file from which a later process goes on. The file
/// belongs to one process at a time, by a lock that ends with the process; where the file system knows no
/// locks, there is no file.
class PartFile {
 public:
  /// Opens or makes the file; waits for another process that has it, after calling `waiting` once. A file of
  /// more than `limit` bytes is emptied. Throws Error(io): a link, no regular file, somebody else's.
  PartFile(std::filesystem::path path, size_t limit, const std::function<void()>& waiting);
  /// Closes the file; an empty one is removed.
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  const std::vector<std::byte>& content() const { return content_; }
  /// 0 or the system's error code; EFBIG beyond the limit.
  int append(std::span<const std::byte> block);
  /// Starts over.
  void clear();

 private:
  bool read(size_t size);

  std::filesystem::path path_;
  size_t limit_;
  Descriptor file_;
  std::vector<std::byte> content_;
};

}  // namespace vae::data
