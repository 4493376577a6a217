#pragma once
// Whole files: read at once, written so that a reader never sees half of one.
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vae {

/// The bytes of a file. Throws Error(io) naming the path and the system's reason.
std::vector<std::byte> read_file(const std::filesystem::path& path);

/// Another name at each call, beside `path`, for what shall become `path` when it is complete.
std::filesystem::path temporary_name(const std::filesystem::path& path);
/// The name for which a temporary of that name was made; a name of another kind as it is.
std::string target_of(const std::string& temporary);

/// Writes `content` to `path` through a temporary neighbour, fsync, rename and fsync of the directory. A file
/// of that name keeps its permissions; a symbolic link to a file is replaced, what it leads to stays. On any
/// failure the temporary is removed, an older `path` is untouched, and Error(io) names the path and the
/// reason (disk full, no permission).
void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> content);
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

}  // namespace vae
