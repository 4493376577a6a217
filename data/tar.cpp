#include "data/tar.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "tensor/error.h"

namespace vae::data {
namespace {

constexpr size_t kBlock = 512;

/// A field of a header, as far as its first NUL.
std::string_view field(std::span<const std::byte> header, size_t at, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(&header[at]), size);
  return text.substr(0, text.find('\0'));
}

/// Octal digits, with spaces around them.
std::optional<uint64_t> octal(std::string_view text) {
  uint64_t value = 0;
  const size_t begin = text.find_first_not_of(' '), end = text.find_last_not_of(' ');
  if (begin == std::string_view::npos || end - begin >= 12) return std::nullopt;
  for (const char digit : text.substr(begin, end - begin + 1)) {
    if (digit < '0' || digit > '7') return std::nullopt;
    value = value * 8 + static_cast<uint64_t>(digit - '0');
  }
  return value;
}

/// The sum of all bytes of a header, those of the sum itself as spaces.
uint64_t sum_of(std::span<const std::byte> header) {
  uint64_t sum = 0;
  for (size_t i = 0; i < kBlock; ++i)
    sum += i >= 148 && i < 156 ? ' ' : std::to_integer<unsigned char>(header[i]);
  return sum;
}

}  // namespace

std::vector<TarFile> read_tar(std::span<const std::byte> archive, const std::string& name) {
  std::vector<TarFile> files;
  for (auto rest = archive;;) {
    if (rest.size() < kBlock) fail(ErrorKind::data, "{}: the tar archive ends before its end mark", name);
    const auto header = rest.first(kBlock);
    rest = rest.subspan(kBlock);
    if (std::ranges::all_of(header, [](std::byte b) { return b == std::byte{0}; })) return files;
    if (octal(field(header, 148, 8)) != sum_of(header))
      fail(ErrorKind::data, "{}: the tar archive is damaged after {} files (checksum)", name, files.size());
    const auto size = octal(field(header, 124, 12));
    const std::string_view path = field(header, 0, 100);
    if (!size || *size > rest.size())
      fail(ErrorKind::data, "{}: a file in the tar archive is longer than the archive", name);
    const auto kind = std::to_integer<char>(header[156]);
    if (kind == '0' || kind == '\0')
      files.push_back({std::string(path.substr(path.rfind('/') + 1)), rest.first(*size)});
    rest = rest.subspan(std::min<size_t>((*size + kBlock - 1) / kBlock * kBlock, rest.size()));
  }
}

}  // namespace vae::data
