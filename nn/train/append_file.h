#pragma once
// A file that grows record by record. A record is written whole or not at all, except where the process is
// killed.
#include <cstddef>
#include <filesystem>
#include <string_view>

#include "tensor/descriptor.h"

namespace vae::train {

class AppendFile {
 public:
  /// Opens or makes the file and cuts it to its first `keep` bytes. Throws Error(io), as open_own_file() does.
  AppendFile(std::filesystem::path path, size_t keep);
  /// Hands the record to the system at once. Throws Error(io) naming the file (disk full).
  void append(std::string_view record);
  /// Waits until all records are on the disk.
  void sync();

 private:
  [[noreturn]] void fail_with(int code) const;

  std::filesystem::path path_;
  Descriptor file_;
  size_t size_ = 0;
};

}  // namespace vae::train
