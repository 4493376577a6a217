#pragma once
// Which files of a directory a run wrote. A run notes the name of a file before it writes it, and nothing but
// what is noted is ever replaced or removed: whatever else lies in the directory is somebody's own.
#include <filesystem>
#include <set>
#include <string>

namespace vae::train {

/// Holds the noted names, one in a line, and is what a process that trains there locks.
inline constexpr const char* kRunFile = "run.files";

/// The noted names, those of folders with a slash behind; none where there is no run. Throws Error(io).
std::set<std::string> run_files(const std::filesystem::path& run);

/// The path of a file that is about to be written; notes it. Throws Error(usage) if something of that name is
/// there that the run did not write, or a link, Error(io) if it cannot be noted.
std::filesystem::path claim(const std::filesystem::path& run, const std::string& name);
/// The same of a folder, in which another run lies.
std::filesystem::path claim_folder(const std::filesystem::path& run, const std::string& name);

}  // namespace vae::train
