#pragma once
// Numbers in the bytes of files.
#include <cstddef>
#include <cstdint>

namespace vae::data {

inline uint32_t big_endian16(const std::byte* p) {
  return std::to_integer<uint32_t>(p[0]) << 8 | std::to_integer<uint32_t>(p[1]);
}
inline uint32_t big_endian32(const std::byte* p) { return big_endian16(p) << 16 | big_endian16(p + 2); }
inline uint32_t little_endian16(const std::byte* p) {
  return std::to_integer<uint32_t>(p[0]) | std::to_integer<uint32_t>(p[1]) << 8;
}
inline uint32_t little_endian32(const std::byte* p) {
  return little_endian16(p) | little_endian16(p + 2) << 16;
}

}  // namespace vae::data
