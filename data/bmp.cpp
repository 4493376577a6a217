#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>

#include "data/bytes.h"
#include "data/decode.h"
#include "tensor/error.h"

namespace vae::data {
namespace {

using Bytes = std::span<const std::byte>;

constexpr size_t kFileHeader = 14, kCoreHeader = 12, kInfoHeader = 40, kMaskBytes = 12;

struct BmpHeader {
  ImageSize size;
  bool top_down;
  int depth;
  size_t pixels;                       ///< where they begin
  Bytes palette;                       ///< blue, green, red (and a byte more, but in the oldest format)
  size_t entry;                        ///< bytes of a palette's entry
  std::array<uint32_t, 3> masks = {};  ///< of red, green, blue, in pixels of 16 and 32 bits
  size_t row_bytes() const { return (static_cast<size_t>(size.width) * depth + 31) / 32 * 4; }
};

bool is_mask(uint32_t mask, int depth) {
  return mask != 0 && mask >> (depth - 1) <= 1 &&
         std::has_single_bit((uint64_t{mask} >> std::countr_zero(mask)) + 1);
}

/// Reads the headers and checks them against each other and the length of the file.
BmpHeader parse_bmp(Bytes file, const std::string& name, const ExpectedSize& size) {
  const auto check = [&](bool right, const char* what) {
    if (!right) fail(ErrorKind::data, "{}: damaged BMP picture ({})", name, what);
  };
  check(file.size() >= kFileHeader + kCoreHeader, "the file ends early");
  const std::byte* info = &file[kFileHeader];
  const size_t header_bytes = little_endian32(info);
  const bool core = header_bytes == kCoreHeader;
  check(core || header_bytes == kInfoHeader || header_bytes == 52 || header_bytes == 56 ||
            header_bytes == 108 || header_bytes == 124,
        "no such header");
  check(file.size() >= kFileHeader + header_bytes, "the file ends early");
  check(little_endian32(&file[2]) <= file.size(), "the file is shorter than it claims");

  const auto extent = [&](int i) -> int64_t {  // the newer formats have signs
    if (core) return little_endian16(info + 4 + 2 * i);
    return static_cast<int32_t>(little_endian32(info + 4 + 4 * i));
  };
  const int64_t width = extent(0), height = extent(1);
  const std::byte* planes = info + (core ? 8 : 12);
  const uint32_t compression = core ? 0 : little_endian32(info + 16),
                 used = core ? 0 : little_endian32(info + 32);
  BmpHeader header{checked_size(std::abs(height), width, name, size),
                height < 0,
                static_cast<int>(little_endian16(planes + 2)),
                little_endian32(&file[10]),
                {},
                size_t{core ? 3u : 4u}};
  const int depth = header.depth;
  check(little_endian16(planes) == 1, "not one plane");
  check(depth == 1 || depth == 4 || depth == 8 || depth == 16 || depth == 24 || depth == 32,
        "no such number of bits");
  const bool masked = compression == 3 && (depth == 16 || depth == 32);
  if (compression != 0 && !masked)
    fail(ErrorKind::data, "{}: compressed BMP pictures (method {}) are not read", name, compression);

  size_t end = kFileHeader + header_bytes;  // of all before the pixels
  if (masked) {
    const size_t at = kFileHeader + kInfoHeader;  // behind the header, or in a longer one
    end = std::max(end, at + kMaskBytes);
    check(file.size() >= end, "the file ends early");
    for (int c = 0; c < 3; ++c) header.masks[c] = little_endian32(&file[at + 4 * c]);
  } else if (depth == 16) {
    header.masks = {0x7c00, 0x3e0, 0x1f};
  } else if (depth == 32) {
    header.masks = {0xff0000, 0xff00, 0xff};
  }
  if (depth == 16 || depth == 32)
    for (const uint32_t mask : header.masks) check(is_mask(mask, depth), "no such mask");
  if (depth <= 8) {
    check(used <= 1u << depth, "a palette of too many colours");
    const size_t bytes = (used ? used : size_t{1} << depth) * header.entry;
    check(header.pixels >= end + bytes && file.size() >= end + bytes, "the palette is cut off");
    header.palette = file.subspan(end, bytes);
    end += bytes;
  }
  check(header.pixels >= end && header.pixels <= file.size(), "the pixels are out of place");
  check(file.size() - header.pixels >= header.row_bytes() * header.size.height, "the file ends early");
  return header;
}

uint8_t masked_value(uint32_t pixel, uint32_t mask) {
  const int shift = std::countr_zero(mask);
  const uint64_t value = (pixel & mask) >> shift, most = mask >> shift;
  return static_cast<uint8_t>((value * 255 + most / 2) / most);
}

}  // namespace

Image decode_bmp(std::span<const std::byte> file, const std::string& name, const ExpectedSize& size) {
  const BmpHeader header = parse_bmp(file, name, size);
  const auto [height, width] = header.size;
  const int depth = header.depth;
  Image image{header.size, 3, {}};
  image.pixels.reserve(int64_t{height} * width * 3);
  const auto add = [&](const std::byte* bgr) {
    for (int c = 2; c >= 0; --c) image.pixels.push_back(std::to_integer<uint8_t>(bgr[c]));
  };
  for (int y = 0; y < height; ++y) {
    const std::byte* row = &file[header.pixels + header.row_bytes() * (header.top_down ? y : height - 1 - y)];
    for (int x = 0; x < width; ++x) {
      if (depth <= 8) {
        const int bit = x * depth % 8;
        const uint32_t index =
            std::to_integer<uint32_t>(row[x * depth / 8]) >> (8 - depth - bit) & ((1u << depth) - 1);
        if (index >= header.palette.size() / header.entry)
          fail(ErrorKind::data, "{}: damaged BMP picture (colour {} of a palette of {})", name, index,
               header.palette.size() / header.entry);
        add(&header.palette[index * header.entry]);
      } else if (depth == 24) {
        add(row + 3 * x);
      } else {
        const uint32_t pixel = depth == 16 ? little_endian16(row + 2 * x) : little_endian32(row + 4 * x);
        for (const uint32_t mask : header.masks) image.pixels.push_back(masked_value(pixel, mask));
      }
    }
  }
  return image;
}

}  // namespace vae::data
