// One file over every kind of connection: resumed, redirected, cut, and what arrives compared.
#include <fstream>

#include "tests/data/download_fixture.h"

namespace vae::data {
namespace {

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
  const PublishedFile file{"file", content_.size(), packed_sha256.c_str(), KnownBy::packed};
  EXPECT_EQ(difference(packed_, file), "");
  EXPECT_NE(difference(content_, file).find("cannot be verified"), std::string::npos);
  auto repacked = packed_;
  repacked[9] ^= std::byte{1};  // the header's operating-system byte
  EXPECT_NE(difference(repacked, file).find("SHA-256"), std::string::npos);
  EXPECT_EQ(difference(repacked, file_), "");
}

TEST_F(Download, WhatCannotBeVerifiedIsRefused) {
  const std::string packed_sha256 = sha256_hex(packed_);
  const PublishedFile file{"file", content_.size(), packed_sha256.c_str(), KnownBy::packed};
  const std::vector<std::byte> zeros(content_.size());
  for (const auto& plain : {content_, zeros}) {
    const HttpServer server({reinterpret_cast<const char*>(plain.data()), plain.size()}, {});
    expect_error(ErrorKind::data, "cannot be verified",
                 [&] { fetch_published(server.url(), target_, file); });
    expect_nothing();
  }
}

TEST_F(Download, RedirectsAreFollowed) {
  const HttpServer server(body(), {});
  const HttpServer redirecting("", {.status = 302, .location = server.url()});
  fetch(redirecting.url());
  expect_complete();
}

TEST_F(Download, RedirectsLeadToNoFileAndNowhereElse) {
  for (const std::string& location :
       {file_url(), std::string("ftp://127.0.0.1/file.gz"), std::string("gopher://127.0.0.1/file.gz")}) {
    const HttpServer redirecting("", {.status = 302, .location = location});
    expect_error(ErrorKind::io, "download failed", [&] { fetch(redirecting.url()); });
    expect_nothing();
  }
}

TEST_F(Download, RedirectsInACircleEnd) {
  const HttpServer redirecting("", {.status = 302, .location = "/again"});
  expect_error(ErrorKind::io, "download failed", [&] { fetch(redirecting.url()); });
  expect_nothing();
}

TEST_F(Download, WhatWasVerifiedIsWritten) {
  bool tampered = false;
  fetch_published(file_url(), target_, file_, [&](const std::string&, int64_t done, int64_t total) {
    if (done < total) return;
    std::fstream(target_.string() + ".part", std::ios::in | std::ios::out) << "something else";
    tampered = true;
  });
  EXPECT_TRUE(tampered);
  expect_complete();
}

TEST_F(Download, UnwritableTarget) {
  expect_error(ErrorKind::io, "absent",
               [&] { fetch_published(file_url(), directory_ / "absent/file.gz", file_); });
}

}  // namespace
}  // namespace vae::data
