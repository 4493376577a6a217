#include "nn/train/run_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "tensor/error.h"
#include "tensor/file.h"

namespace vae::train {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kConfig = "config.json";
constexpr const char* kLock =
    ".vaekit.lock";  // stays behind: it also tells that the files beside it are ours
constexpr std::string_view kTemporary = ".tmp-";

std::string reason(int code) { return std::generic_category().message(code); }

bool is_temporary(std::string_view name) { return name.find(kTemporary) != std::string_view::npos; }

bool is_picture(std::string_view name) { return name.ends_with(".png") || name.ends_with(".svg"); }

/// Names of our files in a directory; folders are never ours.
std::vector<std::string> owned_files(const fs::path& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (RunDirectory::owns(name) && it->symlink_status().type() != fs::file_type::directory)
      names.push_back(name);
  }
  if (error) fail(ErrorKind::io, "cannot read {}: {}", directory.string(), error.message());
  return names;
}

void make_directory(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (!error && !fs::is_directory(path, error)) error = std::make_error_code(std::errc::not_a_directory);
  if (error) fail(ErrorKind::io, "cannot make run directory {}: {}", path.string(), error.message());
}

}  // namespace

bool RunDirectory::owns(const std::string& name) {
  if (const size_t mark = name.find(kTemporary); mark != std::string::npos) return owns(name.substr(0, mark));
  if (is_picture(name) || name.starts_with("metrics.") || name.starts_with("events.")) return true;
  if (name.starts_with("checkpoint") && name.ends_with(".safetensors")) return true;
  return name == kConfig || name == "split.json" || name == "timing.csv" || name == "report.html" ||
         name == "results.json";
}

RunDirectory::RunDirectory(fs::path path, Mode mode, std::string advice)
    : path_(std::move(path)), mode_(mode), advice_(std::move(advice)) {
  if (path_.empty()) fail(ErrorKind::usage, "the run directory has an empty name");
  if (mode_ != Mode::resume) make_directory(path_);
  check_mode();
  lock();
  try {
    check_mode();  // another process may have started a run before the lock was ours
    if (mode_ != Mode::create) remove_files();
  } catch (...) {
    ::close(lock_);
    throw;
  }
}

RunDirectory::~RunDirectory() { ::close(lock_); }

void RunDirectory::check_mode() const {
  std::error_code error;
  if (mode_ == Mode::resume) {
    if (!fs::exists(path_ / kConfig, error)) fail(ErrorKind::usage, "no run to resume in {}", path_.string());
    return;
  }
  const bool ours = fs::exists(path_ / kLock, error);
  if (mode_ == Mode::fresh && ours) return;
  for (const std::string& name : owned_files(path_)) {
    if (is_picture(name)) continue;
    if (ours) fail(ErrorKind::usage, "{} already holds a run ({}){}", path_.string(), name, advice_);
    fail(ErrorKind::usage, "{} holds {}, which was not written by a run: choose another directory",
         path_.string(), name);
  }
}

void RunDirectory::lock() {
  const fs::path file = path_ / kLock;
  lock_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock_ < 0 || ::access(path_.c_str(), W_OK) != 0) {
    const int error = errno;
    if (lock_ >= 0) ::close(lock_);
    fail(ErrorKind::io, "cannot write in run directory {}: {}", path_.string(), reason(error));
  }
  // Some network file systems know no locks (ENOLCK, ENOTSUP); training must work there too.
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(lock_);
    fail(ErrorKind::usage, "another process is training in {}", path_.string());
  }
}

void RunDirectory::remove_files() const {
  for (const std::string& name : owned_files(path_))
    if ((mode_ == Mode::fresh || is_temporary(name)) && ::unlink((path_ / name).c_str()) != 0 &&
        errno != ENOENT)
      fail(ErrorKind::io, "cannot remove {}: {}", (path_ / name).string(), reason(errno));
}

void RunDirectory::write_config(const json& config) const {
  write_file_atomically(path_ / kConfig, config.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

json RunDirectory::read_config() const {
  const std::vector<std::byte> bytes = read_file(path_ / kConfig);
  const char* text = reinterpret_cast<const char*>(bytes.data());
  json config = json::parse(text, text + bytes.size(), nullptr, false);
  if (!config.is_object()) fail(ErrorKind::data, "{}: not a JSON object", (path_ / kConfig).string());
  return config;
}

}  // namespace vae::train
