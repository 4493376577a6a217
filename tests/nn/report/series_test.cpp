#include "nn/report/series.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tensor/file.h"
#include "tests/expect_error.h"
#include "tests/temporary_directory.h"

namespace vae::report {
namespace {

class SeriesTest : public testing::Test {
 protected:
  Metrics read(std::string_view text) {
    write_file_atomically(directory_ / "metrics.csv", text);
    return read_metrics(directory_ / "metrics.csv");
  }
  void expect_rejected(const std::string& words, std::string_view text) {
    test::expect_error(ErrorKind::data, words, [&] { read(text); });
  }
  test::TemporaryDirectory directory_;
};

TEST_F(SeriesTest, ColumnsBecomeSeriesWithoutMissingCells) {
  const Metrics metrics = read("step,epoch,loss,accuracy\n100,0,63.5,\n200,0,nan,\n300,1,-1e-05,0.9\n");
  EXPECT_EQ(metrics.names, (std::vector<std::string>{"step", "epoch", "loss", "accuracy"}));
  const Series loss = metrics.series("loss");
  EXPECT_EQ(loss.name, "loss");
  EXPECT_EQ(loss.x, (std::vector<double>{100, 200, 300}));
  EXPECT_EQ(loss.y[0], 63.5);
  EXPECT_TRUE(std::isnan(loss.y[1]));
  EXPECT_EQ(loss.y[2], -1e-05);
  const Series accuracy = metrics.series("accuracy", "epoch");
  EXPECT_EQ(accuracy.x, (std::vector<double>{1}));
  EXPECT_EQ(accuracy.y, (std::vector<double>{0.9}));
  EXPECT_TRUE(metrics.contains("epoch"));
  EXPECT_FALSE(metrics.contains("Epoch"));
  test::expect_error(ErrorKind::data, "no column 'x'", [&] { metrics.series("x"); });
  test::expect_error(ErrorKind::data, "no column 'time'", [&] { metrics.series("loss", "time"); });
}

TEST_F(SeriesTest, ToleratesWindowsLinesAndALineStillBeingWritten) {
  const Metrics metrics = read("step,loss\r\n1,2\r\n2,3\r\n3,4");
  EXPECT_EQ(metrics.series("loss").y, (std::vector<double>{2, 3}));
  EXPECT_TRUE(read("step,loss\n").series("loss").x.empty());
  EXPECT_TRUE(std::isinf(read("step,loss\n1,-inf\n").series("loss").y[0]));
}

TEST_F(SeriesTest, BadFilesNameTheLine) {
  expect_rejected("no header line", "");
  expect_rejected("no header line", "step,loss");
  expect_rejected("metrics.csv:1: column without a name", "step,,loss\n");
  expect_rejected("metrics.csv:1: column without a name", "\n1\n");
  expect_rejected("metrics.csv:1: column \"loss\" appears twice", "step,loss,loss\n");
  expect_rejected("metrics.csv:3: 3 cells, expected 2", "step,loss\n1,2\n1,2,3\n");
  expect_rejected("metrics.csv:2: 1 cells, expected 2", "step,loss\n1\n");
  expect_rejected("metrics.csv:2: \"2x\" in column \"loss\" is no number", "step,loss\n1,2x\n");
  expect_rejected("\" 2\" in column", "step,loss\n1, 2\n");
  expect_rejected("\"\\x01\\xff\"", "step,loss\n1,\x01\xff\n");
  test::expect_error(ErrorKind::io, "absent.csv", [&] { read_metrics(directory_ / "absent.csv"); });
}

}  // namespace
}  // namespace vae::report
