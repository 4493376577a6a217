#pragma once
// What every picture must be once it is read.
#include "data/image_file.h"
#include "tests/fuzz/target.h"

namespace vae::fuzz {

/// Reads a picture as stored, and in grey and of some size: both are refused, or none.
inline void check_picture(const std::string& name, const std::string& content) {
  const auto path = file(name, bytes(content));
  data::Image image;
  const bool read = accepts([&] { image = data::read_image(path); });
  const auto extent = [&](size_t i) {
    return content.size() > i ? 1 + static_cast<unsigned char>(content[content.size() - 1 - i]) % 40 : 1;
  };
  const data::ImageSize size{extent(8), extent(9)};
  if (read)
    require(image.pixels.size() == static_cast<size_t>(image.size.height) * image.size.width * image.channels,
            "pixels fill the size");
  require(accepts([&] { image = data::read_image(path, {.channels = 1, .resize = size}); }) == read,
          "read in every format");
  if (read) require(image.pixels.size() == static_cast<size_t>(size.height) * size.width, "resized");
}

}  // namespace vae::fuzz
