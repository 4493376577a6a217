#pragma once
// What tests of single pictures share: files made of bytes, read or refused.
#include <gtest/gtest.h>

#include <fstream>

#include "data/image_file.h"
#include "tests/data/pictures.h"
#include "tests/expect_error.h"
#include "tests/temporary_directory.h"

namespace vae::data {

using test::expect_error;

class ImageFile : public ::testing::Test {
 protected:
  std::filesystem::path file(const std::string& name, const std::string& content) {
    std::ofstream(directory_ / name, std::ios::binary) << content;
    return directory_ / name;
  }
  Image read(const std::string& name, const std::string& content, std::optional<int> channels = {}) {
    return read_image(file(name, content), {.channels = channels});
  }
  void refuse(const std::string& words, const std::string& name, const std::string& content) {
    const auto path = file(name, content);
    expect_error(ErrorKind::data, name, [&] { read_image(path, {.channels = 1}); });
    expect_error(ErrorKind::data, words, [&] { read_image(path, {.channels = 1}); });
  }
  test::TemporaryDirectory directory_;
};

/// Smooth colours.
inline std::vector<uint8_t> gradient(int height, int width, int channels) {
  std::vector<uint8_t> pixels;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < channels; ++c)
        pixels.push_back(static_cast<uint8_t>(c == 0 ? 200 * y / height : c == 1 ? 200 * x / width : 60));
  return pixels;
}

}  // namespace vae::data
