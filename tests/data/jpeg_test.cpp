// JPEG of every kind, and what is wrong with some.
#include "tests/data/image_file_fixture.h"

namespace vae::data {
namespace {

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

}  // namespace
}  // namespace vae::data
