#include "data/new_folder.h"

#include "tensor/error.h"
#include "tensor/file.h"

namespace vae::data {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_with(const fs::path& folder, const std::error_code& error) {
  fail(ErrorKind::io, "{}: cannot create the folder ({})", folder.string(), error.message());
}

}  // namespace

NewFolder::NewFolder(const fs::path& target)
    : target_(target.has_filename() ? target : target.parent_path()) {
  std::error_code error;
  exists_ = fs::exists(fs::symlink_status(target_, error));
  if (exists_ && (!fs::is_directory(target_, error) || !fs::is_empty(target_, error) || error))
    fail(ErrorKind::io, "{}: exists already and is not an empty folder", target_.string());
  error.clear();
  if (!exists_ && target_.has_parent_path()) fs::create_directories(target_.parent_path(), error);
  if (error) fail_with(target_, error);
  do {  // within a folder that exists: it may be a link, the working directory, another file system
    path_ = temporary_name(exists_ ? target_ / "new" : target_);
  } while (!fs::create_directory(path_, error) && !error);
  if (error) fail_with(target_, error);
}

NewFolder::~NewFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void NewFolder::finish() try {
  if (!exists_) return fs::rename(path_, target_);
  for (const auto& entry : fs::directory_iterator(path_))
    fs::rename(entry.path(), target_ / entry.path().filename());
} catch (const fs::filesystem_error& e) {
  fail_with(target_, e.code());
}

}  // namespace vae::data
