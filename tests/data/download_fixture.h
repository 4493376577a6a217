#pragma once
// What tests of downloads share: a file of known content, where it comes from, and where it goes.
#include <gtest/gtest.h>

#include "data/digest.h"
#include "data/download.h"
#include "data/gzip.h"
#include "tensor/file.h"
#include "tests/data/http_server.h"
#include "tests/expect_error.h"
#include "tests/read_text.h"
#include "tests/temporary_directory.h"

namespace vae::data {

namespace fs = std::filesystem;
using test::expect_error;
using test::HttpServer;

class Download : public ::testing::Test {
 protected:
  Download() {
    for (size_t i = 0; i < 20000; ++i) content_.push_back(static_cast<std::byte>(i * i * 2654435761u >> 9));
    packed_ = gzip(content_);
    sha256_ = sha256_hex(content_);
    file_ = {"file", content_.size(), sha256_.c_str()};
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

}  // namespace vae::data
