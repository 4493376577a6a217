#include "nn/report/image.h"

#include <zlib.h>

#include <algorithm>
#include <cstdlib>

#include "tensor/error.h"
#include "tensor/file.h"

namespace vae::report {
namespace {

constexpr int kLevel = 4;  // of images half the time of zlib's default, for one percent of their size

/// For stb_image_write, which frees what it gets: zlib packs several times as fast as that does by itself.
unsigned char* deflate(unsigned char* data, int bytes, int* packed_bytes, int /*quality*/) {
  uLongf n = compressBound(static_cast<uLong>(bytes));
  auto* packed = static_cast<unsigned char*>(std::malloc(n));
  if (packed && compress2(packed, &n, data, static_cast<uLong>(bytes), kLevel) != Z_OK) {
    std::free(packed);
    return nullptr;
  }
  *packed_bytes = static_cast<int>(n);
  return packed;
}

}  // namespace
}  // namespace vae::report

#define STBIW_ZLIB_COMPRESS vae::report::deflate
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#include <stb/stb_image_write.h>

namespace vae::report {
namespace {

constexpr int64_t kMaxBytes = int64_t{1} << 28;  // stb_image_write counts in int

void check_extents(int width, int height, int channels) {
  VAE_CHECK(width > 0 && height > 0, "image of {} x {} pixels", width, height);
  VAE_CHECK(channels == 1 || channels == 3, "image of {} channels: expected 1 or 3", channels);
  VAE_CHECK(width <= kMaxBytes / height / channels, "image of {} x {} pixels is too large", width, height);
}

void append_bytes(void* context, void* data, int size) {
  auto& bytes = *static_cast<std::vector<std::byte>*>(context);
  const auto* begin = static_cast<const std::byte*>(data);
  bytes.insert(bytes.end(), begin, begin + size);
}

}  // namespace

void check_image(const Image& image) {
  check_extents(image.width, image.height, image.channels);
  const size_t expected = size_t{1} * image.width * image.height * image.channels;
  VAE_CHECK(image.pixels.size() == expected, "image of {} x {} x {} has {} bytes instead of {}", image.height,
            image.width, image.channels, image.pixels.size(), expected);
}

Image blank_image(int width, int height, int channels, uint8_t value) {
  check_extents(width, height, channels);
  return {width, height, channels, std::vector<uint8_t>(size_t{1} * width * height * channels, value)};
}

std::vector<std::byte> encode_png(const Image& image) {
  check_image(image);
  std::vector<std::byte> bytes;
  const int done = stbi_write_png_to_func(append_bytes, &bytes, image.width, image.height, image.channels,
                                          image.pixels.data(), image.width * image.channels);
  VAE_CHECK(done, "out of memory encoding a PNG of {} x {} pixels", image.width, image.height);
  return bytes;
}

void write_png(const std::filesystem::path& path, const Image& image) {
  write_file_atomically(path, encode_png(image));
}

Image upscale(const Image& image, int factor) {
  check_image(image);
  VAE_CHECK(factor >= 1 && factor <= 1024, "cannot enlarge an image {} times", factor);
  if (factor == 1) return image;
  VAE_CHECK(int64_t{image.width} * image.height * image.channels <= kMaxBytes / factor / factor,
            "image of {} x {} pixels is too large to enlarge {} times", image.width, image.height, factor);
  Image result = blank_image(image.width * factor, image.height * factor, image.channels, 0);
  const int channels = image.channels;
  const size_t row_bytes = size_t{1} * result.width * channels;
  for (int y = 0; y < image.height; ++y) {
    const auto first_row = result.pixels.begin() + y * factor * row_bytes;
    for (int x = 0; x < result.width; ++x)
      std::copy_n(&image.pixels[(size_t{1} * y * image.width + x / factor) * channels], channels,
                  first_row + x * channels);
    for (int copy = 1; copy < factor; ++copy) std::copy_n(first_row, row_bytes, first_row + copy * row_bytes);
  }
  return result;
}

}  // namespace vae::report
