// What has arrived of a download: no trap is followed, one process at a time has it, a full disk keeps it.
#include "data/part_file.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>
#include <future>

#include "tests/data/download_fixture.h"
#include "tests/file_size_limit.h"
#include "tests/system_calls.h"

namespace vae::data {
namespace {

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

}  // namespace
}  // namespace vae::data
