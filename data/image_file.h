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
  int channels = 1;              ///< 1 grey, 3 RGB
  std::vector<uint8_t> pixels;   ///< [height, width, channels], row-major
  std::vector<uint8_t> alpha{};  ///< [height, width], 255 is opaque; empty: all of it is
  bool transparent = false;      ///< so it was, until it was drawn over a background
};

/// What pictures must be, and what is made of them.
struct ImageFormat {
  std::optional<int> channels{};      ///< 1 grey, 3 RGB; none: RGB where a pixel is not grey
  std::optional<ImageSize> size{};    ///< others are refused; none: any, but one in a set
  std::optional<ImageSize> resize{};  ///< as resized() does; none: as stored
  uint8_t background = 255;           ///< grey level behind transparent pixels
};

/// Whether the name ends as that of a picture: .png, .bmp, .jpg or .jpeg, in any case.
bool is_picture(const std::filesystem::path& path);

/// Decodes a picture of the kind that its name says to 1 (grey) or 3 (RGB) opaque channels of 8 bits, turned
/// as its EXIF orientation says. Throws Error(io) if the file cannot be read and Error(data) naming it if it
/// is of another kind, damaged or incomplete, or of another size.
Image read_image(const std::filesystem::path& path, const ImageFormat& format = {});

/// The middle of a picture, as large as its sides and the shape of `size` allow, in that size: bilinear,
/// averaged over as many pixels as become one (stb_image_resize's triangle).
Image resized(const Image& image, ImageSize size);

/// Writes 1- or 3-channel pixels; the extension chooses .png or .bmp.
void write_image(const std::filesystem::path& path, std::span<const uint8_t> pixels, ImageSize size,
                 int channels);

}  // namespace vae::data
