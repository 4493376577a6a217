#include "nn/train/append_file.h"

#include <gtest/gtest.h>

#include "tests/expect_error.h"
#include "tests/read_text.h"
#include "tests/system_calls.h"
#include "tests/temporary_directory.h"

namespace vae::train {
namespace {

using test::SystemCalls;

TEST(AppendFile, OnlyAnErrorOfTheDiskFailsToSync) {
  const test::TemporaryDirectory directory;
  AppendFile file(directory / "log", 0);
  file.append("a\n");
  for (const int error : {EINVAL, ENOSYS, ENOTSUP}) {
    SystemCalls calls;
    calls.fsync_error = error;
    EXPECT_NO_THROW(file.sync()) << error;
    EXPECT_EQ(calls.record, std::vector<std::string>{"fsync log"});
  }
  for (const int error : {EIO, ENOSPC}) {
    SystemCalls calls;
    calls.fsync_error = error;
    test::expect_error(ErrorKind::io, "cannot write " + (directory / "log").string(), [&] { file.sync(); });
  }
  EXPECT_EQ(test::read_text(directory / "log"), "a\n");
}

}  // namespace
}  // namespace vae::train
