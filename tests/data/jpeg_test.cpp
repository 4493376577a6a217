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
  refuse("7976x7976 pixels in", "a.jpg", size);
}

/// A JPEG with an APP1 segment behind its first marker.
std::string with_app1(const std::string& file, const std::string& content) {
  const size_t length = content.size() + 2;
  return file.substr(0, 2) + "\xff\xe1" + static_cast<char>(length >> 8) + static_cast<char>(length) +
         content + file.substr(2);
}

/// EXIF with another entry before that of the orientation.
std::string exif(int orientation, bool little) {
  const auto number = [&](uint32_t value, int bytes) {
    const std::string text = test::little_endian(value, bytes);
    return little ? text : std::string(text.rbegin(), text.rend());
  };
  const auto entry = [&](uint32_t tag, uint32_t value) {
    return number(tag, 2) + number(3, 2) + number(1, 4) + number(value, 2) + number(0, 2);
  };
  return std::string("Exif\0\0", 6) + (little ? "II" : "MM") + number(42, 2) + number(8, 4) + number(2, 2) +
         entry(0x100, 7) + entry(0x112, static_cast<uint32_t>(orientation)) + number(0, 4);
}

TEST_F(ImageFile, JpegIsTurnedAsItsCameraWas) {
  // Four fields of 8x16 pixels, by the corner that they are at.
  std::vector<uint8_t> pixels;
  for (int y = 0; y < 16; ++y)
    for (int x = 0; x < 32; ++x)
      pixels.push_back(static_cast<uint8_t>(x < 16 ? (y < 8 ? 0 : 160) : (y < 8 ? 80 : 240)));
  const std::string file = test::jpeg(pixels, 16, 32, 1);
  const std::vector<std::array<int, 4>> corners{{0, 80, 160, 240}, {80, 0, 240, 160}, {240, 160, 80, 0},
                                                {160, 240, 0, 80}, {0, 160, 80, 240}, {160, 0, 240, 80},
                                                {240, 80, 160, 0}, {80, 240, 0, 160}};
  for (int orientation = 1; orientation <= 8; ++orientation)
    for (const bool little : {false, true}) {
      SCOPED_TRACE(orientation);
      const Image image = read("a.jpg", with_app1(file, exif(orientation, little)));
      ASSERT_EQ(image.size, (orientation < 5 ? ImageSize{16, 32} : ImageSize{32, 16}));
      const size_t last = static_cast<size_t>(image.size.width) - 1, below = image.pixels.size() - 1 - last;
      const size_t places[] = {0, last, below, below + last};
      for (size_t i = 0; i < 4; ++i)
        EXPECT_NEAR(image.pixels[places[i]], corners[static_cast<size_t>(orientation) - 1][i], 3) << i;
    }
  // What says nothing leaves the picture as it is.
  const std::string whole = exif(6, true);
  for (size_t length = 0; length < whole.size() - 8; ++length)
    EXPECT_EQ(read("a.jpg", with_app1(file, whole.substr(0, length))).size, (ImageSize{16, 32})) << length;
  for (const int orientation : {0, 9, 300})
    EXPECT_EQ(read("a.jpg", with_app1(file, exif(orientation, true))).size, (ImageSize{16, 32}));
  std::string beyond = whole;
  beyond[10] = beyond[13] = '\xff';  // where its entries are
  EXPECT_EQ(read("a.jpg", with_app1(file, beyond)).size, (ImageSize{16, 32}));
  EXPECT_EQ(read("a.jpg", with_app1(file, "http://ns.adobe.com/xap/1.0/")).size, (ImageSize{16, 32}));
}

}  // namespace
}  // namespace vae::data
