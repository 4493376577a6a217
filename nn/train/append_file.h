#pragma once
// A file that grows record by record. A record is written whole or not at all, except where the process is
// killed.
#include <cstddef>
#include <filesystem>
#include <string_view>

namespace vae::train {

class AppendFile {
 public:
  /// Opens or makes the file and cuts it to its first `keep` bytes. Throws Error(io).
  AppendFile(std::filesystem::path path, size_t keep);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  /// Hands the record to the system at once. Throws Error(io) naming the file (disk full).
  void append(std::string_view record);
  /// Waits until all records are on the disk.
  void sync();

 private:
  [[noreturn]] void fail_with(int code) const;

  std::filesystem::path path_;
  int file_ = -1;
  size_t size_ = 0;
};

}  // namespace vae::train
