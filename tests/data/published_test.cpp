// Whole published sets: what is there already, what is missing, and what only has their names.
#include "data/load.h"
#include "tests/data/download_fixture.h"
#include "tests/data/tar_archive.h"

namespace vae::data {
namespace {

TEST_F(Download, AFileThatIsThereIsVerified) {
  write_file_atomically(target_, packed_);
  fetch("file:///absent");
  expect_complete();
  write_file_atomically(target_, std::string_view("mine"));
  expect_error(ErrorKind::data, "exists, but is not the published file", [&] { fetch(file_url()); });
  EXPECT_EQ(test::read_text(target_), "mine");
  EXPECT_FALSE(fs::exists(target_.string() + ".part"));
}

TEST_F(Download, ThePackedFileIsAWitnessForThePlainOneBesideIt) {
  const std::string packed_sha256 = sha256_hex(packed_);
  const PublishedFile file{"file", content_.size(), packed_sha256.c_str(), KnownBy::packed};
  const fs::path plain = directory_ / "to/file";
  const auto check = [&] { fetch_published("file:///absent", plain, file); };
  write_file_atomically(plain, content_);
  expect_error(ErrorKind::data, "cannot be verified", check);
  write_file_atomically(target_, packed_);
  EXPECT_NO_THROW(check());
  auto other = content_;
  other[100] ^= std::byte{1};
  write_file_atomically(target_, gzip(other));  // no witness
  write_file_atomically(plain, other);
  expect_error(ErrorKind::data, "cannot be verified", check);
  write_file_atomically(target_, packed_);
  expect_error(ErrorKind::data, "cannot be verified", check);
}

TEST_F(Download, KnowsItsDataSets) {
  for (const std::string name : {"mnist", "fashion-mnist"}) {
    ASSERT_EQ(published_files(name).size(), 4u);
    for (const PublishedFile& file : published_files(name)) EXPECT_EQ(std::string(file.digest).size(), 64u);
  }
  for (const std::string name : {"cifar10", "cifar100", "svhn"})
    for (const PublishedFile& file : published_files(name)) {
      EXPECT_EQ(std::string(file.digest).size(), 32u);
      EXPECT_EQ(file.stored_name(), file.name);
    }
  for (const char* name : kPublishedNames) {
    EXPECT_FALSE(published_files(name).empty());
    EXPECT_TRUE(file_set(name)->is_published);
  }
  expect_error(ErrorKind::usage,
               "'synth' cannot be downloaded, expected one of mnist, fashion-mnist, cifar10",
               [] { published_files("synth"); });
}

TEST_F(Download, FilesThatAreKnownAsTheyAre) {
  const std::string md5 = md5_hex(packed_), sha256 = sha256_hex(packed_);
  for (const std::string& digest : {md5, sha256}) {
    const PublishedFile file{"file.gz", 0, digest.c_str(), KnownBy::file};
    const HttpServer server(body(), {});
    leftover(std::span(packed_).first(5000));
    fetch_published(server.url(), target_, file);
    expect_complete();
    EXPECT_EQ(server.bytes_sent(), packed_.size() - 5000);
    fs::remove(target_);
    const HttpServer other(body() + "x", {});
    expect_error(ErrorKind::data, digest == md5 ? "not the published file: its MD5 is " : "its SHA-256 is ",
                 [&] { fetch_published(other.url(), target_, file); });
    expect_nothing();
  }
}

TEST_F(Download, NamesOfWhatIsFetched) {
  const HttpServer server(body(), {});
  const std::string host = server.url().substr(0, server.url().rfind('/'));
  for (const auto& [name, path] :
       {std::pair("cifar10", "/cifar-10-binary.tar.gz"), std::pair("cifar100", "/cifar-100-binary.tar.gz"),
        std::pair("svhn", "/train_32x32.mat")}) {
    expect_error(ErrorKind::data, std::string(path) + ": not the published file: its MD5 is ",
                 [&] { download_dataset({.name = name, .data_dir = directory_ / "to", .mirror = host}); });
    EXPECT_EQ(server.path(), path);
    EXPECT_TRUE(fs::is_empty(directory_ / "to" / name));
    write_file_atomically(directory_ / "to" / name / std::string(path).substr(1), std::string_view("mine"));
    expect_error(ErrorKind::data, "exists, but is not the published file: its MD5 is ", [&] {
      download_dataset({.name = name, .data_dir = directory_ / "to", .mirror = "file:///absent"});
    });
  }
}

TEST_F(Download, WhatIsReadOfCifarIsThatOfTheArchive) {
  const fs::path folder = directory_ / "cifar100";
  fs::create_directory(folder);
  const auto check = [&](const std::string& words) {
    expect_error(ErrorKind::data, "cifar100: not the published files: " + words,
                 [&] { check_published({.name = "cifar100", .data_dir = directory_.path()}); });
  };
  const auto pack = [&](const std::string& train, const std::string& test) {
    const std::string tar =
        test::tar_entry("train.bin", train) + test::tar_entry("test.bin", test) + test::kTarEnd;
    write_file_atomically(folder / "cifar-100-binary.tar.gz", gzip(std::as_bytes(std::span(tar))));
  };
  const std::string one(3074, '\1'), two(3074, '\2');
  write_file_atomically(folder / "train.bin", one);
  write_file_atomically(folder / "test.bin", two);
  check((folder / "train.bin").string() +
        ": it cannot be verified, since a checksum is known of the archive only");
  pack(two, two);
  check((folder / "train.bin").string() + ": the train images are not those of " + folder.string());
  pack(one, two);
  check((folder / "cifar-100-binary.tar.gz").string() + ": its MD5 is ");
  fs::remove(folder / "train.bin");
  check((folder / "cifar-100-binary.tar.gz").string() + ": its MD5 is ");
}

TEST_F(Download, SvhnIsKnownByBothFiles) {
  for (const char* name : {"train_32x32.mat", "test_32x32.mat"})
    write_file_atomically(directory_ / name, std::string_view("no MATLAB file"));
  expect_error(ErrorKind::data, "svhn: not the published files: " + (directory_ / "train_32x32.mat").string(),
               [&] { check_published({.name = "svhn", .data_dir = directory_.path()}); });
}

TEST_F(Download, PresentButWrongFilesAreKept) {
  fs::create_directory(directory_ / "to/mnist");
  const fs::path mine = directory_ / "to/mnist/train-images-idx3-ubyte";
  write_file_atomically(mine, std::string_view("mine"));
  expect_error(ErrorKind::data, "not the published file", [&] {
    download_dataset({.name = "mnist", .data_dir = directory_ / "to", .mirror = "file:///absent"});
  });
  EXPECT_EQ(read_file(mine).size(), 4u);
}

TEST_F(Download, PresentFilesAreVerifiedBeforeAnythingIsFetched) {
  fs::create_directory(directory_ / "to/fashion-mnist");
  const fs::path last = directory_ / "to/fashion-mnist/t10k-labels-idx1-ubyte";
  write_file_atomically(last, std::string(10008, '\0'));  // of the right size
  const HttpServer server(body(), {});
  expect_error(ErrorKind::data,
               last.string() + ": exists, but is not the published file: it cannot be verified", [&] {
                 download_dataset({.name = "fashion-mnist",
                                   .data_dir = directory_ / "to",
                                   .mirror = server.url().substr(0, server.url().rfind('/'))});
               });
  EXPECT_EQ(server.path(), "");
  EXPECT_EQ(fs::file_size(last), 10008u);
}

TEST_F(Download, OneSlashBehindTheMirror) {
  const HttpServer server(body(), {.status = 404});
  const std::string host = server.url().substr(0, server.url().rfind('/'));
  for (const std::string mirror : {"", "/", "//", "/sub", "/sub/"}) {
    expect_error(ErrorKind::io, "download failed", [&] {
      download_dataset({.name = "mnist", .data_dir = directory_ / "to", .mirror = host + mirror});
    });
    const std::string folder = mirror.starts_with("/sub") ? "/sub" : "";
    EXPECT_EQ(server.path(), folder + "/train-images-idx3-ubyte.gz") << mirror;
  }
}

TEST_F(Download, OtherFilesUnderPublishedNamesAreNotPublished) {
  const DatasetOptions options{.name = "mnist", .data_dir = directory_.path()};
  expect_error(ErrorKind::io, "datasets download mnist", [&] { check_published(options); });
  for (const PublishedFile& file : published_files("mnist"))
    write_file_atomically(directory_ / file.name, std::string(file.unpacked_bytes, '\0'));
  expect_error(ErrorKind::data, "mnist: not the published files: ", [&] { check_published(options); });
  expect_error(ErrorKind::usage, "idx",
               [&] { check_published({.name = "idx", .data_dir = directory_.path()}); });
}

TEST_F(Download, WholeMnistFromALocalMirror) {
  const char* root = std::getenv("VAE_DATA_DIR");
  if (!root || !fs::exists(fs::path(root) / "mnist/train-images-idx3-ubyte.gz"))
    GTEST_SKIP() << "VAE_DATA_DIR has no mnist/";
  const std::string mirror = "file://" + fs::absolute(fs::path(root) / "mnist").string();
  const fs::path folder =
      download_dataset({.name = "mnist", .data_dir = directory_ / "to", .mirror = mirror});
  EXPECT_EQ(folder, directory_ / "to/mnist");
  EXPECT_EQ(load_dataset({.name = "mnist", .data_dir = directory_ / "to"}).size(), 60000);
  EXPECT_NO_THROW(
      download_dataset({.name = "mnist", .data_dir = directory_ / "to", .mirror = "file:///absent"}));
  EXPECT_NO_THROW(check_published({.name = "mnist", .data_dir = directory_ / "to"}));
  const fs::path labels = directory_ / "to/mnist/t10k-labels-idx1-ubyte";
  std::vector<std::byte> other = gunzip(read_file(labels.string() + ".gz"), 10008, "labels");
  other.back() ^= std::byte{1};
  write_file_atomically(labels, other);  // it is read in the place of the packed one
  expect_error(ErrorKind::data, labels.string(),
               [&] { check_published({.name = "mnist", .data_dir = directory_ / "to"}); });
}

}  // namespace
}  // namespace vae::data
