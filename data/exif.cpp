#include "data/exif.h"

#include <cstring>
#include <utility>

#include "data/bytes.h"

namespace vae::data {

int exif_orientation(std::span<const std::byte> segment) {
  constexpr char kExif[] = "Exif\0";  // and a zero more
  constexpr size_t kHeader = 8, kEntry = 12;
  constexpr uint32_t kOrientation = 0x112, kShort = 3;
  if (segment.size() < sizeof kExif + kHeader || std::memcmp(segment.data(), kExif, sizeof kExif) != 0)
    return 1;
  const auto tiff = segment.subspan(sizeof kExif);
  const bool little = tiff[0] == std::byte{'I'};
  const auto number16 = [&](size_t at) {
    return little ? little_endian16(&tiff[at]) : big_endian16(&tiff[at]);
  };
  const size_t directory = little ? little_endian32(&tiff[4]) : big_endian32(&tiff[4]);
  if (directory > tiff.size() - 2) return 1;
  const size_t entries = number16(directory);
  for (size_t i = 0, at = directory + 2; i < entries && tiff.size() - at >= kEntry; ++i, at += kEntry) {
    if (number16(at) != kOrientation) continue;
    const uint32_t orientation = number16(at + 8);
    return number16(at + 2) == kShort && orientation >= 1 && orientation <= 8 ? static_cast<int>(orientation)
                                                                              : 1;
  }
  return 1;
}

Image upright(Image image, int orientation) {
  if (orientation == 1) return image;
  const auto [height, width] = image.size;
  const bool turned = orientation >= 5;  // columns are rows
  // What is mirrored of the picture as stored.
  const bool columns = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8,
             rows = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image result = image;
  if (turned) std::swap(result.size.height, result.size.width);
  uint8_t* to = result.pixels.data();
  for (int y = 0; y < result.size.height; ++y)
    for (int x = 0; x < result.size.width; ++x, to += image.channels) {
      int row = turned ? x : y, column = turned ? y : x;
      if (rows) row = height - 1 - row;
      if (columns) column = width - 1 - column;
      std::memcpy(to, &image.pixels[(int64_t{row} * width + column) * image.channels], image.channels);
    }
  return result;
}

}  // namespace vae::data
