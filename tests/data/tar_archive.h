#pragma once
// Archives of tar, made field by field, so that anything in them can be made wrong.
#include <fmt/format.h>

#include <string>

namespace vae::test {

/// A header of kind '0' (file) or another, with its content padded to whole blocks.
inline std::string tar_entry(const std::string& name, const std::string& content, char kind = '0',
                             const std::string& size = {}) {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  header.replace(100, 8, "0000644 ");
  header.replace(124, 12, size.empty() ? fmt::format("{:011o} ", content.size()) : size);
  header[156] = kind;
  header.replace(257, 7, "ustar  ");
  header.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  header.replace(148, 7, fmt::format("{:06o}", sum) + '\0');
  return header + content + std::string((512 - content.size() % 512) % 512, '\0');
}

inline const std::string kTarEnd(1024, '\0');

}  // namespace vae::test
