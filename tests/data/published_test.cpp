// Whole published sets: what is there already, what is missing, and what only has their names.
#include "data/load.h"
#include "tests/data/download_fixture.h"

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
  const PublishedFile file{"file", content_.size(), packed_sha256.c_str(), true};
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
    for (const PublishedFile& file : published_files(name)) EXPECT_EQ(std::string(file.sha256).size(), 64u);
  }
  expect_error(ErrorKind::usage, "'synth' cannot be downloaded", [] { published_files("synth"); });
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
