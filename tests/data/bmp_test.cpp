// BMP of every depth, and what is wrong with some.
#include "tests/data/image_file_fixture.h"

namespace vae::data {
namespace {

using test::Bmp;
using test::little_endian;

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

}  // namespace
}  // namespace vae::data
