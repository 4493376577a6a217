#include "data/image_folder.h"

#include <gtest/gtest.h>

#include <fstream>

#include "data/synthetic.h"
#include "tensor/file.h"
#include "tests/expect_error.h"
#include "tests/temporary_directory.h"

namespace vae::data {
namespace {

namespace fs = std::filesystem;
using test::expect_error;

class ImageFolders : public ::testing::Test {
 protected:
  /// A picture of one grey value.
  void picture(const std::string& name, uint8_t value, ImageSize size = {4, 3}) {
    const std::vector<uint8_t> pixels(size.height * size.width, value);
    fs::create_directories((directory_ / name).parent_path());
    write_image(directory_ / name, pixels, size, 1);
  }
  void junk(const std::string& name, std::string_view content = "junk") {
    write_file_atomically(directory_ / name, content);
  }
  ImageFolder read(ImageFormat format = {}) { return read_labeled_names(directory_.path(), 10, format); }
  test::TemporaryDirectory directory_;
};

TEST_F(ImageFolders, PicturesRoundTrip) {
  std::vector<uint8_t> pixels(5 * 7 * 3);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * 37);
  for (const char* name : {"a.png", "a.bmp"}) {
    write_image(directory_ / name, pixels, {5, 7}, 3);
    const Image image = read_image(directory_ / name, 3);
    EXPECT_EQ(image.size, (ImageSize{5, 7}));
    EXPECT_EQ(image.pixels, pixels);
    EXPECT_EQ(read_image(directory_ / name, 1).pixels.size(), 35u);
  }
  expect_error(ErrorKind::internal, ".png or .bmp", [&] {
    write_image(directory_ / "a.jpg", pixels, {5, 7}, 3);
  });
}

TEST_F(ImageFolders, LabelsFromNamesInSortedOrder) {
  picture("3_b.png", 30);
  picture("3_a.bmp", 31);
  picture("0_x.PNG.png", 1);
  picture("007_x.png", 70);
  fs::rename(directory_ / "3_b.png", directory_ / "3_b.PnG");
  const ImageFolder set = read();
  EXPECT_EQ(set.labels.to_vector<int64_t>(), (std::vector<int64_t>{7, 0, 3, 3}));
  EXPECT_EQ(set.images.shape(), (Shape{4, 4, 3, 1}));
  EXPECT_EQ(set.images.to_vector<uint8_t>()[0], 70);
  EXPECT_EQ(set.images.slice(2, 3).to_vector<uint8_t>()[0], 31);
  EXPECT_EQ(set.ignored, 0);
}

TEST_F(ImageFolders, OtherNamesAreIgnoredAndCounted) {
  picture("1_a.png", 9);
  for (const char* name : {"a_1.png", "1.png", "1_.png", "_1.png", "1_a.gif", "1_a", "1-a.png", "-1_a.png",
                           "1_a.jpeg", " 1_a.png", "1_apng", "README", ".png"})
    junk(name);
  fs::create_directory(directory_ / "2_folder.png");
  const ImageFolder set = read();
  EXPECT_EQ(set.labels.numel(), 1);
  EXPECT_EQ(set.ignored, 13);
}

TEST_F(ImageFolders, ReadsJpeg) {
  // A 8x8 grey JPEG of value 128: quantisation and Huffman tables with one code each, one DC difference of 0.
  const std::vector<int> jpeg = {
      0xff, 0xd8, 0xff, 0xdb, 0x00, 0x43, 0x00, 1,    1,    1,    1,    1,    1,    1,    1,    1,
      1,    1,    1,    1,    1,    1,    1,    1,    1,    1,    1,    1,    1,    1,    1,    1,
      1,    1,    1,    1,    1,    1,    1,    1,    1,    1,    1,    1,    1,    1,    1,    1,
      1,    1,    1,    1,    1,    1,    1,    1,    1,    1,    1,    1,    1,    1,    1,    1,
      1,    1,    1,    1,    1,    1,    1,    0xff, 0xc0, 0x00, 0x0b, 0x08, 0x00, 0x08, 0x00, 0x08,
      0x01, 0x01, 0x11, 0x00, 0xff, 0xc4, 0x00, 0x14, 0x00, 1,    0,    0,    0,    0,    0,    0,
      0,    0,    0,    0,    0,    0,    0,    0,    0,    0x00, 0xff, 0xc4, 0x00, 0x14, 0x10, 1,
      0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0x00,
      0xff, 0xda, 0x00, 0x08, 0x01, 0x01, 0x00, 0x00, 0x3f, 0x00, 0x3f, 0xff, 0xd9};
  std::string content;
  for (const int v : jpeg) content.push_back(static_cast<char>(v));
  junk("4_x.JPG", content);
  const ImageFolder set = read();
  EXPECT_EQ(set.images.shape(), (Shape{1, 8, 8, 1}));
  EXPECT_EQ(set.images.to_vector<uint8_t>(), std::vector<uint8_t>(64, 128));
}

TEST_F(ImageFolders, BadInput) {
  expect_error(ErrorKind::data, "no pictures", [&] { read(); });
  expect_error(ErrorKind::io, "absent", [&] { read_labeled_names(directory_ / "absent", 10, {}); });
  picture("1_a.png", 9);
  picture("10_a.png", 9);
  expect_error(ErrorKind::data, "10_a.png: label 10 is out of range", [&] { read(); });
  fs::remove(directory_ / "10_a.png");
  picture("99999999999999999999999_a.png", 9);
  expect_error(ErrorKind::data, "out of range", [&] { read(); });
  fs::remove(directory_ / "99999999999999999999999_a.png");
  picture("2_a.png", 9, {3, 4});
  expect_error(ErrorKind::data, "2_a.png: the picture is 4x3, expected 3x4", [&] { read(); });
  expect_error(ErrorKind::data, "1_a.png: the picture is 3x4, expected 28x28", [&] { read({1, {28, 28}}); });
  fs::remove(directory_ / "2_a.png");
  junk("2_a.png");
  expect_error(ErrorKind::data, "2_a.png: not a readable", [&] { read(); });
  junk("2_a.png", "");
  expect_error(ErrorKind::data, "2_a.png: not a readable", [&] { read(); });
}

TEST_F(ImageFolders, TruncatedPictures) {
  std::vector<uint8_t> noise(40 * 40);
  for (size_t i = 0; i < noise.size(); ++i) noise[i] = static_cast<uint8_t>(i * i * 2654435761u >> 13);
  write_image(directory_ / "1_a.png", noise, {40, 40}, 1);
  const auto whole = read_file(directory_ / "1_a.png");
  for (const size_t length : {size_t{1}, size_t{20}, whole.size() / 2}) {
    write_file_atomically(directory_ / "1_a.png", std::span(whole).first(length));
    expect_error(ErrorKind::data, "1_a.png", [&] { read(); });
  }
}

TEST_F(ImageFolders, ClassFolders) {
  picture("train/dog/b.png", 1);
  picture("train/cat/a.png", 2);
  picture("train/cat/0.bmp", 3);
  junk("train/cat/notes.txt");
  picture("test/dog/x.png", 4);
  const auto classes = class_folders(directory_ / "train");
  EXPECT_EQ(classes, (std::vector<std::string>{"cat", "dog"}));
  const ImageFolder train = read_class_folders(directory_ / "train", classes, {});
  EXPECT_EQ(train.labels.to_vector<int64_t>(), (std::vector<int64_t>{0, 0, 1}));
  EXPECT_EQ(train.images.to_vector<uint8_t>()[0], 3);
  EXPECT_EQ(train.ignored, 1);
  const ImageFolder test = read_class_folders(directory_ / "test", classes, {});
  EXPECT_EQ(test.labels.to_vector<int64_t>(), std::vector<int64_t>{1});
  picture("test/cow/x.png", 4);
  expect_error(ErrorKind::data, "cow", [&] { read_class_folders(directory_ / "test", classes, {}); });
  expect_error(ErrorKind::data, "no class folders", [&] { class_folders(directory_ / "test/cow"); });
}

TEST_F(ImageFolders, ExportReadsBackTheSame) {
  const Dataset set = synthetic_digits(30, Part::train, 1);
  for (const char* extension : {"png", "bmp"}) {
    const fs::path folder = directory_ / extension;
    export_images(set, folder, extension, INT64_MAX);
    const ImageFolder back = read_labeled_names(folder, 10, {1, {28, 28}});
    ASSERT_EQ(back.labels.numel(), 30);
    // Names sort by label, so compare picture by picture.
    for (int64_t i = 0; i < 30; ++i) {
      const auto name = fmt::format("{}_{:05}.{}", set.labels.data<int64_t>()[i], i, extension);
      EXPECT_EQ(read_image(folder / name, 1).pixels, set.images.slice(i, i + 1).to_vector<uint8_t>());
    }
  }
}

TEST_F(ImageFolders, ExportLimitsAndRefusals) {
  const Dataset set = synthetic_digits(30, Part::train, 1);
  export_images(set, directory_ / "five/", "png", 5);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_ / "five"), {}), 5);
  expect_error(ErrorKind::io, "not an empty folder",
               [&] { export_images(set, directory_ / "five", "png", 5); });
  expect_error(ErrorKind::usage, "gif", [&] { export_images(set, directory_ / "gif", "gif", 5); });
  expect_error(ErrorKind::usage, "limit", [&] { export_images(set, directory_ / "gif", "png", -1); });
  junk("file");
  expect_error(ErrorKind::io, "file", [&] { export_images(set, directory_ / "file", "png", 5); });
  expect_error(ErrorKind::io, "file", [&] { export_images(set, directory_ / "file/below", "png", 5); });
  EXPECT_EQ(directory_.entries(), 2u);  // "five" and "file": no partial folder is left
}

}  // namespace
}  // namespace vae::data
