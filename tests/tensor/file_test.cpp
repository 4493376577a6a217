#include "tensor/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/expect_error.h"
#include "tests/file_size_limit.h"
#include "tests/read_text.h"
#include "tests/temporary_directory.h"

namespace vae {
namespace {

using test::expect_error;
using test::FileSizeLimit;
using test::read_text;
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

}  // namespace
}  // namespace vae
