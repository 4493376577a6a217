#include "data/download.h"

#include <gtest/gtest.h>

#include "data/digest.h"
#include "data/gzip.h"
#include "data/load.h"
#include "tensor/file.h"
#include "tests/data/http_server.h"
#include "tests/expect_error.h"
#include "tests/temporary_directory.h"

namespace vae::data {
namespace {

namespace fs = std::filesystem;
using test::expect_error;
using test::HttpServer;

class Download : public ::testing::Test {
 protected:
  Download() {
    for (size_t i = 0; i < 20000; ++i) content_.push_back(static_cast<std::byte>(i * i * 2654435761u >> 9));
    packed_ = gzip(content_);
    sha256_ = sha256_hex(content_);
    file_ = {"file", content_.size(), sha256_.c_str(), false};
    fs::create_directory(directory_ / "to");
    write_file_atomically(directory_ / "file.gz", packed_);
  }
  std::string body() const { return {reinterpret_cast<const char*>(packed_.data()), packed_.size()}; }
  std::string file_url() const { return "file://" + (directory_ / "file.gz").string(); }
  void leftover(std::span<const std::byte> bytes) {
    write_file_atomically(target_.string() + ".part", bytes);
  }
  void fetch(const std::string& url) { fetch_published(url, target_, file_); }
  void expect_complete() {
    EXPECT_EQ(read_file(target_), packed_);
    EXPECT_FALSE(fs::exists(target_.string() + ".part"));
  }
  void expect_nothing() { EXPECT_TRUE(fs::is_empty(directory_ / "to")); }

  test::TemporaryDirectory directory_;
  fs::path target_ = directory_ / "to/file.gz";
  std::vector<std::byte> content_, packed_;
  std::string sha256_;
  PublishedFile file_{};
};

TEST_F(Download, FromAFile) {
  int64_t last = 0, whole = 0;
  fetch_published(file_url(), target_, file_, [&](const std::string& name, int64_t done, int64_t total) {
    EXPECT_EQ(name, "file.gz");
    EXPECT_GE(done, last);
    last = done;
    whole = total;
  });
  expect_complete();
  EXPECT_EQ(last, static_cast<int64_t>(packed_.size()));
  EXPECT_EQ(whole, last);
}

TEST_F(Download, OverHttp) {
  const HttpServer server(body(), {});
  fetch(server.url());
  expect_complete();
}

TEST_F(Download, ResumesWhereItStopped) {
  leftover(std::span(packed_).first(5000));
  const HttpServer server(body(), {});
  fetch(server.url());
  expect_complete();
  EXPECT_EQ(server.bytes_sent(), packed_.size() - 5000);
}

TEST_F(Download, ResumesFromAFile) {
  leftover(std::span(packed_).first(5000));
  fetch(file_url());
  expect_complete();
}

TEST_F(Download, StartsOverWhereTheServerKnowsNoRanges) {
  leftover(std::span(packed_).first(5000));
  const HttpServer server(body(), {.ranges = false});
  fetch(server.url());
  expect_complete();
}

TEST_F(Download, TakesACompleteLeftover) {
  leftover(packed_);
  const HttpServer server(body(), {});
  fetch(server.url());
  expect_complete();
  EXPECT_EQ(server.bytes_sent(), 0u);
}

TEST_F(Download, ReplacesALeftoverOfAnotherFile) {
  for (const size_t size : {size_t{5000}, packed_.size(), packed_.size() + 100})
    for (const bool http : {false, true}) {
      leftover(std::vector<std::byte>(size, std::byte{7}));
      const HttpServer server(body(), {});
      fetch(http ? server.url() : file_url());
      expect_complete();
      fs::remove(target_);
    }
}

TEST_F(Download, ACutConnectionLeavesAResumablePart) {
  {
    const HttpServer server(body(), {.cut_after = 4000});
    expect_error(ErrorKind::io, "download failed", [&] { fetch(server.url()); });
  }
  EXPECT_FALSE(fs::exists(target_));
  EXPECT_EQ(fs::file_size(target_.string() + ".part"), 4000u);
  const HttpServer server(body(), {});
  fetch(server.url());
  expect_complete();
  EXPECT_EQ(server.bytes_sent(), packed_.size() - 4000);
}

TEST_F(Download, FailuresLeaveNothing) {
  const HttpServer server(body(), {.status = 404});
  expect_error(ErrorKind::io, server.url(), [&] { fetch(server.url()); });
  expect_nothing();
  expect_error(ErrorKind::io, "download failed", [&] { fetch("file:///absent/file.gz"); });
  expect_nothing();
  expect_error(ErrorKind::io, "download failed", [&] { fetch("gopher://127.0.0.1/file.gz"); });
  expect_nothing();
  expect_error(ErrorKind::io, "download failed", [&] { fetch(""); });
  expect_nothing();
  const HttpServer empty("", {});
  expect_error(ErrorKind::data, "empty", [&] { fetch(empty.url()); });
  expect_nothing();
}

TEST_F(Download, OtherContentIsRefused) {
  auto other = content_;
  other[100] ^= std::byte{1};
  const auto expect_refused = [&](const std::string& words, std::span<const std::byte> served) {
    write_file_atomically(directory_ / "file.gz", served);
    expect_error(ErrorKind::data, words, [&] { fetch(file_url()); });
    expect_nothing();
  };
  expect_refused("SHA-256", gzip(other));
  other.pop_back();
  expect_refused("holds 19999 bytes, expected 20000", gzip(other));
  other.resize(20001);
  expect_refused("more than the expected 20000 bytes", gzip(other));
  expect_refused("truncated", std::span(packed_).first(900));
  const std::string page = "<html>Sign in to this network</html>";
  expect_refused("bytes, expected 20000", std::as_bytes(std::span(page)));
}

TEST_F(Download, ChecksumOfThePackedFile) {
  const std::string packed_sha256 = sha256_hex(packed_);
  const PublishedFile file{"file", content_.size(), packed_sha256.c_str(), true};
  EXPECT_EQ(difference(packed_, file), "");
  EXPECT_EQ(difference(content_, file), "");  // plain: only its size is known
  auto repacked = packed_;
  repacked[9] ^= std::byte{1};  // the header's operating-system byte
  EXPECT_NE(difference(repacked, file).find("SHA-256"), std::string::npos);
  EXPECT_EQ(difference(repacked, file_), "");
}

TEST_F(Download, UnwritableTarget) {
  expect_error(ErrorKind::io, "absent",
               [&] { fetch_published(file_url(), directory_ / "absent/file.gz", file_); });
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
}

}  // namespace
}  // namespace vae::data
