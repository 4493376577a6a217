#include "data/image_folder.h"

#include <gtest/gtest.h>

#include <fstream>

#include "data/synthetic.h"
#include "tensor/file.h"
#include "tests/data/pictures.h"
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
    const Image image = read_image(directory_ / name, {.channels = 3});
    EXPECT_EQ(image.size, (ImageSize{5, 7}));
    EXPECT_EQ(image.pixels, pixels);
    EXPECT_EQ(read_image(directory_ / name, {.channels = 1}).pixels.size(), 35u);
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
  EXPECT_TRUE(set.ignored.empty());
}

TEST_F(ImageFolders, OtherNamesAreIgnoredAndCountedByReason) {
  picture("1_a.png", 9);
  for (const char* name : {"a_1.png", "1.png", "1_.png", "_1.png", "1_a.gif", "2_b.gif", "1_a", "1-a.png",
                           "-1_a.png", " 1_a.png", "1_apng", "README", ".png", ".DS_Store"})
    junk(name);
  fs::create_directory(directory_ / "2_folder.png");
  const ImageFolder set = read();
  EXPECT_EQ(set.labels.numel(), 1);
  EXPECT_EQ(set.ignored, (Ignored{{"files that are no pictures (.gif)", 2},
                                  {"files that are no pictures (no extension)", 3},
                                  {"pictures whose names do not begin with a label, like 3_name.png", 7},
                                  {"entries whose names begin with a dot", 2},
                                  {"folders", 1}}));
}

TEST_F(ImageFolders, PicturesWithoutALabel) {
  picture("1_a.png", 9);
  picture("portrait.png", 8);
  for (const char* name : {"more", "more/below", "sets", "sets/cat", "sets/dog"})
    fs::create_directory(directory_ / name);
  picture("more/7_b.png", 7);
  picture("sets/cat/a.png", 6);
  picture("sets/dog/a.png", 5);
  const Unlabeled all{true, directory_ / "more"};
  const ImageFolder named = read_labeled_names(directory_.path(), 10, {}, 0, all);
  EXPECT_EQ(named.labels.to_vector<int64_t>(), (std::vector<int64_t>{1, kNoLabel, kNoLabel}));
  for (int64_t i = 0; i < 3; ++i) EXPECT_EQ(named.images.slice(i, i + 1).to_vector<uint8_t>()[0], 9 - i);
  EXPECT_EQ(named.ignored, (Ignored{{"folders", 3}}));
  const ImageFolder classes = read_class_folders(directory_ / "sets", {"cat", "dog"}, {}, all);
  EXPECT_EQ(classes.labels.to_vector<int64_t>(), (std::vector<int64_t>{0, 1, kNoLabel}));
  fs::remove(directory_ / "1_a.png");
  expect_error(ErrorKind::data, "no pictures found with names like",
               [&] { read_labeled_names(directory_.path(), 10, {}, 0, all); });
  export_images(make_dataset("set", named.images, named.labels, 10), directory_ / "out", "png", 9);
  EXPECT_TRUE(fs::exists(directory_ / "out/unlabeled_00002.png"));
  const ImageFolder back = read_labeled_names(directory_ / "out", 10, {}, 0, {.names = true});
  EXPECT_EQ(back.labels.to_vector<int64_t>(), named.labels.to_vector<int64_t>());
}

TEST_F(ImageFolders, OfAnySizeBroughtToOne) {
  picture("1_a.png", 9);
  picture("2_b.png", 8, {30, 50});
  expect_error(ErrorKind::data, "2_b.png: the picture is 50x30, expected 3x4 (--resize", [&] { read(); });
  const ImageFolder set = read({.resize = ImageSize{6, 6}});
  EXPECT_EQ(set.images.shape(), (Shape{2, 6, 6, 1}));
  EXPECT_EQ(set.images.to_vector<uint8_t>()[40], 8);
}

