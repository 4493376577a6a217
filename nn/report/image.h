#pragma once
// 8-bit images and PNG files. An Image is checked where it is used, so a broken one is an error, never a wild
// read.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace vae::report {

struct Image {
  int width = 0;
  int height = 0;
  int channels = 1;                  ///< 1 grey, 3 RGB
  std::vector<uint8_t> pixels = {};  ///< [height, width, channels], top row first
};

/// Throws Error(internal) unless width and height are positive, channels is 1 or 3, the image has at most
/// 2^28 bytes and `pixels` has exactly that many.
void check_image(const Image& image);

/// An image of one value. Throws as check_image.
Image blank_image(int width, int height, int channels, uint8_t value);

/// The PNG file of an image, in memory.
std::vector<std::byte> encode_png(const Image& image);

/// Writes a PNG atomically. Throws Error(io) naming the path.
void write_png(const std::filesystem::path& path, const Image& image);

/// Every pixel repeated `factor` times in both directions (nearest neighbour). Throws Error(internal) if
/// factor < 1.
Image upscale(const Image& image, int factor);

}  // namespace vae::report
