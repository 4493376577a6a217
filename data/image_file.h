#pragma once
// Single pictures: PNG, BMP and JPEG to pixels and back.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

namespace vae::data {

struct ImageSize {
  int height = 0, width = 0;
  bool operator==(const ImageSize&) const = default;
};

struct Image {
  ImageSize size;
  int channels = 1;             ///< 1 grey, 3 RGB
  std::vector<uint8_t> pixels;  ///< [height, width, channels], row-major
};

/// Whether the name ends as that of a picture: .png, .bmp, .jpg or .jpeg, in any case.
bool is_picture(const std::filesystem::path& path);

/// Decodes a picture of the kind that its name says to 1 (grey) or 3 (RGB) channels of 8 bits; where that is
/// left open, to 3 if there is a pixel that is not grey. Transparency is dropped. Throws Error(io) if the
/// file cannot be read and Error(data) naming it if it is of another kind, damaged or incomplete, or not of
/// the `expected` size.
Image read_image(const std::filesystem::path& path, std::optional<int> channels = {},
                 std::optional<ImageSize> expected = {});

/// Writes 1- or 3-channel pixels; the extension chooses .png or .bmp.
void write_image(const std::filesystem::path& path, std::span<const uint8_t> pixels, ImageSize size,
                 int channels);

}  // namespace vae::data