TEST_F(ImageFolders, PicturesOfAnyNameInSortedOrder) {
  picture("b.png", 2);
  picture("10.bmp", 1);
  picture("c 3.png", 3);
  junk("notes.txt");
  fs::create_directory(directory_ / "folder");
  picture("folder/d.png", 9);
  const ImageFolder set = read_pictures(directory_.path());
  EXPECT_EQ(set.images.shape(), (Shape{3, 4, 3, 1}));
  for (int64_t i = 0; i < 3; ++i) EXPECT_EQ(set.images.slice(i, i + 1).to_vector<uint8_t>()[0], i + 1);
  EXPECT_EQ(set.labels.to_vector<int64_t>(), (std::vector<int64_t>{0, 0, 0}));
  EXPECT_EQ(set.ignored, (Ignored{{"files that are no pictures (.txt)", 1}, {"folders", 1}}));
  picture("z.png", 4, {3, 4});
  expect_error(ErrorKind::data, "z.png: the picture is 4x3, expected 3x4",
               [&] { read_pictures(directory_.path()); });
  expect_error(ErrorKind::io, "absent", [&] { read_pictures(directory_ / "absent"); });
  fs::create_directory(directory_ / "empty");
  expect_error(ErrorKind::data, "empty: no pictures found", [&] { read_pictures(directory_ / "empty"); });
}

TEST_F(ImageFolders, EverySpellingOfAnExtension) {
  for (const char* name : {"0_a.png", "1_a.PNG", "2_a.Png"})
    picture("x.png", 7), fs::rename(directory_ / "x.png", directory_ / name);
  for (const char* name : {"3_a.bmp", "4_a.BMP"})
    picture("x.bmp", 7), fs::rename(directory_ / "x.bmp", directory_ / name);
  for (const char* name : {"5_a.jpg", "6_a.jpeg", "7_a.JPG", "8_a.JPEG", "9_a.Jpeg"})
    junk(name, test::jpeg(std::vector<uint8_t>(12, 7), 4, 3, 1));
  const ImageFolder set = read();
  EXPECT_EQ(set.images.to_vector<uint8_t>(), std::vector<uint8_t>(10 * 12, 7));
}

TEST_F(ImageFolders, APictureOfNoSizeDoesNotSetTheSize) {
  junk("0_first.bmp", test::Bmp{.width = 0, .height = 0}.file());
  picture("1_a.png", 9, {40, 30});
  expect_error(ErrorKind::data, "0_first.bmp: the picture is 0x0", [&] { read(); });
}

TEST_F(ImageFolders, ASetIsColourIfOnePictureIs) {
  picture("1_a.png", 9);
  const std::vector<uint8_t> colour(4 * 3 * 3, 200);
  std::vector<uint8_t> red = colour;
  for (size_t i = 1; i < red.size(); i += 3) red[i] = red[i + 1] = 0;
  write_image(directory_ / "2_a.png", colour, {4, 3}, 3);
  EXPECT_EQ(read().images.shape(), (Shape{2, 4, 3, 1}));
  write_image(directory_ / "3_a.bmp", red, {4, 3}, 3);
  picture("4_a.png", 10);
  const ImageFolder set = read();
  ASSERT_EQ(set.images.shape(), (Shape{4, 4, 3, 3}));
  EXPECT_EQ(set.images.slice(0, 1).to_vector<uint8_t>(), std::vector<uint8_t>(36, 9));
  EXPECT_EQ(set.images.slice(1, 2).to_vector<uint8_t>(), colour);
  EXPECT_EQ(set.images.slice(2, 3).to_vector<uint8_t>(), red);
  EXPECT_EQ(set.images.slice(3, 4).to_vector<uint8_t>(), std::vector<uint8_t>(36, 10));
  EXPECT_EQ(read({1, {}}).images.shape(), (Shape{4, 4, 3, 1}));
}

