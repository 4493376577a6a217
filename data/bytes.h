#pragma once
// Numbers in the bytes of files.
#include <cstddef>
#include <cstdint>

namespace vae::data {

inline uint32_t big_endian32(const std::byte* p) {
  return std::to_integer<uint32_t>(p[0]) << 24 | std::to_integer<uint32_t>(p[1]) << 16 |
         std::to_integer<uint32_t>(p[2]) << 8 | std::to_integer<uint32_t>(p[3]);
}
inline uint32_t little_endian16(const std::byte* p) {
  return std::to_integer<uint32_t>(p[0]) | std::to_integer<uint32_t>(p[1]) << 8;
}
inline uint32_t little_endian32(const std::byte* p) {
  return little_endian16(p) | little_endian16(p + 2) << 16;
}

}  // namespace vae::data
