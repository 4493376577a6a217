#include "data/image_file.h"

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>

#include "tensor/error.h"
#include "tensor/file.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_NO_STDIO
#define STBI_ONLY_PNG
#define STBI_ONLY_BMP
#define STBI_ONLY_JPEG
#define STBI_MAX_DIMENSIONS 16384
#include <stb/stb_image.h>
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#include <stb/stb_image_write.h>
#pragma GCC diagnostic pop

namespace vae::data {

Image read_image(const std::filesystem::path& path, int channels, ImageSize expected) {
  VAE_CHECK(channels == 1 || channels == 3, "{} channels", channels);
  const auto file = read_file(path);
  const auto* bytes = reinterpret_cast<const stbi_uc*>(file.data());
  const int size = static_cast<int>(std::min<size_t>(file.size(), INT32_MAX));
  Image image;
  int channels_in_file = 0;
  if (!stbi_info_from_memory(bytes, size, &image.size.width, &image.size.height, &channels_in_file))
    fail(ErrorKind::data, "{}: not a readable PNG, BMP or JPEG picture ({})", path.string(),
         stbi_failure_reason());
  if (expected != ImageSize{} && image.size != expected)
    fail(ErrorKind::data, "{}: the picture is {}x{}, expected {}x{}", path.string(), image.size.width,
         image.size.height, expected.width, expected.height);
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_memory(bytes, size, &image.size.width, &image.size.height, &channels_in_file, channels),
      stbi_image_free);
  if (!pixels) fail(ErrorKind::data, "{}: damaged picture ({})", path.string(), stbi_failure_reason());
  image.pixels.assign(pixels.get(), pixels.get() + int64_t{image.size.width} * image.size.height * channels);
  return image;
}

void write_image(const std::filesystem::path& path, std::span<const uint8_t> pixels, ImageSize size,
                 int channels) {
  VAE_CHECK(channels == 1 || channels == 3, "{} channels", channels);
  VAE_CHECK(static_cast<int64_t>(pixels.size()) == int64_t{size.width} * size.height * channels,
            "{} pixel bytes for {}x{}x{}", pixels.size(), size.height, size.width, channels);
  std::string content;
  const auto append = [](void* to, void* bytes, int count) {
    static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), count);
  };
  const bool png = path.extension() == ".png";
  VAE_CHECK(png || path.extension() == ".bmp", "{}: pictures are written as .png or .bmp", path.string());
  const int written =
      png ? stbi_write_png_to_func(append, &content, size.width, size.height, channels, pixels.data(),
                                   size.width * channels)
          : stbi_write_bmp_to_func(append, &content, size.width, size.height, channels, pixels.data());
  VAE_CHECK(written != 0, "{}: the picture could not be encoded", path.string());
  write_file_atomically(path, content);
}

}  // namespace vae::data
