#include "data/image_file.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "data/decode.h"
#include "tensor/error.h"
#include "tensor/file.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#include <stb/stb_image_write.h>
#pragma GCC diagnostic pop

namespace vae::data {
namespace {

constexpr int64_t kMaxSide = 16384, kMaxPixels = int64_t{1} << 26;

struct Kind {
  const char* name;
  std::array<std::string_view, 2> extensions;
  std::string_view signature;
  Image (*decode)(std::span<const std::byte>, const std::string&);

  bool begins(std::span<const std::byte> file) const {
    return std::string_view(reinterpret_cast<const char*>(file.data()), file.size()).starts_with(signature);
  }
};

constexpr Kind kKinds[] = {{"PNG", {".png"}, "\x89PNG\r\n\x1a\n", decode_png},
                           {"BMP", {".bmp"}, "BM", decode_bmp},
                           {"JPEG", {".jpg", ".jpeg"}, "\xff\xd8", decode_jpeg}};

/// The kind of picture that a name says.
const Kind* kind_of(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const Kind& kind : kKinds)
    if (!extension.empty() && std::ranges::count(kind.extensions, extension)) return &kind;
  return nullptr;
}

bool is_grey(const Image& image) {
  for (size_t i = 0; image.channels == 3 && i < image.pixels.size(); i += 3)
    if (image.pixels[i] != image.pixels[i + 1] || image.pixels[i] != image.pixels[i + 2]) return false;
  return true;
}

/// Grey by the weights of ITU-R BT.601, which leave grey pixels of a colour picture as they are.
Image with_channels(const Image& image, int channels) {
  Image result{image.size, channels, {}};
  result.pixels.reserve(image.pixels.size() / image.channels * channels);
  for (size_t i = 0; i < image.pixels.size(); i += image.channels) {
    const uint8_t* p = &image.pixels[i];
    if (channels == 3)
      result.pixels.insert(result.pixels.end(), 3, *p);
    else
      result.pixels.push_back(static_cast<uint8_t>((77 * p[0] + 150 * p[1] + 29 * p[2]) >> 8));
  }
  return result;
}

}  // namespace

ImageSize checked_size(int64_t height, int64_t width, const std::string& name) {
  if (height < 1 || width < 1 || height > kMaxSide || width > kMaxSide || height > kMaxPixels / width)
    fail(ErrorKind::data, "{}: the picture is {}x{}, expected 1 to {} pixels on a side and {} at most", name,
         width, height, kMaxSide, kMaxPixels);
  return {static_cast<int>(height), static_cast<int>(width)};
}

bool is_picture(const std::filesystem::path& path) { return kind_of(path) != nullptr; }

Image read_image(const std::filesystem::path& path, std::optional<int> channels,
                 std::optional<ImageSize> expected) {
  VAE_CHECK(channels.value_or(1) == 1 || channels == 3, "{} channels", *channels);
  const std::string name = path.string();
  const Kind* kind = kind_of(path);
  if (!kind) fail(ErrorKind::data, "{}: no picture by its name, expected .png, .bmp, .jpg or .jpeg", name);
  const auto file = read_file(path);
  if (!kind->begins(file)) {
    for (const Kind& other : kKinds)
      if (other.begins(file))
        fail(ErrorKind::data, "{}: not a readable {} picture, its content is {}", name, kind->name,
             other.name);
    fail(ErrorKind::data, "{}: not a readable {} picture", name, kind->name);
  }
  Image image = kind->decode(file, name);
  if (expected && image.size != *expected)
    fail(ErrorKind::data, "{}: the picture is {}x{}, expected {}x{}", name, image.size.width,
         image.size.height, expected->width, expected->height);
  VAE_CHECK(static_cast<int64_t>(image.pixels.size()) ==
                int64_t{image.size.height} * image.size.width * image.channels,
            "{}: {} bytes of pixels", name, image.pixels.size());
  const int wanted = channels.value_or(is_grey(image) ? 1 : 3);
  return wanted == image.channels ? image : with_channels(image, wanted);
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
