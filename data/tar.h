#pragma once
// Archives of tar in memory.
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace vae::data {

struct TarFile {
  std::string name;  ///< without the folders before it
  std::span<const std::byte> content;
};

/// The regular files of an archive, whose bytes they share. Nothing is written anywhere, so folders in names
/// do not matter; links, folders and extensions are passed over. Throws Error(data) naming the archive where
/// a header is damaged or a file is longer than the archive.
std::vector<TarFile> read_tar(std::span<const std::byte> archive, const std::string& name);

}  // namespace vae::data
