// CIFAR in its binary versions: records, names of classes, archives, and what is refused.
#include "data/cifar.h"

#include <gtest/gtest.h>

#include "data/gzip.h"
#include "data/load.h"
#include "tensor/file.h"
#include "tests/data/tar_archive.h"
#include "tests/expect_error.h"
#include "tests/temporary_directory.h"

namespace vae::data {
namespace {

namespace fs = std::filesystem;
using test::expect_error, test::kTarEnd, test::tar_entry;

/// Value of a pixel of record i: of its plane and place.
int value(int i, int c, int place) { return (17 * i + 80 * c + place) % 256; }

std::string record(const std::vector<int>& labels, int i) {
  std::string bytes;
  for (const int label : labels) bytes.push_back(static_cast<char>(label));
  for (int c = 0; c < 3; ++c)
    for (int place = 0; place < 1024; ++place) bytes.push_back(static_cast<char>(value(i, c, place)));
  return bytes;
}

class Cifar : public ::testing::Test {
 protected:
  Cifar() {
    for (int batch = 1; batch <= 5; ++batch)
      files_[fmt::format("data_batch_{}.bin", batch)] = record({batch}, batch) + record({9}, 10 + batch);
    files_["test_batch.bin"] = record({3}, 3);
  }
  fs::path write(const std::string& name, const std::string& content) {
    fs::create_directories((directory_ / name).parent_path());
    write_file_atomically(directory_ / name, content);
    return directory_ / name;
  }
  void write_set(const std::string& folder) {
    for (const auto& [name, content] : files_) write(folder + "/" + name, content);
  }
  void write_archive(const std::string& name, const std::string& end = kTarEnd) {
    std::string tar = tar_entry("cifar-10-batches-bin/", "", '5');
    for (const auto& [file, content] : files_) tar += tar_entry("cifar-10-batches-bin/" + file, content);
    tar += end;
    const auto packed = gzip(std::as_bytes(std::span(tar)));
    write(name, {reinterpret_cast<const char*>(packed.data()), packed.size()});
  }
  Dataset load(const std::string& name = "cifar10", Part part = Part::train) {
    return load_dataset({.name = name, .part = part, .data_dir = directory_.path()});
  }
  void refuse(const std::string& words) {
    expect_error(ErrorKind::data, words, [&] { load(); });
  }
  std::map<std::string, std::string> files_;
  test::TemporaryDirectory directory_;
};

TEST_F(Cifar, RecordsBecomeImages) {
  write_set("cifar-10-batches-bin");
  const Dataset train = load();
  EXPECT_EQ(train.name, "cifar10 (train)");
  EXPECT_EQ(train.num_classes, 10);
  EXPECT_TRUE(train.class_names.empty());
  EXPECT_EQ(train.labels.to_vector<int64_t>(), (std::vector<int64_t>{1, 9, 2, 9, 3, 9, 4, 9, 5, 9}));
  ASSERT_EQ(train.images.shape(), (Shape{10, 32, 32, 3}));
  const int numbers[] = {1, 11, 2, 12, 3, 13, 4, 14, 5, 15};
  const uint8_t* pixel = train.images.data<uint8_t>();
  for (const int i : numbers)
    for (int place = 0; place < 1024; ++place)
      for (int c = 0; c < 3; ++c) ASSERT_EQ(*pixel++, value(i, c, place)) << i << " " << place << " " << c;
  EXPECT_EQ(load("cifar10", Part::test).labels.to_vector<int64_t>(), std::vector<int64_t>{3});
}

TEST_F(Cifar, TheFineLabelCounts) {
  write("cifar-100-binary/train.bin", record({19, 99}, 1) + record({0, 42}, 2));
  write("cifar-100-binary/test.bin", record({1, 0}, 3));
  const Dataset train = load("cifar100");
  EXPECT_EQ(train.num_classes, 100);
  EXPECT_EQ(train.labels.to_vector<int64_t>(), (std::vector<int64_t>{99, 42}));
  EXPECT_EQ(train.images.slice(1, 2).to_vector<uint8_t>()[1], value(2, 1, 0));
  EXPECT_EQ(load("cifar100", Part::test).size(), 1);
  const auto refuse = [&](const std::string& words, const std::string& content) {
    write("cifar-100-binary/train.bin", content);
    expect_error(ErrorKind::data, "cifar-100-binary/train.bin" + words, [&] { load("cifar100"); });
  };
  refuse(", record 1: label 100 is out of range, there are 100 classes",
         record({0, 0}, 1) + record({1, 100}, 1));
  refuse(", record 0: label 20 is out of range, there are 20 coarse classes", record({20, 0}, 1));
  refuse(": 3073 bytes are no whole number of records of 3074 bytes", record({1}, 1));
  std::string names;
  for (int k = 0; k < 100; ++k) names += fmt::format("class_{}\n", k);
  write("cifar-100-binary/train.bin", record({19, 99}, 1));
  write("cifar-100-binary/fine_label_names.txt", names);
  EXPECT_EQ(load("cifar100").class_names[99], "class_99");
}

TEST_F(Cifar, NamesOfClasses) {
  write_set("cifar10");
  const std::string names = "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n";
  for (const std::string& text : {names, names + "\n", names.substr(0, names.size() - 1)}) {
    write("cifar10/batches.meta.txt", text);
    ASSERT_EQ(load().class_names.size(), 10u);
    EXPECT_EQ(load("cifar10", Part::test).class_names[9], "truck");
  }
  write("cifar10/batches.meta.txt", "a\r\nb\r\nc\r\nd\r\ne\r\nf\r\ng\r\nh\r\ni\r\nj\r\n\r\n");
  EXPECT_EQ(load().class_names[9], "j");
  for (const std::string& text :
       {std::string(), std::string("a\nb\n"), names + "one more\n", names + "more\n",
        std::string("\xff\xfe\n") + names, std::string(100, '\0')}) {
    write("cifar10/batches.meta.txt", text);
    refuse("cifar10/batches.meta.txt: not the names of 10 classes, one a line");
  }
}

TEST_F(Cifar, InEveryPlace) {
  write_set("cifar-10-batches-bin");
  const std::string first = load().sha256;
  files_["data_batch_3.bin"] = record({7}, 99);
  write_set("cifar10");
  const std::string second = load().sha256;
  EXPECT_NE(first, second);
  files_["data_batch_3.bin"] = record({7}, 98);
  write_set(".");
  EXPECT_NE(load().sha256, second);
  expect_error(ErrorKind::io, "datasets download cifar100", [&] { load("cifar100"); });
}

TEST_F(Cifar, OutOfTheArchive) {
  write_set("files");
  files_["batches.meta.txt"] = "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n";
  write_archive("cifar10/cifar-10-binary.tar.gz");
  const Dataset packed = load();
  EXPECT_EQ(packed.sha256, load_dataset({.name = "cifar10", .data_dir = directory_ / "files"}).sha256);
  EXPECT_EQ(packed.class_names[9], "9");
  write("cifar10/test_batch.bin", record({8}, 1));  // read in place of the packed one
  EXPECT_EQ(load("cifar10", Part::test).labels.to_vector<int64_t>(), std::vector<int64_t>{8});
  EXPECT_EQ(load().sha256, packed.sha256);
  files_["data_batch_4.bin"] = record({10}, 1);
  write_archive("cifar10/cifar-10-binary.tar.gz");
  refuse("cifar-10-binary.tar.gz, data_batch_4.bin, record 0: label 10 is out of range");
  files_.erase("data_batch_4.bin");
  write_archive("cifar10/cifar-10-binary.tar.gz");
  refuse("cifar-10-binary.tar.gz, data_batch_4.bin: is not there");
  write_archive("cifar10/cifar-10-binary.tar.gz", tar_entry("more/data_batch_1.bin", "x") + kTarEnd);
  refuse("cifar-10-binary.tar.gz, data_batch_1.bin: is there twice");
  write_archive("cifar10/cifar-10-binary.tar.gz", "");
  refuse("cifar-10-binary.tar.gz: the tar archive ends before its end mark");
  write("cifar10/cifar-10-binary.tar.gz", "no archive");
  refuse("cifar-10-binary.tar.gz: gzip file is corrupt");
  write("cifar10/cifar-10-binary.tar.gz", "");
  refuse("cifar-10-binary.tar.gz: gzip file is truncated");
}

TEST_F(Cifar, WrongFiles) {
  write_set("cifar10");
  const std::string whole = files_["data_batch_2.bin"];
  for (const size_t length : {size_t{1}, size_t{3072}, size_t{3074}, whole.size() - 1}) {
    write("cifar10/data_batch_2.bin", whole.substr(0, length));
    refuse(fmt::format("cifar10/data_batch_2.bin: {} bytes are no whole number of records of 3073", length));
  }
  write("cifar10/data_batch_2.bin", "");
  refuse("cifar10/data_batch_2.bin: file is empty");
  write("cifar10/data_batch_2.bin", record({1}, 1) + record({255}, 2));
  refuse("cifar10/data_batch_2.bin, record 1: label 255 is out of range, there are 10 classes");
  fs::remove(directory_ / "cifar10/data_batch_2.bin");
  expect_error(ErrorKind::io, "cifar10: the data set is incomplete, data_batch_2.bin is missing; get it with",
               [&] { load(); });
  EXPECT_EQ(load("cifar10", Part::test).size(), 1);
  fs::remove_all(directory_ / "cifar10");
  expect_error(ErrorKind::io, "cifar10: no data_batch_1.bin and no cifar-10-binary.tar.gz in ",
               [&] { load(); });
}

TEST_F(Cifar, ClassesAndColoursAreKnown) {
  write_set(".");
  const auto load_as = [&](DatasetOptions options) {
    options.name = "cifar10", options.data_dir = directory_.path();
    return load_dataset(options);
  };
  expect_error(ErrorKind::usage, "'cifar10' has 10 classes, not 5", [&] { load_as({.num_classes = 5}); });
  expect_error(ErrorKind::usage, "no offset of 1", [&] { load_as({.label_offset = 1}); });
  expect_error(ErrorKind::data, "images are 32x32x3, expected 32x32x1", [&] {
    load_as({.format = {1, {}}});
  });
}

}  // namespace
}  // namespace vae::data
