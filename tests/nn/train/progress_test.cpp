#include "nn/train/progress.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "tests/read_text.h"
#include "tests/temporary_directory.h"

namespace vae::train {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const ProgressState kState{
    .done = 1234, .total = 3000, .epoch = 3, .epochs = 6, .steps_per_s = 20.48, .images_per_s = 4096};
const Progress::Clock::time_point kBegin{};

TEST(ProgressText, TellsEpochShareRateAndTime) {
  EXPECT_EQ(progress_text(kState), "epoch 3/6  1234/3000  41%  20.5 it/s  4096 images/s  ETA 1:27");
  EXPECT_EQ(progress_text({.done = 0, .total = 10}), "epoch 1/1  0/10  0%");
  EXPECT_EQ(progress_text({.done = 0, .total = 0}), "epoch 1/1  0/0  100%");
  EXPECT_EQ(progress_text({.done = 2999, .total = 3000, .steps_per_s = 0.5}),
            "epoch 1/1  2999/3000  99%  0.5 it/s  ETA 0:02");
  EXPECT_EQ(progress_text({.done = 1, .total = 4, .steps_per_s = 2, .label = "features of a"}),
            "features of a  1/4  25%  2 it/s  ETA 0:02");
}

TEST(ProgressText, Clock) {
  EXPECT_EQ(clock_text(0), "0:00");
  EXPECT_EQ(clock_text(59.2), "1:00");
  EXPECT_EQ(clock_text(3723), "1:02:03");
  EXPECT_EQ(clock_text(-1), "0:00");
  EXPECT_EQ(clock_text(1e300), "?");
}

TEST(ProgressBar, FillsTheWidthItHasAndNeverMore) {
  EXPECT_EQ(progress_bar(kState, 100), "[##############......................] " + progress_text(kState));
  EXPECT_EQ(progress_bar(kState, 60), progress_text(kState).substr(0, 60));
  for (int width = 0; width < 300; ++width)
    EXPECT_LE(progress_bar(kState, width).size(), static_cast<size_t>(width));
  EXPECT_EQ(std::ranges::count(progress_bar({.done = 5, .total = 5}, 200), '.'), 0);
}

/// Writes into a pseudo-terminal or a file and gives back what arrived.
class ProgressOutput : public ::testing::Test {
 protected:
  Progress::Options options(int file) const {
    return {.total = 100, .iters_per_epoch = 10, .images_per_step = 5, .file = file};
  }
  std::string run_on_file(Progress::Options options) {
    const std::string path = (directory_ / "out").string();
    FILE* file = std::fopen(path.c_str(), "w");
    options.file = ::fileno(file);
    {
      Progress progress(options, kBegin);
      for (int i = 1; i <= 100; ++i) progress.update(i, kBegin + seconds(i));
    }
    std::fclose(file);
    return test::read_text(path);
  }
  test::TemporaryDirectory directory_;
};

TEST_F(ProgressOutput, PlainLinesNowAndThenWithoutATerminal) {
  EXPECT_EQ(run_on_file(options(-1)),
            "epoch 3/10  30/100  30%  1 it/s  5 images/s  ETA 1:10\n"
            "epoch 6/10  60/100  60%  1 it/s  5 images/s  ETA 0:40\n"
            "epoch 9/10  90/100  90%  1 it/s  5 images/s  ETA 0:10\n");
}

TEST_F(ProgressOutput, RateCountsOnlyThisProcess) {
  Progress::Options resumed = options(-1);
  resumed.done = -100;  // as if 100 iterations more were done than the clock saw
  EXPECT_NE(run_on_file(resumed).find("4.33 it/s"), std::string::npos);
}

TEST_F(ProgressOutput, QuietIsQuiet) {
  Progress::Options quiet = options(-1);
  quiet.quiet = true;
  EXPECT_EQ(run_on_file(quiet), "");
}

TEST_F(ProgressOutput, RedrawsOneLineOnATerminal) {
  ::setenv("TERM", "xterm", 1);
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(master, 0);
  ASSERT_EQ(::grantpt(master) | ::unlockpt(master), 0);
  const int terminal = ::open(::ptsname(master), O_RDWR | O_NOCTTY);
  ASSERT_GE(terminal, 0);
  {
    Progress progress(options(terminal), kBegin);
    for (int i = 1; i <= 50; ++i) progress.update(i, kBegin + milliseconds(10 * i));
  }
  ::close(terminal);  // what was written arrives in pieces, then an error instead of an end
  std::string text;
  char piece[512];
  for (ssize_t n; (n = ::read(master, piece, sizeof piece)) > 0;) text.append(piece, static_cast<size_t>(n));
  ::close(master);
  EXPECT_EQ(std::ranges::count(text, '\r'), 6);  // five draws within half a second, and the erasure
  EXPECT_EQ(std::ranges::count(text, '\n'), 0);
  EXPECT_TRUE(text.ends_with("\r\x1b[K"));
  EXPECT_NE(text.find("100 it/s"), std::string::npos);
}

}  // namespace
}  // namespace vae::train
