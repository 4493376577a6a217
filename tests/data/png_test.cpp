// PNG of every kind that there is, and what is wrong with some.
#include "tests/data/image_file_fixture.h"

namespace vae::data {
namespace {

using test::png;
using test::png_chunk;
using test::png_header;

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
              const int seen = static_cast<uint8_t>(colour == 3   ? palette[3 * stored + c]
                                                    : depth == 16 ? stored >> 8
                                                                  : stored * 255 / ((1 << depth) - 1));
              const int alpha = colour < 4 ? 255 : value(y, x, samples - 1, depth) >> (depth - 8);
              expected.push_back(static_cast<uint8_t>((seen * alpha + 255 * (255 - alpha) + 127) / 255));
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

TEST_F(ImageFile, PngThatIsTransparent) {
  const auto seen = [&](const std::string& file, uint8_t background) {
    const Image image = read_image(this->file("a.png", file), {.background = background});
    EXPECT_TRUE(image.alpha.empty());
    EXPECT_TRUE(image.transparent);
    return image.pixels;
  };
  using Pixels = std::vector<uint8_t>;
  const auto grey = [](int width, int depth, const std::string& content) {
    return png_header(static_cast<uint32_t>(width), 1, depth, 0) + png_chunk("tRNS", content);
  };
  const std::string grey_alpha = png(png_header(3, 1, 8, 4), std::string("\0d\xff"
                                                                         "d\0d\x80",
                                                                         7));
  EXPECT_EQ(seen(grey_alpha, 255), (Pixels{100, 255, 177}));
  EXPECT_EQ(seen(grey_alpha, 0), (Pixels{100, 0, 50}));
  EXPECT_EQ(seen(png(grey(3, 8, std::string("\0b", 2)), std::string("\0abc", 4)), 0), (Pixels{'a', 0, 'c'}));
  // of 16 bits all count
  const std::string wide = png(grey(2, 16, "ab"), std::string("\0abac", 5));
  EXPECT_EQ(seen(wide, 0), (Pixels{0, 'a'}));
  const std::string rgb = png(png_header(2, 1, 8, 2) + png_chunk("tRNS", std::string("\0a\0b\0c", 6)),
                              std::string("\0abcabd", 7));
  EXPECT_EQ(seen(rgb, 9), (Pixels{9, 9, 9, 'a', 'b', 'd'}));
  const std::string palette = png_header(3, 1, 8, 3) + png_chunk("PLTE", "aaabbbccc"), rows("\0\0\1\2", 4);
  EXPECT_EQ(seen(png(palette + png_chunk("tRNS", std::string("\xff\0", 2)), rows), 0), (Pixels{'a', 0, 'c'}));
  EXPECT_FALSE(read("a.png", png(palette + png_chunk("tRNS", "\xff"), rows)).transparent);
  for (const auto& [chunks, bytes] : {std::pair(palette + png_chunk("tRNS", "1234"), rows),
                                      {palette + png_chunk("tRNS", ""), rows},
                                      {grey(3, 8, "a"), rows},
                                      {png_header(1, 1, 8, 2) + png_chunk("tRNS", "ab"), rows},
                                      {png_header(1, 1, 8, 4) + png_chunk("tRNS", "ab"), rows.substr(0, 3)}})
    refuse("tRNS of", "a.png", png(chunks, bytes));
  refuse("tRNS is out of place", "a.png", png(grey(3, 8, "ab") + png_chunk("tRNS", "ab"), rows));
  refuse("tRNS is out of place", "a.png",
         png(png_header(3, 1, 8, 3) + png_chunk("tRNS", "a") + png_chunk("PLTE", "aaabbbccc"), rows));
}

}  // namespace
}  // namespace vae::data
