// The datasets binary as a user meets it: exit codes, one line on stderr, nothing half-written.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>

#include "data/load.h"
#include "tensor/file.h"
#include "tests/read_text.h"
#include "tests/temporary_directory.h"

namespace vae::data {
namespace {

class DatasetsTool : public ::testing::Test {
 protected:
  struct Result {
    int code;
    std::string out, err;
  };
  Result run(const std::string& arguments) {
    const auto out = directory_ / "out", err = directory_ / "err";
    const std::string command = fmt::format("cd '{}' && '{}' {} >'{}' 2>'{}'", directory_.path().string(),
                                            VAE_DATASETS_TOOL, arguments, out.string(), err.string());
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, test::read_text(out), test::read_text(err)};
  }
  void expect_failure(int code, const std::string& words, const std::string& arguments) {
    const Result result = run(arguments);
    EXPECT_EQ(result.code, code) << arguments;
    EXPECT_TRUE(result.err.starts_with("error: ")) << result.err;
    EXPECT_NE(result.err.find(words), std::string::npos) << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }
  test::TemporaryDirectory directory_;
};

TEST_F(DatasetsTool, SynthVerifyExport) {
  const Result synth = run("synth --out idx --train 40 --test 20 --seed 3");
  ASSERT_EQ(synth.code, 0) << synth.err;
  const std::string sha256 = synthetic_digits(40, Part::train, 3).sha256;
  EXPECT_NE(synth.out.find(sha256), std::string::npos);
  const Result verify = run("verify idx --data-dir idx");
  EXPECT_EQ(verify.code, 0) << verify.err;
  EXPECT_NE(verify.out.find("per class: 4 4 4 4 4 4 4 4 4 4"), std::string::npos) << verify.out;
  EXPECT_NE(verify.out.find(sha256), std::string::npos);
  EXPECT_EQ(run("export-images idx --data-dir idx --out pictures --format bmp --limit 15").code, 0);
  EXPECT_EQ(load_dataset({.name = "folder", .data_dir = directory_ / "pictures"}).size(), 15);
  expect_failure(4, "not an empty folder", "export-images idx --data-dir idx --out pictures");
}

TEST_F(DatasetsTool, BadInput) {
  expect_failure(4, "no such data folder", "verify mnist --data-dir absent");
  expect_failure(4, "datasets download mnist", "verify mnist --data-dir .");
  write_file_atomically(directory_ / "train-images-idx3-ubyte", std::string_view("PK34 and so on"));
  write_file_atomically(directory_ / "train-labels-idx1-ubyte", std::string_view("PK34 and so on"));
  expect_failure(3, "wrong magic", "verify mnist --data-dir .");
  expect_failure(4, "download failed", "download mnist --data-dir to --mirror file:///absent");
  expect_failure(4, "cannot create the folder", "synth --out err/below");
}

TEST_F(DatasetsTool, BadUse) {
  expect_failure(2, "subcommand", "");
  expect_failure(2, "--nonsense", "verify synth --nonsense");
  expect_failure(2, "minst", "verify minst");
  expect_failure(2, "cifar", "download cifar");
  expect_failure(2, "--train", "synth --out a --train many");
  expect_failure(2, "'0' is no whole number", "synth --out a --test 0");
  expect_failure(2, "gif", "export-images synth --synth-train 5 --out b --format gif");
  EXPECT_FALSE(std::filesystem::exists(directory_ / "a"));
  EXPECT_EQ(run("--help").code, 0);
}

TEST_F(DatasetsTool, UnwritableOutput) {
  const std::string command = fmt::format(
      "'{}' verify synth --synth-train 10 --synth-test 10 >/dev/full 2>/dev/null", VAE_DATASETS_TOOL);
  EXPECT_EQ(WEXITSTATUS(std::system(command.c_str())), 4);
}

}  // namespace
}  // namespace vae::data
