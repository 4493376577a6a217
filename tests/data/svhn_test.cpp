// SVHN: pixels and labels out of MATLAB's variables, and what is refused.
#include "data/svhn.h"

#include <gtest/gtest.h>

#include "data/load.h"
#include "tensor/file.h"
#include "tests/data/mat_writer.h"
#include "tests/expect_error.h"
#include "tests/temporary_directory.h"

namespace vae::data {
namespace {

namespace fs = std::filesystem;
using test::expect_error, test::MatWriter;

int value(int i, int row, int column, int c) { return (31 * i + 3 * row + 5 * column + 70 * c) % 256; }

std::string pixels(int n) {
  std::string bytes;
  for (int i = 0; i < n; ++i)
    for (int c = 0; c < 3; ++c)
      for (int column = 0; column < 32; ++column)
        for (int row = 0; row < 32; ++row) bytes.push_back(static_cast<char>(value(i, row, column, c)));
  return bytes;
}

class Svhn : public ::testing::Test {
 protected:
  std::string x(uint32_t n) const {
    return writer_.matrix("X", 9, {32, 32, 3, n}, 2, pixels(static_cast<int>(n)));
  }
  std::string y(const std::string& labels) const {
    return writer_.matrix("y", 6, {static_cast<uint32_t>(labels.size()), 1}, 2, labels);
  }
  void write(const std::string& name, const std::string& elements) {
    fs::create_directories((directory_ / name).parent_path());
    write_file_atomically(directory_ / name, writer_.file(elements));
  }
  Dataset load(Part part = Part::train) {
    return load_dataset({.name = "svhn", .part = part, .data_dir = directory_.path()});
  }
  void refuse(const std::string& words, const std::string& elements) {
    write("svhn/train_32x32.mat", elements);
    expect_error(ErrorKind::data, "svhn/train_32x32.mat" + words, [&] { load(); });
  }
  test::TemporaryDirectory directory_;
  MatWriter writer_;
};

TEST_F(Svhn, VariablesBecomeImages) {
  for (const bool big_endian : {false, true})
    for (const bool packed : {false, true}) {
      writer_.big_endian = big_endian;
      const auto store = [&](const std::string& matrix) { return packed ? writer_.packed(matrix) : matrix; };
      write("svhn/train_32x32.mat", store(x(3)) + store(y("\1\x0a\x09")));
      write("svhn/test_32x32.mat", store(y("\5\6")) + store(x(2)));
      const Dataset train = load();
      EXPECT_EQ(train.name, "svhn (train)");
      EXPECT_EQ(train.num_classes, 10);
      EXPECT_EQ(train.labels.to_vector<int64_t>(), (std::vector<int64_t>{1, 0, 9}));
      ASSERT_EQ(train.images.shape(), (Shape{3, 32, 32, 3}));
      const uint8_t* pixel = train.images.data<uint8_t>();
      for (int i = 0; i < 3; ++i)
        for (int row = 0; row < 32; ++row)
          for (int column = 0; column < 32; ++column)
            for (int c = 0; c < 3; ++c) ASSERT_EQ(*pixel++, value(i, row, column, c));
      EXPECT_EQ(load(Part::test).labels.to_vector<int64_t>(), (std::vector<int64_t>{5, 6}));
    }
}

TEST_F(Svhn, OneImageWithoutItsLastDimension) {
  write("train_32x32.mat", writer_.matrix("X", 9, {32, 32, 3}, 2, pixels(1)) + y("\1"));
  EXPECT_EQ(load().images.shape(), (Shape{1, 32, 32, 3}));
}

TEST_F(Svhn, WrongVariables) {
  refuse(": no variable 'y', it has 'X'", x(1));
  refuse(": no variable 'X', it has 'y'", y("\1"));
  refuse(": X is uint8 32x32x1x1, expected uint8 32x32x3xN",
         writer_.matrix("X", 9, {32, 32, 1, 1}, 2, pixels(1).substr(0, 1024)) + y("\1"));
  refuse(": X is uint8 3x32x32x1, expected", writer_.matrix("X", 9, {3, 32, 32, 1}, 2, pixels(1)) + y("\1"));
  refuse(": X is 32x32x3x1, expected uint8", writer_.matrix("X", 6, {32, 32, 3, 1}, 2, pixels(1)) + y("\1"));
  refuse(": the data set is empty", x(0) + y(""));
  refuse(": y is 1x1, expected 2x1, a label for each image", x(2) + y("\1"));
  refuse(": y is 2x2, expected 4x1", x(4) + writer_.matrix("y", 6, {2, 2}, 2, "\1\1\1\1"));
  refuse(", item 1: label 11 is out of range, expected 1 to 10", x(2) + y("\1\x0b"));
  refuse(", item 0: label 0 is out of range", x(2) + y(std::string("\0\1", 2)));
  const double half = 1.5, nan = std::numeric_limits<double>::quiet_NaN();
  for (const double label : {half, nan, 1e300})
    refuse(", item 0: label",
           x(1) + writer_.matrix("y", 6, {1, 1}, 9, {reinterpret_cast<const char*>(&label), sizeof label}));
}

TEST_F(Svhn, InEveryPlace) {
  write("SVHN/train_32x32.mat", x(1) + y("\1"));
  EXPECT_EQ(load().labels.to_vector<int64_t>(), std::vector<int64_t>{1});
  write("svhn/train_32x32.mat", x(1) + y("\2"));
  EXPECT_EQ(load().labels.to_vector<int64_t>(), std::vector<int64_t>{2});
  write("train_32x32.mat", x(1) + y("\3"));
  EXPECT_EQ(load().labels.to_vector<int64_t>(), std::vector<int64_t>{3});
  expect_error(ErrorKind::io, "test_32x32.mat is missing; get it with: datasets download svhn",
               [&] { load(Part::test); });
}

}  // namespace
}  // namespace vae::data
