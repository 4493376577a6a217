#include "nn/train/run_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "nn/train/append_file.h"
#include "tensor/communicator.h"
#include "tensor/error.h"
#include "tensor/file.h"
#include "tensor/print.h"

namespace vae::train {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kConfig = "config.json";
constexpr int kMaxConfigDepth = 2;  // the object and lists in it; printing JSON is recursive

std::string reason(int code) { return std::generic_category().message(code); }

/// Whether a new run may have this beside it: hidden files, and logs that a shell opens before the run.
bool is_harmless(const std::string& name) {
  return name.starts_with(".") || name.ends_with(".log") || name.ends_with(".out") || name.ends_with(".err");
}

/// Whether every run writes a file of that name.
bool is_of_any_run(const std::string& name) {
  constexpr std::array kNames{
      kConfig,       "split.json", "checkpoint.safetensors", "best.safetensors", "metrics.jsonl",
      "metrics.csv", "timing.csv", "results.json",           "report.html"};
  return std::ranges::find(kNames, name) != kNames.end() || name.starts_with("events.out.tfevents.");
}

std::vector<fs::directory_entry> entries_of(const fs::path& directory) {
  std::vector<fs::directory_entry> entries;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error))
    entries.push_back(*it);
  if (error) fail(ErrorKind::io, "cannot read {}: {}", directory.string(), error.message());
  return entries;
}

/// A temporary of a process that was killed while it wrote one of these files.
bool is_leftover(const std::string& name, const std::set<std::string>& files) {
  const std::string target = target_of(name);
  return target != name && files.contains(target);
}

void make_directory(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (!error && !fs::is_directory(path, error)) error = std::make_error_code(std::errc::not_a_directory);
  if (error) fail(ErrorKind::io, "cannot make run directory {}: {}", path.string(), error.message());
}

}  // namespace

RunDirectory::RunDirectory(fs::path path, Mode mode, std::string advice)
    : path_(std::move(path)), mode_(mode), advice_(std::move(advice)) {
  if (path_.empty()) fail(ErrorKind::usage, "the run directory has an empty name");
  parallel::current().on_first([this] {
    if (mode_ != Mode::resume) make_directory(path_);
    check_mode();
    lock();
    check_mode();  // another process may have started a run before the lock was ours
    adopt_files();
    remove_files();
  });
}

std::filesystem::path RunDirectory::claim(const std::string& name) const {
  return parallel::current().first() ? train::claim(path_, name) : path_ / name;
}

void RunDirectory::check_mode() const {
  std::error_code error;
  if (mode_ == Mode::resume) {
    if (!fs::exists(path_ / kConfig, error)) fail(ErrorKind::usage, "no run to resume in {}", path_.string());
    return;
  }
  if (mode_ == Mode::fresh && fs::exists(path_ / kRunFile, error)) return;
  const std::set<std::string> ours = run_files(path_);
  for (const fs::directory_entry& entry : entries_of(path_)) {
    const std::string name = entry.path().filename().string();
    // The split is written before config.json: alone, it is of a run that was killed before it began.
    const bool of_unbegun = ours.contains(name) && name == "split.json";
    if (name == kRunFile || is_harmless(name) || of_unbegun || is_leftover(name, ours)) continue;
    if (ours.contains(name) || ours.contains(name + "/"))
      fail(ErrorKind::usage, "{} already holds a run ({}){}", path_.string(), name, advice_);
    fail(ErrorKind::usage, "{} holds {}, which no run wrote there: choose another directory", path_.string(),
         name);
  }
}

void RunDirectory::lock() {
  lock_ = open_own_file(path_ / kRunFile, O_RDWR);
  if (::access(path_.c_str(), W_OK) != 0)
    fail(ErrorKind::io, "cannot write in run directory {}: {}", path_.string(), reason(errno));
  ::fchmod(lock_.get(), S_IRUSR | S_IWUSR);  // who can open a file can hold its lock
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) == 0) return;
  if (errno == EWOULDBLOCK) fail(ErrorKind::usage, "another process is training in {}", path_.string());
  note("{}: no lock ({}), so nothing keeps a second process from training there\n", path_.string(),
       reason(errno));
}

void RunDirectory::adopt_files() const {
  if (mode_ != Mode::resume || !run_files(path_).empty()) return;
  AppendFile notes(path_ / kRunFile, 0);
  for (const fs::directory_entry& entry : entries_of(path_)) {
    const std::string name = entry.path().filename().string();
    std::error_code error;
    const fs::file_type type = entry.symlink_status(error).type();
    if (type == fs::file_type::regular && is_of_any_run(name)) notes.append(name + "\n");
    if (type == fs::file_type::directory && fs::exists(entry.path() / kConfig, error))
      notes.append(name + "/\n");
  }
}

void RunDirectory::remove_files() const {
  const std::set<std::string> ours = run_files(path_);
  for (const fs::directory_entry& entry : entries_of(path_)) {
    const std::string name = entry.path().filename().string();
    const bool goes = (mode_ != Mode::resume && ours.contains(name)) || is_leftover(name, ours);
    std::error_code error;
    if (!goes || entry.symlink_status(error).type() != fs::file_type::regular) continue;
    if (::unlink(entry.path().c_str()) != 0 && errno != ENOENT)
      fail(ErrorKind::io, "cannot remove {}: {}", entry.path().string(), reason(errno));
  }
  if (mode_ == Mode::resume) return;
  AppendFile notes(path_ / kRunFile, 0);
  for (const std::string& name : ours)
    if (name.ends_with('/')) notes.append(name + "\n");  // the runs in there stand
}

void RunDirectory::write_config(const json& config) const {
  parallel::current().on_first([&] {
    write_file_atomically(claim(kConfig), config.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
  });
}

json RunDirectory::read_config() const {
  const std::vector<std::byte> bytes = read_file(path_ / kConfig, kMostText);
  const char* text = reinterpret_cast<const char*>(bytes.data());
  const auto check = [&](int depth, json::parse_event_t, json&) {
    if (depth > kMaxConfigDepth) fail(ErrorKind::data, "{}: nested too deeply", (path_ / kConfig).string());
    return true;
  };
  json config = json::parse(text, text + bytes.size(), check, false);
  if (!config.is_object()) fail(ErrorKind::data, "{}: not a JSON object", (path_ / kConfig).string());
  return config;
}

}  // namespace vae::train
