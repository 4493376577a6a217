// Pictures of other people: every kind that there is, and what is wrong with some of them.
#include "data/image_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "tensor/file.h"
#include "tests/data/pictures.h"
#include "tests/expect_error.h"
#include "tests/temporary_directory.h"

namespace vae::data {
namespace {

using test::Bmp;
using test::expect_error;
using test::little_endian;
using test::png;
using test::png_chunk;
using test::png_header;

class ImageFile : public ::testing::Test {
 protected:
  std::filesystem::path file(const std::string& name, const std::string& content) {
    std::ofstream(directory_ / name, std::ios::binary) << content;
    return directory_ / name;
  }
  Image read(const std::string& name, const std::string& content, std::optional<int> channels = {}) {
    return read_image(file(name, content), channels);
  }
  void refuse(const std::string& words, const std::string& name, const std::string& content) {
    const auto path = file(name, content);
    expect_error(ErrorKind::data, name, [&] { read_image(path, 1); });
    expect_error(ErrorKind::data, words, [&] { read_image(path, 1); });
  }
  test::TemporaryDirectory directory_;
};

/// Smooth colours.
std::vector<uint8_t> gradient(int height, int width, int channels) {
  std::vector<uint8_t> pixels;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < channels; ++c)
        pixels.push_back(static_cast<uint8_t>(c == 0 ? 200 * y / height : c == 1 ? 200 * x / width : 60));
  return pixels;
}

TEST_F(ImageFile, PngOfEveryColourDepthAndFilter) {
  constexpr int kHeight = 11, kWidth = 13;
  constexpr int kAdam7[][4] = {{0, 0, 8, 8}, {0, 4, 8, 8}, {4, 0, 8, 4}, {0, 2, 4, 4},
                               {2, 0, 4, 2}, {0, 1, 2, 2}, {1, 0, 2, 1}};
  constexpr int kWhole[][4] = {{0, 0, 1, 1}};
  const auto value = [](int y, int x, int c, int depth) {
    return (y * 7919 + x * 104729 + c * 1299709) % 65536 >> (16 - depth);
  };
  std::string palette;
  for (int i = 0; i < 256; ++i)
    palette += {static_cast<char>(i), static_cast<char>(255 - i), static_cast<char>(3 * i)};
  struct Kind {
    int colour, samples;
    std::vector<int> depths;
  };
  for (const auto& [colour, samples, depths] :
       {Kind{0, 1, {1, 2, 4, 8, 16}}, Kind{2, 3, {8, 16}}, Kind{3, 1, {1, 2, 4, 8}}, Kind{4, 2, {8, 16}},
        Kind{6, 4, {8, 16}}})
    for (const int depth : depths)
      for (const bool interlaced : {false, true}) {
        SCOPED_TRACE(fmt::format("colour {} depth {} interlaced {}", colour, depth, interlaced));
        std::string rows;
        int filter = 0;
        const auto passes = interlaced ? std::span<const int[4]>(kAdam7) : std::span<const int[4]>(kWhole);
        for (const auto& [y0, x0, dy, dx] : passes) {
          std::string before;
          for (int y = y0; y < kHeight && x0 < kWidth; y += dy) {
            std::vector<int> row;
            for (int x = x0; x < kWidth; x += dx)
              for (int c = 0; c < samples; ++c) row.push_back(value(y, x, c, depth));
            rows += test::png_row(row, depth, filter++ % 5, std::max(1, samples * depth / 8), before);
          }
        }
        const std::string colours = colour == 3 ? png_chunk("PLTE", palette.substr(0, 3u << depth)) : "";
        const Image image =
            read("a.png", png(png_header(kWidth, kHeight, depth, colour, interlaced) + colours, rows), 3);
        ASSERT_EQ(image.size, (ImageSize{kHeight, kWidth}));
        std::vector<uint8_t> expected;
        for (int y = 0; y < kHeight; ++y)
          for (int x = 0; x < kWidth; ++x)
            for (int c = 0; c < 3; ++c) {
              const int stored = value(y, x, colour == 2 || colour == 6 ? c : 0, depth);
              expected.push_back(static_cast<uint8_t>(colour == 3   ? palette[3 * stored + c]
                                                      : depth == 16 ? stored >> 8
                                                                    : stored * 255 / ((1 << depth) - 1)));
            }
        EXPECT_EQ(image.pixels, expected);
      }
}

TEST_F(ImageFile, PngIsCheckedInEveryPart) {
  const std::string header = png_header(3, 2, 8, 0), rows("\0abc\0def", 8);
  const std::string pixels = png_chunk("IDAT", test::zlib_stream(rows)), end = png_chunk("IEND", "");
  const auto chunks = [](const std::string& text) { return test::kPngSignature + text; };
  EXPECT_EQ(read("a.png", png(header + png_chunk("teXt", "any"), rows)).pixels,
            (std::vector<uint8_t>{'a', 'b', 'c', 'd', 'e', 'f'}));
  {  // IDAT in two parts is one stream
    const std::string packed = test::zlib_stream(rows);
    EXPECT_EQ(read("a.png", chunks(header + png_chunk("IDAT", packed.substr(0, 5)) +
                                   png_chunk("IDAT", packed.substr(5)) + end))
                  .pixels.size(),
              6u);
  }
  std::string wrong_crc = png(header, rows);
  wrong_crc[wrong_crc.size() - 14] ^= 1;  // the last byte of IDAT's
  refuse("wrong checksum", "a.png", wrong_crc);
  std::string stream = test::zlib_stream(rows);
  stream.back() ^= 1;
  refuse("incorrect data check", "a.png", chunks(header + png_chunk("IDAT", stream) + end));
  refuse("fewer pixels", "a.png", png(header, rows.substr(0, 7)));
  refuse("more pixels", "a.png", png(header, rows + "x"));
  refuse("fewer pixels", "a.png",
         chunks(header + png_chunk("IDAT", test::zlib_stream(rows).substr(0, 6)) + end));
  refuse("bytes follow", "a.png", chunks(header + png_chunk("IDAT", test::zlib_stream(rows) + "x") + end));
  refuse("ends early", "a.png", chunks(header + pixels));
  refuse("IEND is out of place", "a.png", chunks(header + end));
  refuse("IDAT is out of place", "a.png", chunks(pixels + end));
  refuse("IDAT is out of place", "a.png", chunks(header + pixels + png_chunk("teXt", "") + pixels + end));
  refuse("IHDR is out of place", "a.png", chunks(header + header + pixels + end));
  refuse("CgBI is out of place", "a.png", chunks(header + png_chunk("CgBI", "") + pixels + end));
  refuse("no such chunk", "a.png", chunks(header + png_chunk("a\nbc", "") + pixels + end));
  refuse("no such filter: 5", "a.png", png(header, std::string("\5abc\0def", 8)));
  for (const auto& [depth, colour] : {std::pair(3, 0), {16, 3}, {4, 2}, {8, 1}, {8, 7}, {0, 0}})
    refuse("no such format", "a.png", png(png_header(3, 2, depth, colour), rows));
  refuse("no such format", "a.png", png(png_header(3, 2, 8, 0, 2), rows));
  for (const auto& [width, height] : {std::pair(0u, 2u), {3u, 0u}, {0u, 0u}, {0x80000000u, 1u}, {16385u, 1u}})
    refuse("expected 1 to 16384", "a.png", png(png_header(width, height, 8, 0), rows));
  refuse("fewer pixels", "a.png", png(png_header(8192, 8192, 16, 6), rows));  // takes no memory for the claim
}

TEST_F(ImageFile, PngPalettes) {
  const std::string header = png_header(3, 1, 8, 3), rows("\0\0\1\2", 4);
  const std::string grey = png_chunk("PLTE", "aaabbbccc"), colour = png_chunk("PLTE", "aaabbbcxc");
  EXPECT_EQ(read("a.png", png(header + grey, rows)).pixels, (std::vector<uint8_t>{'a', 'b', 'c'}));
  EXPECT_EQ(read("a.png", png(header + colour, rows)).channels, 3);
  refuse("colour 2 of a palette of 2", "a.png", png(header + png_chunk("PLTE", "aaabbb"), rows));
  refuse("IDAT is out of place", "a.png", png(header, rows));
  refuse("PLTE is out of place", "a.png", png(header + grey + grey, rows));
  refuse("PLTE is out of place", "a.png", png(png_header(3, 1, 8, 0) + grey, rows));
  refuse("a palette of 4 bytes", "a.png", png(header + png_chunk("PLTE", "aaab"), rows));
  refuse("a palette of 0 bytes", "a.png", png(header + png_chunk("PLTE", ""), rows));
  refuse("a palette of 9 bytes", "a.png", png(png_header(3, 1, 1, 3) + grey, std::string(2, '\0')));
}

TEST_F(ImageFile, BmpOfEveryDepth) {
  const std::string palette("\1\2\3\0\7\7\7\0\11\12\13\0", 12);  // blue, green, red
  const std::vector<uint8_t> expected = {3, 2, 1, 7, 7, 7, 7, 7, 7, 3, 2, 1};
  const auto of = [&](uint32_t depth, const std::string& pixels) {
    return Bmp{.width = 2,
               .height = 2,
               .depth = depth,
               .colours = depth == 1 ? 2u : 3u,
               .info = palette.substr(0, depth == 1 ? 8 : 12),
               .pixels = pixels}
        .file();
  };
  // The lower row comes first, in four bytes.
  EXPECT_EQ(read("a.bmp", of(8, std::string("\1\0\0\0\0\1\0\0", 8))).pixels, expected);
  EXPECT_EQ(read("a.bmp", of(4, std::string("\x10\0\0\0\x01\0\0\0", 8))).pixels, expected);
  EXPECT_EQ(read("a.bmp", of(1, std::string("\x80\0\0\0\x40\0\0\0", 8))).pixels, expected);
  const std::string true_colour("\7\7\7\1\2\3\0\0\1\2\3\7\7\7\0\0", 16);
  EXPECT_EQ(read("a.bmp", Bmp{.width = 2, .height = 2, .pixels = true_colour}.file()).pixels, expected);
  const std::string upside_down = true_colour.substr(8) + true_colour.substr(0, 8);
  EXPECT_EQ(read("a.bmp", Bmp{.width = 2, .height = static_cast<uint32_t>(-2), .pixels = upside_down}.file())
                .pixels,
            expected);
  const std::string word = little_endian(0x1f << 10 | 0x10, 2) + std::string(2, '\0');
  EXPECT_EQ(read("a.bmp", Bmp{.width = 1, .height = 1, .depth = 16, .pixels = word}.file()).pixels,
            (std::vector<uint8_t>{255, 0, 132}));
  const std::string masks = little_endian(0xff) + little_endian(0xff00) + little_endian(0xff0000);
  EXPECT_EQ(read("a.bmp", Bmp{.width = 1,
                              .height = 1,
                              .depth = 32,
                              .compression = 3,
                              .info = masks,
                              .pixels = std::string("\1\2\3\4", 4)}
                              .file())
                .pixels,
            (std::vector<uint8_t>{1, 2, 3}));
}

TEST_F(ImageFile, BmpIsCheckedInEveryPart) {
  const std::string pixels(4 * 3 * 3, 'p'), palette(4 * 2, 'q');
  EXPECT_EQ(read("a.bmp", Bmp{.pixels = pixels}.file()).channels, 1);  // every byte the same
  for (const auto& [width, height] :
       {std::pair(0u, 3u), {4u, 0u}, {0u, 0u}, {0xfffffffcu, 3u}, {4u, 0x80000000u}})
    refuse("expected 1 to 16384", "a.bmp", Bmp{.width = width, .height = height, .pixels = pixels}.file());
  refuse("ends early", "a.bmp", Bmp{.pixels = pixels.substr(1)}.file());
  refuse("ends early", "a.bmp", Bmp{.width = 8000, .height = 8000, .pixels = pixels}.file());
  refuse("ends early", "a.bmp", Bmp{.pixels = pixels}.file().substr(0, 25));
  refuse("shorter than it claims", "a.bmp", Bmp{.pixels = pixels}.file().substr(0, 60));
  refuse("no such header", "a.bmp", Bmp{.header = 41, .pixels = pixels}.file());
  refuse("not one plane", "a.bmp", Bmp{.planes = 2, .pixels = pixels}.file());
  refuse("no such number of bits", "a.bmp", Bmp{.depth = 2, .pixels = pixels}.file());
  refuse("method 1", "a.bmp", Bmp{.depth = 8, .compression = 1, .pixels = pixels}.file());
  refuse("too many colours", "a.bmp",
         Bmp{.depth = 1, .colours = 3, .info = palette, .pixels = pixels}.file());
  refuse("palette is cut off", "a.bmp", Bmp{.depth = 8, .info = palette, .pixels = pixels}.file());
  refuse("colour 113 of a palette of 2", "a.bmp",
         Bmp{.depth = 8, .colours = 2, .info = palette, .pixels = std::string(12, 'q')}.file());
  refuse("no such mask", "a.bmp",
         Bmp{.depth = 32, .compression = 3, .info = std::string(12, '\0'), .pixels = std::string(48, 'p')}
             .file());
  std::string offset = Bmp{.pixels = pixels}.file();
  offset[10] = 20;
  refuse("out of place", "a.bmp", offset);
  offset[12] = 1;
  refuse("out of place", "a.bmp", offset);
}

TEST_F(ImageFile, JpegOfEveryKind) {
  for (const int channels : {1, 3})
    for (const bool progressive : {false, true})
      for (const char* name : {"a.jpg", "a.jpeg", "a.JPG", "a.JPEG"}) {
        const auto pixels = gradient(19, 21, channels);
        const Image image = read(name, test::jpeg(pixels, 19, 21, channels, progressive));
        ASSERT_EQ(image.size, (ImageSize{19, 21}));
        ASSERT_EQ(image.channels, channels);
        int worst = 0;
        for (size_t i = 0; i < pixels.size(); ++i)
          worst = std::max(worst, std::abs(pixels[i] - image.pixels[i]));
        EXPECT_LE(worst, 12) << name;
      }
  refuse("4 components (CMYK)", "a.jpg", test::jpeg(gradient(8, 8, 4), 8, 8, 4));
}

TEST_F(ImageFile, JpegOfHuffmanTablesThatOverrun) {
  const std::string good = test::jpeg(gradient(8, 8, 1), 8, 8, 1);
  const size_t table = good.find("\xff\xc4");
  ASSERT_NE(table, std::string::npos);
  for (int bits = 0; bits < 16; ++bits)
    for (const int count : {17, 129, 255}) {
      std::string bad = good;
      bad[table + 5 + bits] = static_cast<char>(count);
      refuse("Huffman", "a.jpg", bad);
    }
  // 16 counts of 255 in a table that is as long as they claim: more than 256 symbols.
  std::string counts(16, '\xff');
  const std::string body = std::string(1, '\0') + counts + std::string(16 * 255, 'x');
  const size_t length = body.size() + 2;
  const std::string segment =
      std::string("\xff\xc4") + static_cast<char>(length >> 8) + static_cast<char>(length) + body;
  refuse("Huffman", "a.jpg", good.substr(0, table) + segment + good.substr(table));
}

TEST_F(ImageFile, JpegThatIsDamagedOrIncomplete) {
  const std::string good = test::jpeg(gradient(40, 40, 3), 40, 40, 3);
  const std::string slow = test::jpeg(gradient(40, 40, 3), 40, 40, 3, true);
  for (const auto& [name, whole] : {std::pair("baseline", good), std::pair("progressive", slow)}) {
    SCOPED_TRACE(name);
    for (size_t length = 2; length < whole.size(); length += 7)
      refuse("a.jpg", "a.jpg", whole.substr(0, length));
    refuse("Premature end", "a.jpg", whole.substr(0, whole.size() - 2));
  }
  std::string size = good;
  const size_t frame = size.find("\xff\xc0");
  ASSERT_NE(frame, std::string::npos);
  size[frame + 5] = size[frame + 7] = '\x7f';
  refuse("expected 1 to 16384", "a.jpg", size);
  size[frame + 5] = size[frame + 7] = '\x20';  // takes no memory for the claim
  refuse("expected 1 to 16384", "a.jpg", size);
  size[frame + 5] = size[frame + 7] = '\x1f';
  refuse("premature end", "a.jpg", size);
}

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
    EXPECT_EQ(read_image(directory_ / name, 1).pixels[0], (60 * 29) >> 8);
    write_image(directory_ / name, grey, {4, 5}, 3);
    const Image image = read_image(directory_ / name);
    EXPECT_EQ(image.channels, 1);
    EXPECT_EQ(image.pixels.at(7), 84);
    EXPECT_EQ(read_image(directory_ / name, 3).pixels, grey);
  }
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
        const Image image = read_image(path, 3);
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
