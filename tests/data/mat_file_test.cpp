// MATLAB's files: every way in which numbers are stored, and every way in which a file can be wrong.
#include "data/mat_file.h"

#include <gtest/gtest.h>

#include <bit>

#include "tests/data/mat_writer.h"
#include "tests/expect_error.h"

namespace vae::data {
namespace {

using test::expect_error, test::MatWriter;

class MatFile : public ::testing::Test {
 protected:
  std::vector<MatArray> read(const std::string& content, const std::vector<std::string>& variables = {"X"}) {
    const std::string exact = content;  // on its own, so that nothing lies behind it
    return read_mat(std::as_bytes(std::span(exact)), variables, "a.mat");
  }
  void refuse(const std::string& words, const std::string& content) {
    expect_error(ErrorKind::data, "a.mat: " + words, [&] { read(content); });
  }
  std::string two_bytes() const { return writer_.matrix("X", 9, {1, 2}, 2, "ab"); }
  MatWriter writer_;
};

TEST_F(MatFile, NumbersOfEveryType) {
  for (const bool big_endian : {false, true}) {
    const MatWriter writer{big_endian};
    const auto bits = [&](uint64_t value, size_t bytes) {
      std::string text;
      for (size_t i = 0; i < bytes; ++i)
        text.push_back(static_cast<char>(value >> 8 * (big_endian ? bytes - 1 - i : i)));
      return text;
    };
    const struct {
      uint32_t type;
      size_t bytes;
      uint64_t three, other;
      double value;
    } types[] = {{1, 1, 3, 0xff, -1},
                 {2, 1, 3, 0xff, 255},
                 {3, 2, 3, 0xfffe, -2},
                 {4, 2, 3, 0xfffe, 65534},
                 {5, 4, 3, 0xfffffffe, -2},
                 {6, 4, 3, 0xfffffffe, 4294967294.0},
                 {7, 4, std::bit_cast<uint32_t>(3.0f), std::bit_cast<uint32_t>(-0.5f), -0.5},
                 {9, 8, std::bit_cast<uint64_t>(3.0), std::bit_cast<uint64_t>(1e300), 1e300},
                 {12, 8, 3, ~uint64_t{0}, -1},
                 {13, 8, 3, uint64_t{1} << 63, 9223372036854775808.0}};
    for (const auto& t : types)
      for (const bool packed : {false, true}) {
        const std::string matrix =
            writer.matrix("labels", 6, {3, 1}, t.type,
                          bits(t.three, t.bytes) + bits(t.other, t.bytes) + bits(t.three, t.bytes));
        const auto arrays = read(writer.file(packed ? writer.packed(matrix) : matrix), {"labels"});
        ASSERT_EQ(arrays.size(), 1u);
        EXPECT_EQ(arrays[0].dimensions, (std::vector<int64_t>{3, 1}));
        EXPECT_EQ(arrays[0].numel(), 3);
        EXPECT_EQ(arrays[0].at(0), 3) << t.type;
        EXPECT_EQ(arrays[0].at(1), t.value) << t.type;
        EXPECT_EQ(arrays[0].at(2), 3) << t.type;
        EXPECT_FALSE(arrays[0].is_uint8);
      }
  }
}

TEST_F(MatFile, VariablesByName) {
  const std::string file = writer_.file(writer_.matrix("other", 1, {1, 1}, 14, "a cell") +
                                        writer_.packed(writer_.matrix("y", 6, {1, 1}, 2, "y")) + two_bytes());
  const auto arrays = read(file, {"X", "y"});
  EXPECT_TRUE(arrays[0].is_uint8);
  EXPECT_EQ(arrays[0].at(1), 'b');
  EXPECT_EQ(arrays[1].at(0), 'y');
  expect_error(ErrorKind::data, "a.mat: no variable 'z', it has 'other', 'y', 'X'", [&] {
    read(file, {"X", "z"});
  });
  refuse("no variable 'X', it has none", writer_.file(""));
  refuse("two variables 'X'", writer_.file(two_bytes() + two_bytes()));
  refuse("no variable 'X', it has 'two?lines'",
         writer_.file(writer_.matrix("two\nlines", 9, {1, 1}, 2, "a")));
  std::string many;
  for (int i = 0; i < 1000; ++i) many += writer_.matrix(std::string(200, 'v'), 9, {1, 1}, 2, "a");
  try {
    read(writer_.file(many));
    ADD_FAILURE() << "was read";
  } catch (const Error& e) {
    EXPECT_LT(std::string(e.what()).size(), 1000u);
  }
}

TEST_F(MatFile, OtherFormats) {
  const std::string hdf5 = "\x89HDF\r\n\x1a\n";
  const std::string v73 = "MATLAB 7.3 MAT-file, Platform: GLNXA64";
  const std::string words = "a MATLAB 7.3 file (HDF5), which is not read: save it with -v7";
  refuse(words, hdf5 + std::string(1000, '\0'));
  refuse(words, hdf5);
  refuse(words, std::string(512, ' ') + hdf5 + "more");
  refuse(words, v73 + std::string(124 - v73.size(), ' ') + std::string("\0\2IM", 4));
  refuse("file is empty", "");
  refuse("not a MATLAB level-5 file", "text");
  refuse("not a MATLAB level-5 file", std::string(1000, 'x'));
  std::string version = writer_.file(two_bytes());
  version[125] = '\3';
  refuse("a MATLAB file of version 0x0300, expected 0x0100", version);
}

TEST_F(MatFile, WhatIsNoArrayOfRealNumbers) {
  const auto of_class = [&](uint32_t array_class) {
    return writer_.file(writer_.matrix("X", array_class, {1, 2}, 2, "ab"));
  };
  for (const uint32_t array_class : {0, 1, 2, 3, 4, 5, 16, 255})
    refuse("'X' is no array of real", of_class(array_class));
  refuse("'X' is no array of real", of_class(6 | 0x800));  // complex
  EXPECT_NO_THROW(read(of_class(9 | 0x200)));              // logical
  for (const uint32_t type : {0, 8, 10, 11, 14, 16, 1000})
    refuse("damaged, 'X' is stored as type", writer_.file(writer_.matrix("X", 9, {1, 2}, type, "ab")));
}

TEST_F(MatFile, SizesThatLie) {
  const auto of_dimensions = [&](const std::vector<uint32_t>& dimensions) {
    return writer_.file(writer_.packed(writer_.matrix("X", 9, dimensions, 2, "ab")));
  };
  refuse("'X' is 3x1, which are 3 bytes, but 2 are there", of_dimensions({3, 1}));
  refuse("'X' is 1x1, which are 1 bytes, but 2 are there", of_dimensions({1, 1}));
  refuse("'X' is 0x7, which are 0 bytes", of_dimensions({0, 7}));
  refuse("'X' is 2147483647x2147483647, which are", of_dimensions({0x7fffffff, 0x7fffffff}));
  refuse("'X' cannot be 2147483647x2147483647x2147483647",
         of_dimensions({0x7fffffff, 0x7fffffff, 0x7fffffff}));
  refuse("'X' cannot be -1x2", of_dimensions({0xffffffff, 2}));
  refuse("damaged, dimensions of 4 bytes", of_dimensions({2}));
  refuse("damaged, dimensions of 132 bytes", of_dimensions(std::vector<uint32_t>(33, 1)));
  EXPECT_EQ(read(of_dimensions({1, 2, 1, 1}))[0].dimensions.size(), 4u);

  std::string longer = writer_.file(two_bytes());
  longer[132] = '\x7f';  // the size of the first element
  refuse("an element claims 127 bytes, 56 are there", longer);
  longer.replace(132, 4, "\xff\xff\xff\xff");
  refuse("an element claims 4294967295 bytes", longer);
  std::string matrix = two_bytes();
  matrix.replace(4, 4, "\xff\xff\xff\x7f");
  refuse("'X' claims 2147483655 bytes, more than its", writer_.file(writer_.packed(matrix)));
  matrix = two_bytes();
  matrix[4] = static_cast<char>(matrix[4] + 8);
  refuse("'X' claims 72 bytes, 64 are there", writer_.file(writer_.packed(matrix)));
  // A stream that unpacks to far more than it claims.
  refuse("unpacks to more than the expected 64 bytes",
         writer_.file(writer_.packed(two_bytes() + std::string(1 << 24, '\0'))));
  std::string packed = writer_.packed(two_bytes());
  refuse("8 bytes follow the zlib stream",
         writer_.file(writer_.word(15) + writer_.word(static_cast<uint32_t>(packed.size())) +
                      packed.substr(8) + std::string(8, '\0')));
  refuse("damaged, no variable in a packed element",
         writer_.file(writer_.packed(writer_.packed(two_bytes()))));
  refuse("damaged, no variable in a packed element", writer_.file(writer_.packed("")));
  refuse("zlib stream is truncated", writer_.file(writer_.word(15) + writer_.word(0)));
  refuse("damaged, an element of type 9 where a variable begins",
         writer_.file(writer_.element(9, std::string(8, 'x'))));
}

/// Whatever is cut off or changed, a file is read or refused with a line that names it.
TEST_F(MatFile, HostileFiles) {
  const std::string x = writer_.matrix("X", 9, {2, 3}, 2, "abcdef"),
                    y = writer_.matrix("y", 6, {6, 1}, 2, "ABCDEF");
  int refused = 0;
  const auto attempt = [&](const std::string& content) {
    try {
      read(content, {"X", "y"});
      return true;
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::data) << e.what();
      EXPECT_TRUE(std::string(e.what()).starts_with("a.mat: ")) << e.what();
      EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos) << e.what();
      ++refused;
      return false;
    }
  };
  for (const std::string& elements : {x + y, writer_.packed(x) + writer_.packed(y), writer_.packed(x) + y}) {
    const std::string whole = writer_.file(elements);
    EXPECT_TRUE(attempt(whole));
    for (size_t length = 0; length < whole.size(); ++length)
      EXPECT_FALSE(attempt(whole.substr(0, length)) && length + 8 < whole.size()) << length;
    refused = 0;
    for (size_t at = 124; at < whole.size(); ++at)
      for (const int flip : {0x01, 0x10, 0x80, 0xff}) {
        std::string changed = whole;
        changed[at] = static_cast<char>(changed[at] ^ flip);
        attempt(changed);
      }
    EXPECT_GT(refused, 100);
  }
}

}  // namespace
}  // namespace vae::data
