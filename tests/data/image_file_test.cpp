// Pictures whatever their kind: names and contents, colours, damage at every place.
#include <algorithm>

#include "tensor/file.h"
#include "tests/data/image_file_fixture.h"

namespace vae::data {
namespace {

using test::Bmp;
using test::png;
using test::png_chunk;
using test::png_header;

TEST_F(ImageFile, ContentIsWhatTheNameSays) {
  const auto pixels = gradient(4, 4, 1);
  write_image(directory_ / "a.png", pixels, {4, 4}, 1);
  write_image(directory_ / "a.bmp", pixels, {4, 4}, 1);
  file("a.jpg", test::jpeg(pixels, 4, 4, 1));
  for (const auto& [from, kind] : {std::pair("a.png", "PNG"), {"a.bmp", "BMP"}, {"a.jpg", "JPEG"}})
    for (const char* to : {"b.png", "b.bmp", "b.jpeg"}) {
      std::filesystem::copy_file(directory_ / from, directory_ / to,
                                 std::filesystem::copy_options::overwrite_existing);
      if (std::string(from).substr(2, 1) == std::string(to).substr(2, 1)) continue;
      expect_error(ErrorKind::data, fmt::format("picture, its content is {}", kind),
                   [&] { read_image(directory_ / to); });
    }
  refuse("no picture by its name", "a.gif", "GIF89a");
  refuse("no picture by its name", "png", "GIF89a");
  for (const char* name : {"c.png", "c.bmp", "c.jpg"}) {
    refuse("not a readable", name, "");
    refuse("not a readable", name, "\x89P");
  }
}

TEST_F(ImageFile, ColourIsWhatThePixelsAre) {
  const auto colour = gradient(4, 5, 3);
  std::vector<uint8_t> grey;
  for (int i = 0; i < 20; ++i) grey.insert(grey.end(), 3, static_cast<uint8_t>(12 * i));
  for (const char* name : {"a.png", "a.bmp"}) {
    write_image(directory_ / name, colour, {4, 5}, 3);
    EXPECT_EQ(read_image(directory_ / name).channels, 3);
    EXPECT_EQ(read_image(directory_ / name, {.channels = 1}).pixels[0], (60 * 29) >> 8);
    write_image(directory_ / name, grey, {4, 5}, 3);
    const Image image = read_image(directory_ / name);
    EXPECT_EQ(image.channels, 1);
    EXPECT_EQ(image.pixels.at(7), 84);
    EXPECT_EQ(read_image(directory_ / name, {.channels = 3}).pixels, grey);
  }
}

TEST_F(ImageFile, ResizedFromAnySizeToAnyKeepsALevel) {
  for (int from = 1; from <= 40; ++from)
    for (int to = 1; to <= 40; ++to) {
      const Image image{{from, from}, 1, std::vector<uint8_t>(static_cast<size_t>(from) * from, 200)};
      const auto [low, high] = std::ranges::minmax(resized(image, {to, to}).pixels);
      ASSERT_TRUE(low >= 199 && high <= 201)
          << from << " to " << to << ": " << int{low} << " to " << int{high};
    }
}

TEST_F(ImageFile, ResizedIsTheMiddleAveraged) {
  const Image stripes{{2, 6}, 1, {9, 9, 0, 200, 9, 9, 9, 9, 100, 100, 9, 9}};
  EXPECT_EQ(resized(stripes, {2, 2}).pixels, (std::vector<uint8_t>{0, 200, 100, 100}));
  EXPECT_EQ(resized(stripes, {1, 1}).pixels, (std::vector<uint8_t>{100}));
  for (const auto& [from, to] :
       {std::pair(ImageSize{40, 30}, ImageSize{8, 8}), {{3, 5}, {9, 7}}, {{1, 900}, {3, 2}}})
    for (const int channels : {1, 3}) {
      const std::vector<uint8_t> level(static_cast<size_t>(from.height) * from.width * channels, 77);
      const Image small = resized({from, channels, level}, to);
      EXPECT_EQ(small.size, to);
      EXPECT_EQ(small.pixels, std::vector<uint8_t>(static_cast<size_t>(to.height) * to.width * channels, 77));
    }
  write_image(directory_ / "a.png", gradient(40, 30, 3), {40, 30}, 3);
  const Image image = read_image(directory_ / "a.png", {.resize = ImageSize{8, 8}});
  EXPECT_EQ(image.size, (ImageSize{8, 8}));
  for (int y = 1; y < 8; ++y) EXPECT_GT(image.pixels[24 * y], image.pixels[24 * (y - 1)]);
  expect_error(ErrorKind::data, "30x40, expected 8x8 (--resize", [&] {
    read_image(directory_ / "a.png", {.size = ImageSize{8, 8}});
  });
}

/// No memory is taken for pixels that are not wanted: what follows the headers is not looked at.
TEST_F(ImageFile, AnotherSizeIsRefusedByItsHeader) {
  std::string large_jpeg = test::jpeg(gradient(40, 40, 3), 40, 40, 3);
  const size_t frame = large_jpeg.find("\xff\xc0");
  ASSERT_NE(frame, std::string::npos);
  large_jpeg[frame + 5] = '\x10', large_jpeg[frame + 6] = '\0';
  large_jpeg[frame + 7] = '\x40', large_jpeg[frame + 8] = '\0';
  for (const auto& path :
       {file("a.png", test::kPngSignature + png_header(16384, 4096, 8, 2)),
        file("a.bmp", Bmp{.width = 16384, .height = 4096}.file()), file("a.jpg", large_jpeg)})
    expect_error(ErrorKind::data, "the picture is 16384x4096, expected 28x28", [&] {
      read_image(path, {.size = ImageSize{28, 28}});
    });
}

/// Every byte of a file changed in several ways, and the file cut off anywhere: a picture of the right size
/// or an Error(data), whatever comes.
TEST_F(ImageFile, MutationsAreReadOrRefused) {
  const auto grey = gradient(9, 7, 1), colour = gradient(9, 7, 3);
  std::string rows, palette;
  for (int y = 0; y < 9; ++y) rows += std::string(1, '\0') + std::string(7, static_cast<char>(y));
  for (int i = 0; i < 9; ++i) palette += "abc";
  write_image(directory_ / "colour.png", colour, {9, 7}, 3);
  write_image(directory_ / "colour.bmp", colour, {9, 7}, 3);
  file("palette.png", png(png_header(7, 9, 8, 3) + png_chunk("PLTE", palette), rows));
  file("palette.bmp", Bmp{.width = 7,
                          .height = 9,
                          .depth = 4,
                          .info = std::string(64, 'q'),
                          .pixels = std::string(36, '\x21')}
                          .file());
  file("grey.jpg", test::jpeg(grey, 9, 7, 1));
  file("slow.jpg", test::jpeg(colour, 9, 7, 3, true));
  int tried = 0, accepted = 0;
  for (const char* name :
       {"colour.png", "colour.bmp", "palette.png", "palette.bmp", "grey.jpg", "slow.jpg"}) {
    const auto good = read_file(directory_ / name);
    const auto path = directory_ / (std::string("mutated.") + name);
    ASSERT_EQ(read_image(directory_ / name).size, (ImageSize{9, 7}));
    const auto look = [&](const std::vector<std::byte>& content) {
      std::ofstream(path, std::ios::binary)
          .write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
      ++tried;
      try {
        const Image image = read_image(path, {.channels = 3});
        const int64_t pixels = int64_t{image.size.height} * image.size.width;
        EXPECT_EQ(static_cast<int64_t>(image.pixels.size()), 3 * pixels);
        EXPECT_GE(pixels, 1);
        ++accepted;
      } catch (const Error& e) {
        EXPECT_EQ(static_cast<int>(e.kind()), static_cast<int>(ErrorKind::data)) << e.what();
        EXPECT_NE(std::string(e.what()).find(name), std::string::npos) << e.what();
      }
    };
    for (size_t i = 0; i < good.size(); ++i) {
      for (const int flip : {0x01, 0x80, 0xff}) {
        auto bad = good;
        bad[i] ^= static_cast<std::byte>(flip);
        look(bad);
      }
      look({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(i)});
    }
  }
  EXPECT_GT(tried, 4000);
  EXPECT_LT(accepted, tried / 2);
}

}  // namespace
}  // namespace vae::data
