#include "data/download.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>
#include <future>

#include "data/digest.h"
#include "data/gzip.h"
#include "data/load.h"
#include "data/part_file.h"
#include "tensor/file.h"
#include "tests/data/http_server.h"
#include "tests/expect_error.h"
#include "tests/file_size_limit.h"
#include "tests/read_text.h"
#include "tests/system_calls.h"
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
  EXPECT_NE(difference(content_, file).find("cannot be verified"), std::string::npos);
  auto repacked = packed_;
  repacked[9] ^= std::byte{1};  // the header's operating-system byte
  EXPECT_NE(difference(repacked, file).find("SHA-256"), std::string::npos);
  EXPECT_EQ(difference(repacked, file_), "");
}

TEST_F(Download, WhatCannotBeVerifiedIsRefused) {
  const std::string packed_sha256 = sha256_hex(packed_);
  const PublishedFile file{"file", content_.size(), packed_sha256.c_str(), true};
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

TEST_F(Download, ALinkForThePartIsNotFollowed) {
  const fs::path part = target_.string() + ".part", theirs = directory_ / "theirs";
  write_file_atomically(theirs, std::string_view("theirs"));
  for (const fs::path& leads_to : {theirs, directory_ / "absent"}) {
    fs::create_symlink(leads_to, part);
    expect_error(ErrorKind::io, "file.gz.part", [&] { fetch(file_url()); });
    EXPECT_TRUE(fs::is_symlink(part));
    fs::remove(part);
  }
  fs::create_hard_link(theirs, part);
  expect_error(ErrorKind::io, "other names", [&] { fetch(file_url()); });
  fs::remove(part);
  EXPECT_EQ(test::read_text(theirs), "theirs");
  EXPECT_FALSE(fs::exists(directory_ / "absent"));
}

TEST_F(Download, APartThatIsNoFileIsRefused) {
  const fs::path part = target_.string() + ".part";
  ASSERT_EQ(::mkfifo(part.c_str(), 0600), 0);
  expect_error(ErrorKind::io, "not a regular file", [&] { fetch(file_url()); });
  fs::remove(part);
  fs::create_directory(part);
  expect_error(ErrorKind::io, "file.gz.part", [&] { fetch(file_url()); });
  EXPECT_TRUE(fs::is_directory(part));
}

TEST_F(Download, AHugeLeftoverIsNotRead) {
  std::ofstream(target_.string() + ".part") << "x";
  fs::resize_file(target_.string() + ".part", int64_t{1} << 40);
  fetch(file_url());
  expect_complete();
}

/// Two at a time: the server holds the first back until the second says that it waits.
TEST_F(Download, OneWaitsForTheOther) {
  std::promise<void> first_is_at_it, second_waits;
  const auto soon = [](std::promise<void>& promise) {
    return promise.get_future().wait_for(std::chrono::seconds(10)) == std::future_status::ready;
  };
  bool waited = false;
  const HttpServer server(body(), {.before_content = [&] {
                            first_is_at_it.set_value();
                            waited = soon(second_waits);
                          }});
  auto first = std::async(std::launch::async, [&] { fetch(server.url()); });
  ASSERT_TRUE(soon(first_is_at_it));
  EXPECT_NO_THROW(fetch_published("file:///absent", target_, file_,
                                  [&](const std::string& name, int64_t done, int64_t total) {
                                    EXPECT_EQ(name, "file.gz");
                                    if (done == 0 && total == 0) second_waits.set_value();
                                  }));
  EXPECT_NO_THROW(first.get());
  EXPECT_TRUE(waited);
  expect_complete();
}

/// The one that is waited for fails; the other goes on with what it left.
TEST_F(Download, TheOtherTakesOverWhereTheFirstFails) {
  std::promise<void> first_is_at_it, second_waits;
  const HttpServer failing(body(), {.cut_after = 4000, .before_content = [&] {
                                      first_is_at_it.set_value();
                                      second_waits.get_future().wait_for(std::chrono::seconds(10));
                                    }});
  auto first = std::async(std::launch::async, [&] { fetch(failing.url()); });
  first_is_at_it.get_future().wait_for(std::chrono::seconds(10));
  const HttpServer server(body(), {});
  fetch_published(server.url(), target_, file_, [&](const std::string&, int64_t done, int64_t total) {
    if (done == 0 && total == 0) second_waits.set_value();
  });
  expect_error(ErrorKind::io, "download failed", [&] { first.get(); });
  expect_complete();
  EXPECT_EQ(server.bytes_sent(), packed_.size() - 4000);
}

TEST_F(Download, AKilledProcessLeavesNoLockBehind) {
  const pid_t child = ::fork();
  if (child == 0) {
    PartFile part(target_.string() + ".part", 1 << 20, [] {});
    if (part.append(std::span(packed_).first(3000)) != 0) ::_exit(1);
    ::raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  const HttpServer server(body(), {});
  fetch_published(server.url(), target_, file_, [](const std::string&, int64_t done, int64_t) {
    EXPECT_GT(done, 0) << "it waits for a process that is dead";
  });
  expect_complete();
  EXPECT_EQ(server.bytes_sent(), packed_.size() - 3000);
}

TEST_F(Download, WithoutLocksThereIsNoPart) {
  for (const int error : {ENOLCK, ENOSYS, EOPNOTSUPP, EINVAL}) {
    test::SystemCalls calls;
    calls.flock_error = error;
    const HttpServer cut(body(), {.cut_after = 4000});
    expect_error(ErrorKind::io, "download failed", [&] { fetch(cut.url()); });
    expect_nothing();
    const HttpServer server(body(), {});
    fetch(server.url());
    expect_complete();
    fs::remove(target_);
    leftover(std::span(packed_).first(5000));  // it may be in use
    fetch(server.url());
    EXPECT_EQ(read_file(target_), packed_);
    EXPECT_EQ(fs::file_size(target_.string() + ".part"), 5000u);
    fs::remove(target_.string() + ".part");
    fs::remove(target_);
  }
}

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

TEST_F(Download, AFullDiskKeepsThePart) {
  const HttpServer server(body(), {});
  {
    const test::FileSizeLimit limit(4096);
    expect_error(ErrorKind::io, "cannot be written", [&] { fetch(server.url()); });
  }
  EXPECT_FALSE(fs::exists(target_));
  fetch(server.url());
  expect_complete();
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
