#pragma once
// Single pictures: PNG, BMP and JPEG to pixels and back.
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace vae::data {

struct ImageSize {
  int height = 0, width = 0;
  bool operator==(const ImageSize&) const = default;
};

struct Image {
  ImageSize size;
  std::vector<uint8_t> pixels;  ///< [height, width, channels], row-major
};

/// Decodes a picture to 1 (grey) or 3 (RGB) channels of 8 bits. Throws Error(io) if the file cannot be read
/// and Error(data) naming it if it is no readable picture or, with `expected` set, not of that size.
Image read_image(const std::filesystem::path& path, int channels, ImageSize expected = {});

/// Writes 1- or 3-channel pixels; the extension chooses .png or .bmp.
void write_image(const std::filesystem::path& path, std::span<const uint8_t> pixels, ImageSize size,
                 int channels);

}  // namespace vae::data
