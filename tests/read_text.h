#pragma once
// A whole file as a string.
#include <filesystem>
#include <string>

#include "tensor/file.h"

namespace vae::test {

inline std::string read_text(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace vae::test
