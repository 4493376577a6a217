#pragma once
// Whole files: read at once, written so that a reader never sees half of one.
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vae {

inline constexpr uint64_t kMostText = uint64_t{1} << 22;  ///< bytes of configurations, results and the like
inline constexpr uint64_t kMostLog = uint64_t{1} << 30;   ///< of logs

/// The bytes of a file. Throws Error(io) naming the path and the system's reason, and, before memory is
/// taken, if it is larger than the memory of this machine; Error(data) if it has more than `most` bytes.
std::vector<std::byte> read_file(const std::filesystem::path& path, uint64_t most = UINT64_MAX);

/// What a file begins with, by which a reader can tell whether it wants the whole.
struct FileHead {
  std::vector<std::byte> bytes;  ///< the first ones, as many as there are
  uint64_t size = 0;             ///< of the whole file
};
/// At most the first `count` bytes; errors as read_file().
FileHead read_head(const std::filesystem::path& path, uint64_t count);

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
