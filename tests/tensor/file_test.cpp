#include "tensor/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/expect_error.h"
#include "tests/file_size_limit.h"
#include "tests/read_text.h"
#include "tests/system_calls.h"
#include "tests/temporary_directory.h"

namespace vae {
namespace {

using test::expect_error;
using test::FileSizeLimit;
using test::read_text;
using test::SystemCalls;
using test::TemporaryDirectory;

TEST(File, RoundTripsBytes) {
  const TemporaryDirectory directory;
  for (const std::string& content :
       {std::string(), std::string("a\0b\xff\n", 5), std::string(3'000'000, 'x')}) {
    write_file_atomically(directory / "file", content);
    EXPECT_TRUE(read_text(directory / "file") == content);
  }
  EXPECT_EQ(directory.entries(), 1u);
}

TEST(File, ReadsFilesThatDoNotKnowTheirSize) {
  EXPECT_NE(read_text("/proc/self/status").find("Pid:"), std::string::npos);
}

TEST(File, LargerThanItMayBe) {
  const TemporaryDirectory directory;
  write_file_atomically(directory / "file", std::string_view("12345"));
  EXPECT_EQ(read_file(directory / "file", 5).size(), 5U);
  expect_error(ErrorKind::data, "file: 5 bytes, expected 4 at most",
               [&] { read_file(directory / "file", 4); });
  expect_error(ErrorKind::data, "bytes, expected 10 at most", [] { read_file("/proc/self/status", 10); });
  std::filesystem::resize_file(directory / "file", uintmax_t{1} << 42);  // none of it on a disk
  expect_error(ErrorKind::io, "does not fit into memory", [&] { read_file(directory / "file"); });
}

TEST(File, HeadsAreWhatAFileBeginsWith) {
  const TemporaryDirectory directory;
  write_file_atomically(directory / "file", std::string_view("12345"));
  for (const size_t count : {0, 3, 5, 9}) {
    const FileHead head = read_head(directory / "file", count);
    EXPECT_EQ(head.size, 5U);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(head.bytes.data()), head.bytes.size()),
              std::string("12345").substr(0, count));
  }
  expect_error(ErrorKind::io, "missing", [&] { read_head(directory / "missing", 3); });
}

TEST(File, ReadNamesPathAndReason) {
  const TemporaryDirectory directory;
  const std::string missing = (directory / "missing").string();
  expect_error(ErrorKind::io, "cannot read " + missing + ": No such file", [&] { read_file(missing); });
  expect_error(ErrorKind::io, "is a directory", [&] { read_file(directory.path()); });
  expect_error(ErrorKind::io, "not a regular file", [] { read_file("/dev/zero"); });
  ASSERT_EQ(::mkfifo((directory / "pipe").c_str(), 0600), 0);
  expect_error(ErrorKind::io, "not a regular file", [&] { read_file(directory / "pipe"); });
}

TEST(File, WriteReplacesOnlyRegularFilesAndLeavesNothingBehind) {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory / "folder");
  expect_error(ErrorKind::io, "is a directory", [&] { write_file_atomically(directory / "folder", "x"); });
  expect_error(ErrorKind::io, "cannot write /dev/full: not a regular file",
               [] { write_file_atomically("/dev/full", "x"); });
  expect_error(ErrorKind::io, "No such file", [&] { write_file_atomically(directory / "no/file", "x"); });
  write_file_atomically(directory / "plain", "x");
  expect_error(ErrorKind::io, "Not a directory",
               [&] { write_file_atomically(directory / "plain/file", "x"); });
  expect_error(ErrorKind::io, "name too long",
               [&] { write_file_atomically(directory / std::string(300, 'n'), "x"); });
  EXPECT_EQ(directory.entries(), 2u);
}

