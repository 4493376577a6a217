#include "data/load.h"

#include <gtest/gtest.h>
#include <pwd.h>

#include <cstdlib>

#include "data/idx.h"
#include "tensor/file.h"
#include "tests/data/pictures.h"
#include "tests/expect_error.h"
#include "tests/scoped_variable.h"
#include "tests/temporary_directory.h"

namespace {
char* g_home = nullptr;
}

/// The system's list of users, for this program: everybody lives in g_home, or nobody is known.
extern "C" passwd* getpwuid(uid_t) {
  static passwd user{};
  user.pw_dir = g_home;
  return g_home ? &user : nullptr;
}

namespace vae::data {
namespace {

namespace fs = std::filesystem;
using test::expect_error, test::ScopedVariable;

class Load : public ::testing::Test {
 protected:
  /// Writes IDX files with `seed`'s digits into a folder below the root; suffix "" or ".gz".
  void write(const std::string& folder, uint64_t seed, const std::string& suffix = "") {
    const fs::path place = directory_ / folder;
    fs::create_directories(place);
    for (const auto& [part, stem] : {std::pair(Part::train, "train"), std::pair(Part::test, "t10k")}) {
      const Dataset set = synthetic_digits(part == Part::train ? 20 : 10, part, seed);
      write_idx_images(place / (std::string(stem) + "-images-idx3-ubyte" + suffix), set.images);
      write_idx_labels(place / (std::string(stem) + "-labels-idx1-ubyte" + suffix), set.labels);
    }
  }
  Dataset load(const std::string& name, Part part = Part::train) {
    return load_dataset({.name = name, .part = part, .data_dir = directory_.path()});
  }
  std::string expected(uint64_t seed, Part part = Part::train) {
    return synthetic_digits(part == Part::train ? 20 : 10, part, seed).sha256;
  }
  test::TemporaryDirectory directory_;
};

TEST_F(Load, FindsEveryLayoutInOrder) {
  write("MNIST/raw", 1);
  EXPECT_EQ(load("mnist").sha256, expected(1));
  write("mnist", 2, ".gz");
  EXPECT_EQ(load("mnist").sha256, expected(2));
  write(".", 3);
  EXPECT_EQ(load("mnist").sha256, expected(3));
  EXPECT_EQ(load("idx", Part::test).sha256, expected(3, Part::test));
  write("FashionMNIST/raw", 4, ".gz");
  EXPECT_EQ(load("fashion-mnist").sha256, expected(4));
  write("fashion-mnist", 5);
  EXPECT_EQ(load("fashion-mnist").sha256, expected(5));
}

TEST_F(Load, RootsComeInTheDocumentedOrder) {
  const fs::path given = directory_ / "given";
  fs::create_directory(given);
  const ScopedVariable data("VAE_DATA_DIR", "/env"), cache("XDG_CACHE_HOME", "/cache"),
      home("HOME", "/home/me");
  EXPECT_EQ(data_roots(given), std::vector<fs::path>{given});
  EXPECT_EQ(data_roots({}), (std::vector<fs::path>{"/env", "/cache/vaekit"}));
  EXPECT_EQ(cache_folder(), "/cache/vaekit");
  const ScopedVariable no_data("VAE_DATA_DIR", nullptr), no_cache("XDG_CACHE_HOME", "");
  EXPECT_EQ(data_roots({}), std::vector<fs::path>{"/home/me/.cache/vaekit"});
  for (const char* none : {static_cast<const char*>(nullptr), "", "relative"}) {
    const ScopedVariable no_home("HOME", none);
    static char registered[] = "/home/registered";
    g_home = registered;
    EXPECT_EQ(data_roots({}), std::vector<fs::path>{"/home/registered/.cache/vaekit"});
    g_home = nullptr;  // as in a container under any number
    expect_error(ErrorKind::usage, "--data-dir, VAE_DATA_DIR or HOME", [] { data_roots({}); });
    expect_error(ErrorKind::usage, "XDG_CACHE_HOME or HOME", [] { cache_folder(); });
  }
}

TEST_F(Load, TheEnvironmentIsUsedUnlessAFolderIsGiven) {
  write("mnist", 1);
  const ScopedVariable data("VAE_DATA_DIR", directory_.path().c_str());
  EXPECT_EQ(load_dataset({.name = "mnist"}).sha256, expected(1));
  const test::TemporaryDirectory empty;
  expect_error(ErrorKind::io, empty.path().string(),
               [&] { load_dataset({.name = "mnist", .data_dir = empty.path()}); });
}

TEST_F(Load, NotFoundTellsWhereAndHow) {
  expect_error(ErrorKind::io, (directory_ / "MNIST/raw").string(), [&] { load("mnist"); });
  expect_error(ErrorKind::io, "datasets download fashion-mnist", [&] { load("fashion-mnist"); });
  expect_error(ErrorKind::io, "no such data folder",
               [&] { load_dataset({.name = "mnist", .data_dir = directory_ / "absent"}); });
  expect_error(ErrorKind::usage, "unknown data set 'minst'", [&] { load("minst"); });
}

TEST_F(Load, HalfASetIsNamed) {
  write("mnist", 1);
  fs::remove(directory_ / "mnist/train-labels-idx1-ubyte");
  expect_error(ErrorKind::io, "mnist: the data set is incomplete, train-labels-idx1-ubyte[.gz] is missing",
               [&] { load("mnist"); });
  fs::remove(directory_ / "mnist/train-images-idx3-ubyte");
  write("MNIST/raw", 2);  // is not taken for the other
  expect_error(ErrorKind::io, "mnist: the data set is incomplete, train-images-idx3-ubyte[.gz] is missing",
               [&] { load("mnist"); });
}

TEST_F(Load, WhetherThereIsAnythingOfASet) {
  const fs::path& root = directory_.path();
  EXPECT_FALSE(holds_any_of("mnist", root));
  write("fashion-mnist", 1);
  EXPECT_FALSE(holds_any_of("mnist", root));
  EXPECT_TRUE(holds_any_of("fashion-mnist", root));
  for (const char* file :
       {"t10k-labels-idx1-ubyte", "train-images-idx3-ubyte.gz", "MNIST/raw/t10k-images-idx3-ubyte"}) {
    fs::create_directories((root / file).parent_path());
    write_file_atomically(root / file, std::string_view());
    EXPECT_TRUE(holds_any_of("mnist", root)) << file;
    fs::remove(root / file);
  }
  fs::remove_all(root / "MNIST");
  fs::create_directory(root / "mnist");  // as a download that failed leaves it
  EXPECT_TRUE(holds_any_of("mnist", root));
  const ScopedVariable data("VAE_DATA_DIR", nullptr), cache("XDG_CACHE_HOME", nullptr), home("HOME", nullptr);
  EXPECT_FALSE(holds_any_of("mnist", {}));
}

TEST_F(Load, AFolderThatSomebodyNamedMustBeThere) {
  write("mnist", 1);
  fs::rename(directory_ / "mnist", directory_ / "vaekit");
  const ScopedVariable cache("XDG_CACHE_HOME", directory_.path().c_str());
  const auto mistyped = (directory_ / "mistyped").string(), file = (directory_ / "file").string();
  write_file_atomically(file, std::string_view("no folder"));
  for (const auto& path : {mistyped, file}) {
    const ScopedVariable data("VAE_DATA_DIR", path.c_str());
    EXPECT_EQ(named_root({}), fs::path(path));
    for (const char* name : {"mnist", "idx", "folder", "subfolders"})
      expect_error(ErrorKind::io, "VAE_DATA_DIR: " + path + ": no such data folder",
                   [&] { load_dataset({.name = name}); });
    expect_error(ErrorKind::io, "VAE_DATA_DIR: " + path, [&] { holds_any_of("mnist", {}); });
  }
  for (const char* unnamed : {static_cast<const char*>(nullptr), ""}) {
    const ScopedVariable data("VAE_DATA_DIR", unnamed);
    EXPECT_EQ(named_root({}), std::nullopt);
    EXPECT_EQ(load_dataset({.name = "mnist"}).sha256, expected(1));
  }
}

TEST_F(Load, SetsOfOnesOwnHaveAnySizeAndColour) {
  for (const auto& [part, stem] : {std::pair(Part::train, "train"), std::pair(Part::test, "t10k")}) {
    write_idx(directory_ / (std::string(stem) + "-labels-idx1-ubyte"),
              Tensor::from(std::vector<uint8_t>{1, 2}, {2}));
    for (const Shape& shape : {Shape{2, 2, 2}, Shape{2, 32, 32}, Shape{2, 5, 7, 3}, Shape{2, 1, 1}}) {
      write_idx(directory_ / (std::string(stem) + "-images-idx3-ubyte"), Tensor::zeros(shape, DType::u8));
      const Dataset set = load("idx", part);
      EXPECT_EQ(set.images.numel(), shape.numel());
      EXPECT_EQ(set.images.size(3), shape.rank() == 4 ? 3 : 1);
      expect_error(ErrorKind::data, "expected 28x28x1", [&] { load("mnist", part); });
    }
  }
  const auto images = directory_ / "train-images-idx3-ubyte";
  write_idx(images, Tensor::zeros({2, 5, 7, 4}, DType::u8));
  expect_error(ErrorKind::data, "5x7x4, expected 1 channel (grey) or 3 (RGB)", [&] { load("idx"); });
  write_idx(images, Tensor::zeros({2, 5, 7}, DType::u8));
  const auto read = [&](const ImageFormat& format) {
    load_dataset({.name = "idx", .data_dir = directory_.path(), .format = format});
  };
  expect_error(ErrorKind::data, "5x7x1, expected 7x5x1", [&] { read({.size = ImageSize{7, 5}}); });
  expect_error(ErrorKind::data, "5x7x1, expected 5x7x3", [&] { read({.channels = 3}); });
}

TEST_F(Load, IdxFilesAsTheyLieAround) {
  const auto forms = {"train-images.idx3-ubyte", "train-images-idx3-ubyte/train-images-idx3-ubyte",
                      "train-images.idx3-ubyte/train-images-idx3-ubyte", "train-images.idx3-ubyte.gz"};
  for (const std::string form : forms) {
    SCOPED_TRACE(form);
    write("mnist", 1);
    const fs::path plain = directory_ / "mnist/train-images-idx3-ubyte", away = directory_ / "images";
    const Tensor images = read_idx_images(plain);
    fs::remove(plain);
    expect_error(ErrorKind::io, "incomplete", [&] { load("mnist"); });
    const fs::path path = directory_ / "mnist" / form;
    fs::create_directories(path.parent_path());
    write_idx_images(path, images);
    EXPECT_EQ(load("mnist").sha256, expected(1));
    fs::remove_all(directory_ / "mnist");
  }
}

TEST_F(Load, KinOfMnist) {
  write("KMNIST/raw", 1);
  EXPECT_EQ(load("kmnist").sha256, expected(1));

  // EMNIST stores its images transposed, and counts its letters from 1.
  fs::create_directories(directory_ / "EMNIST/raw");
  const auto emnist = [&](const std::string& what) {
    return directory_ / ("EMNIST/raw/emnist-letters-" + what);
  };
  const Dataset digits = synthetic_digits(2, Part::train, 1);
  std::vector<uint8_t> turned(2 * 784);
  const auto upright = digits.images.to_vector<uint8_t>();
  for (size_t i = 0; i < turned.size(); ++i) turned[i] = upright[i / 784 * 784 + i % 28 * 28 + i / 28 % 28];
  write_idx(emnist("train-images-idx3-ubyte.gz"), Tensor::from(turned, {2, 28, 28}));
  write_idx(emnist("train-labels-idx1-ubyte.gz"), Tensor::from(std::vector<uint8_t>{1, 26}, {2}));
  const Dataset letters = load("emnist-letters");
  EXPECT_EQ(letters.images.to_vector<uint8_t>(), upright);
  EXPECT_EQ(letters.labels.to_vector<int64_t>(), (std::vector<int64_t>{0, 25}));
  EXPECT_EQ(letters.num_classes, 26);
  EXPECT_EQ(letters.class_names.at(25), "Z");
  expect_error(ErrorKind::usage, "has 26 classes, not 5", [&] {
    load_dataset({.name = "emnist-letters", .data_dir = directory_.path(), .num_classes = 5});
  });
  expect_error(ErrorKind::usage, "--transpose is for the images of 'idx'",
               [&] { load_dataset({.name = "mnist", .data_dir = directory_.path(), .transpose = true}); });
  write_idx(directory_ / "train-images-idx3-ubyte",
            Tensor::from(std::vector<uint8_t>{1, 2, 3, 4, 5, 6}, {1, 2, 3}));
  write_idx(directory_ / "train-labels-idx1-ubyte", Tensor::zeros({1}, DType::u8));
  const Dataset idx = load_dataset({.name = "idx", .data_dir = directory_.path(), .transpose = true});
  EXPECT_EQ(idx.images.shape(), (Shape{1, 3, 2, 1}));
  EXPECT_EQ(idx.images.to_vector<uint8_t>(), (std::vector<uint8_t>{1, 4, 2, 5, 3, 6}));

  // QMNIST's labels have eight columns of integers, of which the first is the class.
  fs::create_directories(directory_ / "qmnist");
  write_idx_images(directory_ / "qmnist/qmnist-test-images-idx3-ubyte", digits.images);
  std::string labels("\0\0\x0c\2\0\0\0\2\0\0\0\x8", 12);
  for (const char digit : {3, 9}) labels += std::string("\0\0\0", 3) + digit + std::string(28, '\1');
  const fs::path file = directory_ / "qmnist/qmnist-test-labels-idx2-int";
  write_file_atomically(file, std::string_view(labels));
  EXPECT_EQ(load("qmnist", Part::test).labels.to_vector<int64_t>(), (std::vector<int64_t>{3, 9}));
  labels[12] = '\xff';  // a negative number
  write_file_atomically(file, std::string_view(labels));
  expect_error(ErrorKind::data, "item 0: label -16777213 is out of range",
               [&] { load("qmnist", Part::test); });
  write_file_atomically(file, std::string_view(labels).substr(0, 40));
  expect_error(ErrorKind::data, "too short", [&] { load("qmnist", Part::test); });
}

TEST_F(Load, PicturesOfAnySizeSomeWithoutALabel) {
  const auto picture = [&](const std::string& name, ImageSize size, uint8_t level) {
    fs::create_directories((directory_ / name).parent_path());
    write_image(directory_ / name, std::vector<uint8_t>(static_cast<size_t>(size.height) * size.width, level),
                size, 1);
  };
  const auto small = [&](const std::string& name, Part part = Part::train) {
    return load_dataset(
        {.name = name, .part = part, .data_dir = directory_.path(), .format = {.resize = ImageSize{4, 4}}});
  };
  picture("train_images/0_a.png", {30, 20}, 1);
  picture("train_images/nameless.png", {5, 5}, 2);
  picture("unlabeled_images/any.png", {8, 80}, 3);
  picture("test_images/1_a.png", {4, 4}, 4);
  picture("test_images/nameless.png", {4, 4}, 5);
  EXPECT_EQ(small("folder").labels.to_vector<int64_t>(), (std::vector<int64_t>{0, kNoLabel, kNoLabel}));
  EXPECT_EQ(small("folder", Part::test).size(), 1);
  picture("train/cat/a.png", {7, 7}, 1);
  picture("train/dog/a.png", {7, 9}, 1);
  fs::remove_all(directory_ / "train_images");
  fs::remove_all(directory_ / "test_images");
  const Dataset equal = small("subfolders");
  EXPECT_EQ(equal.labels.to_vector<int64_t>(), (std::vector<int64_t>{0, 1}));
  EXPECT_TRUE(equal.warnings.empty());
  // White strokes on nothing are not seen over white.
  for (const auto& [name, alpha] : {std::pair("train/cat/a.png", '\0'), {"train/dog/a.png", '\x7f'}})
    write_file_atomically(directory_ / name, std::string_view(test::png(test::png_header(1, 1, 8, 4),
                                                                        std::string("\0\xff", 2) + alpha)));
  EXPECT_EQ(small("subfolders").warnings,
            std::vector<std::string>{"all 2 pictures are equal over this background (--background)"});
  const Dataset black = load_dataset({.name = "subfolders",
                                      .data_dir = directory_.path(),
                                      .format = {.resize = ImageSize{4, 4}, .background = 0}});
  EXPECT_TRUE(black.warnings.empty());
  picture("unlabeled/any.png", {8, 80}, 3);
  const Dataset set = small("subfolders");
  EXPECT_EQ(set.labels.to_vector<int64_t>(), (std::vector<int64_t>{0, 1, kNoLabel}));
  EXPECT_EQ(class_counts(set.labels, 2), (std::vector<int64_t>{1, 1}));
  EXPECT_TRUE(set.warnings.empty());
  expect_error(ErrorKind::usage, "no set of pictures", [&] { small("mnist"); });
}

TEST_F(Load, LabelsFromAnOffset) {
  write(".", 1);
  const auto labels = directory_ / "train-labels-idx1-ubyte";
  write_idx(labels, Tensor::from(std::vector<uint8_t>(20, 26), {20}));
  const auto load_letters = [&](int classes, int offset) {
    return load_dataset(
        {.name = "idx", .data_dir = directory_.path(), .num_classes = classes, .label_offset = offset});
  };
  const Dataset letters = load_letters(26, 1);
  EXPECT_EQ(letters.labels.to_vector<int64_t>(), std::vector<int64_t>(20, 25));
  EXPECT_EQ(class_counts(letters.labels, 26)[0], 0);  // classes may be empty
  expect_error(ErrorKind::data, "label 26 is out of range", [&] { load_letters(26, 0); });
  for (const char* name : {"synth", "subfolders"})
    expect_error(ErrorKind::usage, "no offset of 1",
                 [&] { load_dataset({.name = name, .label_offset = 1}); });
}

TEST_F(Load, CountsSizesAndLabelsAreChecked) {
  write("mnist", 1);
  const auto images = directory_ / "mnist/train-images-idx3-ubyte",
             labels = directory_ / "mnist/train-labels-idx1-ubyte";
  write_idx(labels, Tensor::zeros({19}, DType::u8));
  expect_error(ErrorKind::data, "20 images, but 19 labels", [&] { load("mnist"); });
  write_idx(labels, Tensor::from(std::vector<uint8_t>(20, 10), {20}));
  expect_error(ErrorKind::data, "label 10", [&] { load("mnist"); });
  write_idx(images, Tensor::zeros({20, 28, 27}, DType::u8));
  expect_error(ErrorKind::data, "28x27x1, expected 28x28x1", [&] { load("mnist"); });
  write_idx(images, Tensor::zeros({20, 28, 28, 3}, DType::u8));
  expect_error(ErrorKind::data, "28x28x3", [&] { load("mnist"); });
  write_idx(images, Tensor::zeros({0, 28, 28}, DType::u8));
  write_idx(labels, Tensor::zeros({0}, DType::u8));
  expect_error(ErrorKind::data, "empty", [&] { load("mnist"); });
  write_file_atomically(images, std::string_view());
  expect_error(ErrorKind::data, "file is empty", [&] { load("mnist"); });
}

TEST_F(Load, Synthetic) {
  const Dataset set = load_dataset({.name = "synth", .part = Part::test, .synth_test = 30, .synth_seed = 4});
  EXPECT_EQ(set.sha256, synthetic_digits(30, Part::test, 4).sha256);
}

TEST_F(Load, PictureFolders) {
  const Dataset train = synthetic_digits(20, Part::train, 1), test = synthetic_digits(10, Part::test, 1);
  export_images(train, directory_ / "train_images", "png", 20);
  export_images(test, directory_ / "test_images", "png", 10);
  EXPECT_EQ(load("folder").size(), 20);
  EXPECT_EQ(load("folder", Part::test).num_classes, 10);
  EXPECT_TRUE(load("folder").class_names.empty());
  for (const char* name : {"train_images/10", "train_images/9", "test_images/10"})
    export_images(train, directory_ / name, "png", 20);
  const Dataset classes = load("subfolders");
  EXPECT_EQ(classes.num_classes, 2);
  EXPECT_EQ(classes.class_names, (std::vector<std::string>{"9", "10"}));
  EXPECT_EQ(classes.ignored, std::vector<std::string>{"20 pictures outside the class folders"});
  expect_error(ErrorKind::data, "class '9' of the training set has no folder",
               [&] { load("subfolders", Part::test); });
  export_images(test, directory_ / "test_images/9", "png", 10);
  EXPECT_EQ(class_counts(load("subfolders", Part::test).labels, 2), (std::vector<int64_t>{10, 20}));
  fs::remove_all(directory_ / "test_images");
  expect_error(ErrorKind::io, "test_images", [&] { load("folder", Part::test); });
}

TEST_F(Load, ClassFoldersInEitherLayout) {
  const Dataset train = synthetic_digits(20, Part::train, 1), test = synthetic_digits(10, Part::test, 1);
  for (const char* name : {"cat", "dog"}) {
    export_images(train, directory_ / "train" / name, "png", 20);
    export_images(test, directory_ / "test" / name, "png", 10);
  }
  EXPECT_EQ(load("subfolders").class_names, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(class_counts(load("subfolders", Part::test).labels, 2), (std::vector<int64_t>{10, 10}));
  expect_error(ErrorKind::io, "folder: no such folder: " + (directory_ / "train_images").string(),
               [&] { load("folder"); });
  fs::rename(directory_ / "test", directory_ / "elsewhere");
  expect_error(ErrorKind::io, "subfolders: no such folder: " + (directory_ / "test").string(),
               [&] { load("subfolders", Part::test); });
  fs::create_directory(directory_ / "test_images");
  for (const Part part : {Part::train, Part::test})
    expect_error(ErrorKind::data, "it has pictures for 'subfolders' in two ways",
                 [&] { load("subfolders", part); });
  fs::remove(directory_ / "test_images");
  fs::rename(directory_ / "train", directory_ / "test");
  expect_error(ErrorKind::io, "subfolders: no such folder: " + (directory_ / "train").string(),
               [&] { load("subfolders", Part::test); });
  fs::rename(directory_ / "test", directory_ / "elsewhere/train");
  expect_error(
      ErrorKind::io,
      fmt::format("subfolders: no such folder: {0}/train_images, {0}/train", directory_.path().string()),
      [&] { load("subfolders"); });
}

TEST_F(Load, PublishedMnist) {
  const char* root = std::getenv("VAE_DATA_DIR");
  if (!root || !fs::exists(fs::path(root) / "mnist")) GTEST_SKIP() << "VAE_DATA_DIR has no mnist/";
  const Dataset train = load_dataset({.name = "mnist"}),
                test = load_dataset({.name = "mnist", .part = Part::test});
  EXPECT_EQ(class_counts(train.labels, 10),
            (std::vector<int64_t>{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}));
  EXPECT_EQ(test.size(), 10000);
}

}  // namespace
}  // namespace vae::data
