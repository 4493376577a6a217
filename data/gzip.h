#pragma once
// gzip and zlib in memory, with a bound on what may be unpacked.
#include <span>
#include <string>
#include <vector>

namespace vae::data {

/// Whether the bytes start with gzip's magic number.
bool is_gzip(std::span<const std::byte> content);

/// The first bytes (at most `count`) of what `packed` unpacks to; fewer if it holds fewer. Errors as
/// gunzip().
std::vector<std::byte> gunzip_head(std::span<const std::byte> packed, size_t count, const std::string& name);

/// Unpacks a complete gzip file (several members are joined). Throws Error(data) naming the file if it is
/// corrupt, truncated, followed by other bytes, or unpacks to more than `max_bytes`.
std::vector<std::byte> gunzip(std::span<const std::byte> packed, size_t max_bytes, const std::string& name);

/// The same of a zlib stream within a file.
std::vector<std::byte> unzlib_head(std::span<const std::byte> packed, size_t count, const std::string& name);
std::vector<std::byte> unzlib(std::span<const std::byte> packed, size_t max_bytes, const std::string& name);

/// Packs at level 9, without name or time: the same input gives the same bytes.
std::vector<std::byte> gzip(std::span<const std::byte> content);

}  // namespace vae::data
