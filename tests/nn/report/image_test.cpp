#include "nn/report/image.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <numeric>

#include "tensor/file.h"
#include "tests/expect_error.h"
#include "tests/file_size_limit.h"
#include "tests/temporary_directory.h"

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb/stb_image.h>
#pragma GCC diagnostic pop

namespace vae::report {
namespace {

using test::expect_error;

Image decode(const std::vector<std::byte>& png) {
  Image image;
  const std::unique_ptr<uint8_t, void (*)(void*)> pixels(
      stbi_load_from_memory(reinterpret_cast<const uint8_t*>(png.data()), static_cast<int>(png.size()),
                            &image.width, &image.height, &image.channels, 0),
      stbi_image_free);
  if (pixels) image.pixels.assign(pixels.get(), pixels.get() + image.width * image.height * image.channels);
  return image;
}

Image ramp(int width, int height, int channels) {
  Image image = blank_image(width, height, channels, 0);
  std::iota(image.pixels.begin(), image.pixels.end(), uint8_t{7});
  return image;
}

TEST(Image, PngDecodesToTheSamePixels) {
  for (const auto& [width, height, channels] :
       {std::array{1, 1, 1}, {1, 1, 3}, {13, 7, 1}, {7, 13, 3}, {300, 2, 3}}) {
    const Image image = ramp(width, height, channels), back = decode(encode_png(image));
    EXPECT_EQ(back.width, width);
    EXPECT_EQ(back.height, height);
    EXPECT_EQ(back.channels, channels);
    EXPECT_EQ(back.pixels, image.pixels);
  }
}

TEST(Image, BrokenImagesAreErrors) {
  expect_error(ErrorKind::internal, "0 x 5", [] { encode_png({0, 5, 1, {}}); });
  expect_error(ErrorKind::internal, "5 x -1", [] { encode_png({5, -1, 1, {}}); });
  expect_error(ErrorKind::internal, "4 channels", [] { encode_png({1, 1, 4, {1, 2, 3, 4}}); });
  expect_error(ErrorKind::internal, "3 bytes instead of 4", [] { encode_png({2, 2, 1, {1, 2, 3}}); });
  expect_error(ErrorKind::internal, "too large", [] { blank_image(1 << 20, 1 << 20, 3, 0); });
  expect_error(ErrorKind::internal, "0 times", [] { upscale(ramp(2, 2, 1), 0); });
  expect_error(ErrorKind::internal, "too large to enlarge", [] { upscale(ramp(1000, 1000, 3), 1000); });
}

TEST(Image, UpscaleRepeatsPixels) {
  const Image image = ramp(3, 2, 3), large = upscale(image, 4);
  ASSERT_EQ(large.width, 12);
  ASSERT_EQ(large.height, 8);
  for (int y = 0; y < 8; ++y)
    for (int x = 0; x < 12; ++x)
      for (int c = 0; c < 3; ++c)
        ASSERT_EQ(large.pixels[(y * 12 + x) * 3 + c], image.pixels[(y / 4 * 3 + x / 4) * 3 + c])
            << x << " " << y;
  EXPECT_EQ(upscale(image, 1).pixels, image.pixels);
}

TEST(Image, FilesAreWholeOrAbsent) {
  const test::TemporaryDirectory directory;
  const Image image = ramp(60, 50, 3);
  write_png(directory / "a.png", image);
  EXPECT_EQ(decode(read_file(directory / "a.png")).pixels, image.pixels);
  expect_error(ErrorKind::io, "no/b.png", [&] { write_png(directory / "no/b.png", image); });
  const test::FileSizeLimit full(100);
  expect_error(ErrorKind::io, "c.png", [&] { write_png(directory / "c.png", image); });
  EXPECT_EQ(directory.entries(), 1u);
}

}  // namespace
}  // namespace vae::report