TEST(File, AFailedWriteKeepsTheOldFileAndRemovesTheTemporary) {
  const TemporaryDirectory directory;
  write_file_atomically(directory / "file", "old");
  {
    const FileSizeLimit limit(4096);
    expect_error(ErrorKind::io, "cannot write " + (directory / "file").string() + ": File too large",
                 [&] { write_file_atomically(directory / "file", std::string(10'000, 'x')); });
  }
  EXPECT_EQ(read_text(directory / "file"), "old");
  EXPECT_EQ(directory.entries(), 1u);
}

TEST(File, ALeftoverTemporaryOfTheSameNameIsNoObstacle) {
  const TemporaryDirectory directory;
  for (int i = 0; i < 200; ++i)
    std::ofstream(directory / fmt::format("file.tmp-{}-{}", ::getpid(), i)) << "leftover";
  write_file_atomically(directory / "file", "new");
  EXPECT_EQ(read_text(directory / "file"), "new");
  EXPECT_EQ(directory.entries(), 201u);
}

TEST(File, IsOnTheDiskBeforeItHasItsName) {
  const TemporaryDirectory directory;
  SystemCalls calls;
  write_file_atomically(directory / "file", "x");
  ASSERT_EQ(calls.record.size(), 3u);
  EXPECT_TRUE(calls.record[0].starts_with("fsync file.tmp-")) << calls.record[0];
  EXPECT_EQ(calls.record[1], "rename " + calls.record[0].substr(6) + " file");
  EXPECT_EQ(calls.record[2], "fsync " + directory.path().filename().string());
}

TEST(File, AFileSystemThatCannotSyncIsNoError) {
  const TemporaryDirectory directory;
  for (const int error : {EINVAL, ENOSYS, ENOTSUP, EOPNOTSUPP}) {
    SystemCalls calls;
    calls.fsync_error = error;
    write_file_atomically(directory / "file", std::to_string(error));
    EXPECT_EQ(read_text(directory / "file"), std::to_string(error));
  }
}

TEST(File, ADiskThatFailsToSyncIs) {
  const TemporaryDirectory directory;
  write_file_atomically(directory / "file", "old");
  for (const int error : {EIO, ENOSPC, EDQUOT, EROFS}) {
    SystemCalls calls;
    calls.fsync_error = error;
    expect_error(ErrorKind::io, "cannot write " + (directory / "file").string(),
                 [&] { write_file_atomically(directory / "file", "new"); });
  }
  EXPECT_EQ(read_text(directory / "file"), "old");
  EXPECT_EQ(directory.entries(), 1u);
}

mode_t mode_of(const std::filesystem::path& path) {
  struct stat info {};
  EXPECT_EQ(::lstat(path.c_str(), &info), 0);
  return info.st_mode & 07777;
}

TEST(File, AReplacedFileKeepsItsPermissions) {
  const TemporaryDirectory directory;
  const mode_t old = ::umask(027);
  write_file_atomically(directory / "new", "x");
  EXPECT_EQ(mode_of(directory / "new"), 0640u);
  for (const mode_t mode : {0600u, 0640u, 0666u, 0444u, 0755u}) {
    write_file_atomically(directory / "file", "old");
    ASSERT_EQ(::chmod((directory / "file").c_str(), mode), 0);
    write_file_atomically(directory / "file", "new");
    EXPECT_EQ(mode_of(directory / "file"), mode);
    EXPECT_EQ(read_text(directory / "file"), "new");
  }
  ::umask(old);
}

TEST(File, ASymbolicLinkIsReplacedAndNotFollowed) {
  const TemporaryDirectory directory;
  namespace fs = std::filesystem;
  const mode_t old = ::umask(022);
  write_file_atomically(directory / "elsewhere", "theirs");
  ASSERT_EQ(::chmod((directory / "elsewhere").c_str(), 0666), 0);
  fs::create_symlink("elsewhere", directory / "link");
  fs::create_symlink("nowhere", directory / "dangling");
  for (const char* name : {"link", "dangling"}) {
    write_file_atomically(directory / name, "ours");
    EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(directory / name))) << name;
    EXPECT_EQ(mode_of(directory / name), 0644u) << name;
    EXPECT_EQ(read_text(directory / name), "ours");
  }
  EXPECT_EQ(read_text(directory / "elsewhere"), "theirs");
  EXPECT_FALSE(fs::exists(directory / "nowhere"));
  fs::create_directory(directory / "folder");
  fs::create_symlink("folder", directory / "to a folder");
  expect_error(ErrorKind::io, "is a directory",
               [&] { write_file_atomically(directory / "to a folder", "x"); });
  ::umask(old);
}

TEST(File, ALinkUnderTheNameOfTheTemporaryIsNotFollowed) {
  const TemporaryDirectory directory;
  for (int i = 0; i < 400; ++i)
    std::filesystem::create_symlink("victim", directory / fmt::format("file.tmp-{}-{}", ::getpid(), i));
  write_file_atomically(directory / "file", "new");
  EXPECT_FALSE(std::filesystem::exists(directory / "victim"));
  EXPECT_EQ(read_text(directory / "file"), "new");
}

}  // namespace
}  // namespace vae
