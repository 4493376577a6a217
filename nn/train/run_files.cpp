#include "nn/train/run_files.h"

#include "nn/train/append_file.h"
#include "tensor/error.h"
#include "tensor/file.h"

namespace vae::train {
namespace {

namespace fs = std::filesystem;

/// The whole lines of the notes; a process may have been killed within the last one.
std::string notes_of(const fs::path& run) {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(run / kRunFile, error))) return "";
  const std::vector<std::byte> bytes = read_file(run / kRunFile, kMostText);
  const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.substr(0, text.rfind('\n') + 1);
}

fs::path claim(const fs::path& run, const std::string& name, fs::file_type type) {
  const fs::path path = run / name;
  const std::string noted = type == fs::file_type::directory ? name + "/" : name;
  std::error_code error;
  const fs::file_type there = fs::symlink_status(path, error).type();
  const bool is_noted = run_files(run).contains(noted);
  if (there != fs::file_type::not_found && there != type)
    fail(ErrorKind::usage, "{} is not a {} of this run", path.string(),
         type == fs::file_type::directory ? "folder" : "file");
  if (there != fs::file_type::not_found && !is_noted)
    fail(ErrorKind::usage, "{} is there, and this run did not write it", path.string());
  if (!is_noted) AppendFile(run / kRunFile, notes_of(run).size()).append(noted + "\n");
  return path;
}

}  // namespace

std::set<std::string> run_files(const fs::path& run) {
  const std::string notes = notes_of(run);
  std::set<std::string> names;
  for (size_t begin = 0, end; (end = notes.find('\n', begin)) != std::string::npos; begin = end + 1)
    names.insert(notes.substr(begin, end - begin));
  return names;
}

fs::path claim(const fs::path& run, const std::string& name) {
  return claim(run, name, fs::file_type::regular);
}

fs::path claim_folder(const fs::path& run, const std::string& name) {
  return claim(run, name, fs::file_type::directory);
}

}  // namespace vae::train
