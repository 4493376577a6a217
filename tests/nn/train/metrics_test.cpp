#include "nn/train/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "nn/train/run_files.h"
#include "tests/expect_error.h"
#include "tests/file_size_limit.h"
#include "tests/read_text.h"
#include "tests/temporary_directory.h"

namespace vae::train {
namespace {

using test::expect_error;
using test::read_text;

const std::vector<std::string> kColumns{"train/loss", "test/accuracy"};

class Metrics : public ::testing::Test {
 protected:
  /// Rows at 10, 20, 30, ...; every second one ends an epoch.
  void write_rows(MetricsLog& log, int64_t from, int64_t to) const {
    for (int64_t step = from; step <= to; step += 10) {
      Scalars values{{"train/loss", 100.0 / static_cast<double>(step)}};
      if (step % 20 == 0) values.push_back({"test/accuracy", 0.1});
      log.write(step, (step - 1) / 20 + 1, values);
      log.write_timing(step, static_cast<double>(step) / 4, 1234.56);
    }
  }
  std::string file(const std::string& name) const { return read_text(directory_ / name); }
  test::TemporaryDirectory directory_;
};

TEST_F(Metrics, KnownBytes) {
  MetricsLog log(directory_.path(), kColumns, std::nullopt);
  log.write(1, 1, {{"train/loss", 1.0 / 3}});
  log.write(2, 1, {{"test/accuracy", 1}, {"train/loss", -2.5e-30}});
  log.write_timing(2, 1.23456, 99.99);
  EXPECT_EQ(file("metrics.csv"),
            "step,epoch,train/loss,test/accuracy\n1,1,0.3333333333333333,\n2,1,-2.5e-30,1\n");
  EXPECT_EQ(file("metrics.jsonl"),
            "{\"step\":1,\"epoch\":1,\"train/loss\":0.3333333333333333}\n"
            "{\"step\":2,\"epoch\":1,\"test/accuracy\":1,\"train/loss\":-2.5e-30}\n");
  EXPECT_EQ(file("timing.csv"), "step,seconds,images_per_s\n2,1.235,100.0\n");
}

TEST_F(Metrics, ResumingGivesTheBytesOfAnUninterruptedRun) {
  std::map<std::string, std::string> whole;
  {
    MetricsLog log(directory_.path(), kColumns, std::nullopt);
    write_rows(log, 10, 100);
  }
  for (const char* name : {"metrics.csv", "metrics.jsonl", "timing.csv"}) whole[name] = file(name);
  for (const int64_t step : {0, 9, 10, 45, 60, 99, 100, 500}) {
    for (const size_t half :
         {size_t{0}, size_t{1}, size_t{5}}) {  // bytes of a last line that was never finished
      for (const auto& [name, content] : whole)
        write_file_atomically(directory_ / name,
                              content + content.substr(content.rfind('\n', content.size() - 2) + 1, half));
      MetricsLog log(directory_.path(), kColumns, step);
      EXPECT_EQ(log.seconds_before(), static_cast<double>(std::min<int64_t>(step, 100) / 10 * 10) / 4);
      write_rows(log, step / 10 * 10 + 10, 100);
      for (const auto& [name, content] : whole)
        EXPECT_EQ(file(name), content) << name << " from step " << step;
    }
  }
}

TEST_F(Metrics, ResumingStartsAnewWhereTheFirstLineIsIncompleteOrTheFileIsGone) {
  write_file_atomically(claim(directory_.path(), "metrics.csv"), "step,ep");
  write_file_atomically(claim(directory_.path(), "timing.csv"), "");
  MetricsLog log(directory_.path(), kColumns, 0);
  EXPECT_EQ(file("metrics.csv"), "step,epoch,train/loss,test/accuracy\n");
  EXPECT_EQ(file("timing.csv"), "step,seconds,images_per_s\n");
  EXPECT_EQ(file("metrics.jsonl"), "");
}

TEST_F(Metrics, ResumingRefusesForeignFiles) {
  write_file_atomically(claim(directory_.path(), "metrics.csv"), "step,epoch,other\n");
  expect_error(ErrorKind::data, "metrics.csv: columns of another run",
               [&] { MetricsLog(directory_.path(), kColumns, 5); });
  for (const char* row : {"", "x,1,2,3", "99999999999999999999,1,2,3", "-"}) {
    const std::string before = "step,epoch,train/loss,test/accuracy\n" + std::string(row) + "\n";
    write_file_atomically(claim(directory_.path(), "metrics.csv"), before);
    expect_error(ErrorKind::data, "is no row of a log", [&] { MetricsLog(directory_.path(), kColumns, 5); });
    EXPECT_EQ(file("metrics.csv"), before);
  }
}

TEST_F(Metrics, ContractViolationsAreInternalErrors) {
  const auto open = [&](std::vector<std::string> columns) {
    MetricsLog(directory_.path(), columns, std::nullopt);
  };
  expect_error(ErrorKind::internal, "metric 'a' is named twice", [&] { open({"a", "a"}); });
  expect_error(ErrorKind::internal, "metric 'step' is named twice", [&] { open({"step"}); });
  for (const char* name : {"", "a,b", "a\"b"})
    expect_error(ErrorKind::internal, "has a bad name", [&] { open({name}); });
  MetricsLog log(directory_.path(), kColumns, std::nullopt);
  expect_error(ErrorKind::internal, "metric 'x' is no column", [&] { log.write(1, 1, {{"x", 1}}); });
  expect_error(ErrorKind::internal, "given twice", [&] {
    log.write(1, 1, {{"train/loss", 1}, {"train/loss", 1}});
  });
  expect_error(ErrorKind::internal, "metric 'train/loss' is nan", [&] {
    log.write(1, 1, {{"train/loss", NAN}});
  });
}

TEST_F(Metrics, AFullDiskIsAnErrorAndLeavesWholeRows) {
  MetricsLog log(directory_.path(), kColumns, std::nullopt);
  const test::FileSizeLimit limit(1000);
  expect_error(ErrorKind::io, "cannot write " + (directory_ / "metrics.jsonl").string() + ": File too large",
               [&] { write_rows(log, 10, 1000); });
  const std::string text = file("metrics.jsonl");
  EXPECT_EQ(text.back(), '\n');
  EXPECT_GT(text.size(), 900u);
}

TEST_F(Metrics, LinksAreNotFollowed) {
  for (const char* name : {"metrics.csv", "metrics.jsonl", "timing.csv"}) {
    const test::TemporaryDirectory run;
    std::filesystem::create_symlink("/dev/full", run / name);
    expect_error(ErrorKind::usage, std::string(name) + " is not a file of this run",
                 [&] { MetricsLog(run.path(), kColumns, std::nullopt); });
  }
}

TEST_F(Metrics, AMissingDirectoryIsAnError) {
  expect_error(ErrorKind::io, "No such file", [&] { MetricsLog(directory_ / "no", kColumns, std::nullopt); });
}

}  // namespace
}  // namespace vae::train
