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
#define STB_IMAGE_RESIZE_STATIC
#define STBIR_ASSERT(x)  // it refuses weights of 11 pixels to 7, which it normalises right behind
#define STB_IMAGE_RESIZE_IMPLEMENTATION
#include <stb/stb_image_resize.h>
#pragma GCC diagnostic pop

namespace vae::data {
namespace {

constexpr int64_t kMaxSide = 16384, kMaxPixels = int64_t{1} << 26;
constexpr int64_t kMaxPixelBytes = 8,
                  kMaxRest = int64_t{1} << 24;  // of a file: four samples of 16 bits, the rest

/// Bytes that the file of a picture may have.
uint64_t most_bytes(const ImageFormat& format) {
  const bool open = !format.size || format.resize;
  const int64_t pixels = open ? kMaxPixels : int64_t{format.size->height} * format.size->width;
  return static_cast<uint64_t>(kMaxPixelBytes * std::min(pixels, kMaxPixels) + kMaxRest);
}

struct Kind {
  const char* name;
  std::array<std::string_view, 2> extensions;
  std::string_view signature;
  Image (*decode)(std::span<const std::byte>, const std::string&, const ExpectedSize&);

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

/// Draws a transparent picture over a grey level.
void put_before(Image& image, uint8_t background) {
  for (size_t i = 0; i < image.pixels.size(); ++i) {
    const int alpha = image.alpha[i / image.channels];
    image.pixels[i] =
        static_cast<uint8_t>((image.pixels[i] * alpha + background * (255 - alpha) + 127) / 255);
  }
  image.alpha.clear();
  image.transparent = true;
}

/// Grey by the weights of ITU-R BT.601, which leave grey pixels of a colour picture as they are.
Image with_channels(const Image& image, int channels) {
  Image result{image.size, channels, {}, {}, image.transparent};
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

[[noreturn]] void fail_size(ImageSize size, ImageSize expected, const std::string& name) {
  fail(ErrorKind::data, "{}: the picture is {}x{}, expected {}x{} (--resize brings all to one size)", name,
       size.width, size.height, expected.width, expected.height);
}

}  // namespace

ImageSize checked_size(int64_t height, int64_t width, const std::string& name, const ExpectedSize& expected) {
  if (height < 1 || width < 1 || height > kMaxSide || width > kMaxSide || height > kMaxPixels / width)
    fail(ErrorKind::data, "{}: the picture is {}x{}, expected 1 to {} pixels on a side and {} at most", name,
         width, height, kMaxSide, kMaxPixels);
  const ImageSize size{static_cast<int>(height), static_cast<int>(width)};
  if (expected && size != *expected && ImageSize{size.width, size.height} != *expected)
    fail_size(size, *expected, name);
  return size;
}

bool is_picture(const std::filesystem::path& path) { return kind_of(path) != nullptr; }

Image read_image(const std::filesystem::path& path, const ImageFormat& format) {
  VAE_CHECK(format.channels.value_or(1) == 1 || format.channels == 3, "{} channels", *format.channels);
  const std::string name = path.string();
  const Kind* kind = kind_of(path);
  if (!kind) fail(ErrorKind::data, "{}: no picture by its name, expected .png, .bmp, .jpg or .jpeg", name);
  const auto file = read_file(path, most_bytes(format));
  if (!kind->begins(file)) {
    for (const Kind& other : kKinds)
      if (other.begins(file))
        fail(ErrorKind::data, "{}: not a readable {} picture, its content is {}", name, kind->name,
             other.name);
    fail(ErrorKind::data, "{}: not a readable {} picture", name, kind->name);
  }
  const auto& [channels, size, resize, background] = format;
  Image image = kind->decode(file, name, resize ? std::nullopt : size);
  VAE_CHECK(static_cast<int64_t>(image.pixels.size()) ==
                int64_t{image.size.height} * image.size.width * image.channels,
            "{}: {} bytes of pixels", name, image.pixels.size());
  if (!image.alpha.empty()) put_before(image, background);
  const int wanted = channels.value_or(is_grey(image) ? 1 : 3);
  if (wanted != image.channels) image = with_channels(image, wanted);
  if (resize && image.size != *resize) image = resized(image, *resize);
  if (size && image.size != *size) fail_size(image.size, *size, name);
  return image;
}

Image resized(const Image& image, ImageSize size) {
  const auto [height, width] = image.size;
  // of the shape of `size`, at least a pixel
  const int middle_width = std::max(
                1, static_cast<int>(std::min<int64_t>(width, int64_t{height} * size.width / size.height))),
            middle_height = std::max(
                1, static_cast<int>(std::min<int64_t>(height, int64_t{width} * size.height / size.width)));
  const int channels = image.channels, stride = width * channels;
  const uint8_t* first = &image.pixels[int64_t{(height - middle_height) / 2} * stride +
                                       int64_t{(width - middle_width) / 2} * channels];
  Image result{size,
               channels,
               std::vector<uint8_t>(int64_t{size.height} * size.width * channels),
               {},
               image.transparent};
  const int done = stbir_resize_uint8_generic(
      first, middle_width, middle_height, stride, result.pixels.data(), size.width, size.height, 0, channels,
      STBIR_ALPHA_CHANNEL_NONE, 0, STBIR_EDGE_CLAMP, STBIR_FILTER_TRIANGLE, STBIR_COLORSPACE_LINEAR, nullptr);
  VAE_CHECK(done, "out of memory for a picture of {}x{}", size.width, size.height);
  return result;
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
