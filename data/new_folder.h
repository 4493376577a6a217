#pragma once
// A folder that appears when it is complete.
#include <filesystem>

namespace vae::data {

/// Room for the content of `target`, which must not exist or be an empty folder. What lies in path() comes to
/// lie in `target` with finish(), and is removed without. Throws Error(io).
class NewFolder {
 public:
  explicit NewFolder(const std::filesystem::path& target);
  ~NewFolder();
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  void finish();

 private:
  std::filesystem::path target_, path_;
  bool exists_ = false;
};

}  // namespace vae::data