TEST_F(ImageFolders, JpegsOfEveryKindInOneFolder) {
  const std::vector<uint8_t> grey(4 * 3, 90), cmyk(4 * 3 * 4, 90);
  std::vector<uint8_t> colour;
  for (int i = 0; i < 4 * 3; ++i) colour.insert(colour.end(), {200, 40, 90});
  junk("0_grey.jpg", test::jpeg(grey, 4, 3, 1));
  junk("1_colour.jpg", test::jpeg(colour, 4, 3, 3));
  junk("2_progressive.jpg", test::jpeg(colour, 4, 3, 3, true));
  junk("3_grey.jpg", test::jpeg(grey, 4, 3, 1, true));
  const ImageFolder set = read();
  ASSERT_EQ(set.images.shape(), (Shape{4, 4, 3, 3}));
  for (const int64_t i : {0, 3})  // in all three channels
    EXPECT_EQ(set.images.slice(i, i + 1).to_vector<uint8_t>(), std::vector<uint8_t>(36, 90));
  EXPECT_EQ(set.images.slice(1, 2).to_vector<uint8_t>(), set.images.slice(2, 3).to_vector<uint8_t>());
  EXPECT_NEAR(set.images.slice(1, 2).to_vector<uint8_t>()[0], 200, 3);
  junk("4_text.jpg", "no picture, but text\n");
  expect_error(ErrorKind::data, "4_text.jpg: not a readable JPEG picture", [&] { read(); });
  junk("4_text.jpg", test::jpeg(cmyk, 4, 3, 4));
  expect_error(ErrorKind::data, "4_text.jpg: JPEG pictures of 4 components (CMYK) are not read",
               [&] { read(); });
}

TEST_F(ImageFolders, LabelsFromAnOffset) {
  picture("1_a.png", 1);
  picture("26_a.png", 2);
  EXPECT_EQ(read_labeled_names(directory_.path(), 26, {}, 1).labels.to_vector<int64_t>(),
            (std::vector<int64_t>{0, 25}));
  expect_error(
      ErrorKind::data,
      "26_a.png: label 26 is out of range, 26 classes have the labels 0 to 25 (--classes, --label-offset)",
      [&] { read_labeled_names(directory_.path(), 26, {}); });
  expect_error(ErrorKind::data, "1_a.png: label 1 is out of range, 26 classes have the labels 2 to 27",
               [&] { read_labeled_names(directory_.path(), 26, {}, 2); });
}

TEST_F(ImageFolders, BadInput) {
  expect_error(ErrorKind::data, "no pictures found with names like 3_name.png", [&] { read(); });
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
  expect_error(ErrorKind::data, "1_a.png: the picture is 3x4, expected 28x28", [&] {
    read({1, ImageSize{28, 28}});
  });
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
  picture("train/beside.png", 3);
  junk("train/cat/notes.txt");
  junk("train/dog/notes.txt");
  picture("test/dog/x.png", 4);
  picture("test/cat/x.png", 5);
  const auto classes = class_folders(directory_ / "train");
  EXPECT_EQ(classes, (std::vector<std::string>{"cat", "dog"}));
  const ImageFolder train = read_class_folders(directory_ / "train", classes, {});
  EXPECT_EQ(train.labels.to_vector<int64_t>(), (std::vector<int64_t>{0, 0, 1}));
  EXPECT_EQ(train.images.to_vector<uint8_t>()[0], 3);
  EXPECT_EQ(train.ignored,
            (Ignored{{"files that are no pictures (.txt)", 2}, {"pictures outside the class folders", 1}}));
  const ImageFolder test = read_class_folders(directory_ / "test", classes, {});
  EXPECT_EQ(test.labels.to_vector<int64_t>(), (std::vector<int64_t>{0, 1}));
  fs::remove_all(directory_ / "test/cat");
  expect_error(ErrorKind::data, "test: class 'cat' of the training set has no folder here",
               [&] { read_class_folders(directory_ / "test", classes, {}); });
  picture("test/cow/x.png", 4);
  expect_error(ErrorKind::data, "test/cow: not one of the 2 classes",
               [&] { read_class_folders(directory_ / "test", classes, {}); });
  expect_error(ErrorKind::data, "no class folders", [&] { class_folders(directory_ / "test/cow"); });
}

TEST_F(ImageFolders, ClassesInNaturalOrder) {
  for (const char* name : {"10", "2", "1", "b10", "b9x", "b9", "007", "B", "a2b10", "a2b9", "a02b9"})
    fs::create_directory(directory_ / name);
  EXPECT_EQ(
      class_folders(directory_.path()),
      (std::vector<std::string>{"1", "2", "007", "10", "B", "a02b9", "a2b9", "a2b10", "b9", "b9x", "b10"}));
  for (int i = 0; i < 200; ++i) picture(fmt::format("many/{}/x.png", i), static_cast<uint8_t>(i));
  const ImageFolder many = read_class_folders(directory_ / "many", class_folders(directory_ / "many"), {});
  for (int64_t i = 0; i < 200; ++i) {
    EXPECT_EQ(many.labels.data<int64_t>()[i], i);
    EXPECT_EQ(many.images.data<uint8_t>()[12 * i], i);
  }
}

TEST_F(ImageFolders, HiddenFoldersAreNoClasses) {
  picture("cat/a.png", 1);
  picture("cat/.thumbnails/a.png", 1);
  picture(".ipynb_checkpoints/a.png", 1);
  fs::create_directory(directory_ / ".git");
  const auto classes = class_folders(directory_.path());
  EXPECT_EQ(classes, std::vector<std::string>{"cat"});
  const ImageFolder set = read_class_folders(directory_.path(), classes, {});
  EXPECT_EQ(set.labels.numel(), 1);
  EXPECT_EQ(set.ignored, (Ignored{{"entries whose names begin with a dot", 3}}));
}

TEST_F(ImageFolders, AClassWithoutPicturesIsNamed) {
  const auto read_classes = [&] {
    read_class_folders(directory_.path(), class_folders(directory_.path()), {});
  };
  picture("cat/a.png", 1);
  fs::create_directory(directory_ / "dog");
  expect_error(ErrorKind::data, "dog: no pictures of class 'dog'", read_classes);
  junk("dog/a.gif");
  expect_error(ErrorKind::data, "dog: no pictures of class 'dog'", read_classes);
  picture("dog/more/a.png", 1);
  expect_error(ErrorKind::data, "dog/more: pictures within the folder of class 'dog'", read_classes);
  picture("dog/a.png", 1);  // some of them would be lost all the same
  expect_error(ErrorKind::data, "dog/more: pictures within the folder of class 'dog'", read_classes);
  fs::remove_all(directory_ / "dog/more");
  picture("dog/more/still/a.png", 1);
  expect_error(ErrorKind::data, "dog/more: pictures within the folder of class 'dog'", read_classes);
  fs::remove(directory_ / "dog/more/still/a.png");
  EXPECT_EQ(read_class_folders(directory_.path(), {"cat", "dog"}, {}).ignored,
            (Ignored{{"files that are no pictures (.gif)", 1}, {"folders without pictures", 1}}));
}

TEST_F(ImageFolders, Links) {
  picture("pictures/kitten/a.png", 1);
  picture("set/dog/a.png", 2);
  fs::create_directory_symlink(directory_ / "pictures/kitten", directory_ / "set/cat");
  fs::create_symlink(directory_ / "pictures/kitten/a.png", directory_ / "set/dog/b.png");
  const auto classes = class_folders(directory_ / "set");
  EXPECT_EQ(classes, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(read_class_folders(directory_ / "set", classes, {}).labels.numel(), 3);
  fs::create_directory_symlink("..", directory_ / "set/dog/loop");
  expect_error(ErrorKind::data, "dog/loop: pictures within the folder of class 'dog'",
               [&] { read_class_folders(directory_ / "set", classes, {}); });
  fs::remove(directory_ / "set/dog/loop");
  fs::create_symlink("nowhere", directory_ / "set/cat/c.png");
  expect_error(ErrorKind::io, "c.png: a link that leads nowhere",
               [&] { read_class_folders(directory_ / "set", classes, {}); });
  fs::remove(directory_ / "set/cat/c.png");
  fs::create_symlink("c.png", directory_ / "set/cat/c.png");
  expect_error(ErrorKind::io, "c.png: cannot be read",
               [&] { read_class_folders(directory_ / "set", classes, {}); });
}

TEST_F(ImageFolders, ExportReadsBackTheSame) {
  const Dataset set = synthetic_digits(30, Part::train, 1);
  for (const char* extension : {"png", "bmp"}) {
    const fs::path folder = directory_ / extension;
    export_images(set, folder, extension, INT64_MAX);
    const ImageFolder back = read_labeled_names(folder, 10, {1, ImageSize{28, 28}});
    ASSERT_EQ(back.labels.numel(), 30);
    // Names sort by label, so compare picture by picture.
    for (int64_t i = 0; i < 30; ++i) {
      const auto name = fmt::format("{}_{:05}.{}", set.labels.data<int64_t>()[i], i, extension);
      EXPECT_EQ(read_image(folder / name, {.channels = 1}).pixels,
                set.images.slice(i, i + 1).to_vector<uint8_t>());
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
