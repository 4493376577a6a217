// The datasets binary as a user meets it: exit codes, one line on stderr, nothing half-written.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "data/idx.h"
#include "data/load.h"
#include "tensor/file.h"
#include "tests/read_text.h"
#include "tests/temporary_directory.h"

namespace vae::data {
namespace {

namespace fs = std::filesystem;

class DatasetsTool : public ::testing::Test {
 protected:
  struct Result {
    int code;
    std::string out, err;
  };
  Result run(const std::string& arguments, const std::string& before = "") {
    const auto out = directory_ / "out", err = directory_ / "err";
    const std::string command = fmt::format("cd '{}' && {} '{}' {} >'{}' 2>'{}'", directory_.path().string(),
                                            before, VAE_DATASETS_TOOL, arguments, out.string(), err.string());
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
  /// Content of every file in a folder below.
  std::map<std::string, std::string> files(const std::string& folder) {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(directory_ / folder))
      if (entry.is_regular_file()) found[entry.path().string()] = test::read_text(entry.path());
    return found;
  }
  void write(const std::string& name) {
    fs::create_directories((directory_ / name).parent_path());
    write_file_atomically(directory_ / name, std::string_view("mine"));
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

TEST_F(DatasetsTool, SynthRefusesFilesThatAreThere) {
  int n = 0;
  for (const char* name :
       {"train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz", "train-labels-idx1-ubyte",
        "mnist/t10k-images-idx3-ubyte", "MNIST/raw/train-images-idx3-ubyte.gz"}) {
    const std::string folder = fmt::format("set{}", n++);
    write(folder + "/" + name);
    const auto before = files(folder);
    expect_failure(2, std::string(name) + ": exists already; --force",
                   fmt::format("synth --out {} --train 40 --test 20", folder));
    EXPECT_EQ(files(folder), before);
  }
  write("other/notes.txt");
  EXPECT_EQ(run("synth --out other --train 40 --test 20").code, 0);
  expect_failure(2, "--force", "synth --out other --train 40 --test 20 --seed 2");
}

TEST_F(DatasetsTool, SynthWritesOverFilesWhereItIsForced) {
  for (const char* name : {"set/train-images-idx3-ubyte", "set/train-images-idx3-ubyte.gz",
                           "set/t10k-labels-idx1-ubyte", "set/mnist/train-images-idx3-ubyte"})
    write(name);
  fs::create_symlink("absent", directory_ / "set/train-labels-idx1-ubyte");  // to be replaced, not followed
  const Result synth = run("synth --out set --train 40 --test 20 --force");
  ASSERT_EQ(synth.code, 0) << synth.err;
  const std::string sha256 = synthetic_digits(40, Part::train, 1).sha256;
  EXPECT_NE(run("verify idx --data-dir set").out.find(sha256), std::string::npos);
  EXPECT_EQ(test::read_text(directory_ / "set/mnist/train-images-idx3-ubyte"), "mine");
  EXPECT_EQ(files("set").size(), 5u);
  fs::create_directory(directory_ / "set/t10k-labels-idx1-ubyte");
  const auto before = files("set");
  expect_failure(4, "not a file", "synth --out set --train 40 --test 20 --seed 2 --force");
  EXPECT_EQ(files("set"), before);
}

TEST_F(DatasetsTool, VerifyTellsThePublishedFiles) {
  ASSERT_EQ(run("synth --out idx --train 40 --test 20").code, 0);
  expect_failure(3, "idx/train-images-idx3-ubyte.gz: it holds", "verify mnist --data-dir idx");
  EXPECT_EQ(run("verify idx --data-dir idx").code, 0);
  fs::rename(directory_ / "idx", directory_ / "fashion-mnist");
  expect_failure(3, "fashion-mnist: not the published files", "verify fashion-mnist --data-dir .");
  const char* root = std::getenv("VAE_DATA_DIR");
  if (!root || !fs::exists(fs::path(root) / "mnist/train-images-idx3-ubyte.gz"))
    GTEST_SKIP() << "VAE_DATA_DIR has no mnist/";
  const Result mnist = run(fmt::format("verify mnist --data-dir '{}'", fs::absolute(root).string()));
  EXPECT_EQ(mnist.code, 0) << mnist.err;
  EXPECT_NE(mnist.out.find("the published files of mnist"), std::string::npos) << mnist.out;
}

TEST_F(DatasetsTool, ExportTouchesNothingOfOthers) {
  const std::string command = "export-images synth --synth-train 12 --synth-test 11 --limit 10 --out ";
  for (const char* name : {"a/train_images/mine", "b/test_images/mine", "c/mine"}) {
    write(name);
    const auto before = files(".");
    expect_failure(4, "not an empty folder", command + std::string(name).substr(0, 1));
    auto after = files(".");
    for (const char* output : {"out", "err"}) after.erase((directory_ / "." / output).string());
    for (const auto& [path, content] : after) EXPECT_TRUE(before.contains(path)) << path;
  }
  write("new.part/mine");
  EXPECT_EQ(run(command + "new").code, 0);
  EXPECT_EQ(test::read_text(directory_ / "new.part/mine"), "mine");
  EXPECT_EQ(files("new").size(), 20u);
  fs::create_directory(directory_ / "empty");
  EXPECT_EQ(run(command + ".", "cd empty &&").code, 0);
  EXPECT_EQ(files("empty").size(), 20u);
  expect_failure(2, "gif", command + "deep/er --format gif");
  EXPECT_FALSE(fs::exists(directory_ / "deep"));
}

TEST_F(DatasetsTool, TwoDownloadsIntoOneFolder) {
  const char* root = std::getenv("VAE_DATA_DIR");
  if (!root || !fs::exists(fs::path(root) / "mnist/train-images-idx3-ubyte.gz"))
    GTEST_SKIP() << "VAE_DATA_DIR has no mnist/";
  const std::string one = fmt::format("'{}' download mnist --data-dir to --mirror 'file://{}/mnist/' 2>>log",
                                      VAE_DATASETS_TOOL, fs::absolute(root).string());
  const std::string both =
      fmt::format("cd '{}' && {{ {} & first=$!; {} & wait $! && wait $first; }} >/dev/null",
                  directory_.path().string(), one, one);
  EXPECT_EQ(WEXITSTATUS(std::system(both.c_str())), 0) << test::read_text(directory_ / "log");
  EXPECT_EQ(files("to").size(), 4u);  // and no .part
  EXPECT_EQ(run("verify mnist --data-dir to").code, 0);
}

TEST_F(DatasetsTool, WithoutAHome) {
  const Result result = run("download mnist --mirror file:///absent",
                            "env -u HOME -u VAE_DATA_DIR XDG_CACHE_HOME=\"$PWD/cache\"");
  EXPECT_EQ(result.code, 4);
  EXPECT_NE(result.err.find("download failed"), std::string::npos) << result.err;
  EXPECT_TRUE(fs::is_directory(directory_ / "cache/vaekit/mnist"));
}

TEST_F(DatasetsTool, VerifyTellsClassesAndWhatIsIgnored) {
  for (const std::string part : {"train_images", "test_images"})
    for (const std::string name : {"1", "2", "10"}) {
      std::filesystem::create_directories(directory_ / (part + "/" + name));
      write_image(directory_ / (part + "/" + name + "/a.png"), std::vector<uint8_t>(2 * 3 * 3, 40), {2, 3},
                  3);
      write_file_atomically(directory_ / (part + "/" + name + "/a.txt"), std::string_view("text"));
    }
  const Result verify = run("verify subfolders --data-dir .");
  EXPECT_EQ(verify.err, "");
  EXPECT_NE(verify.out.find("3 images 2x3x1, 3 classes\n  per class: 1 1, 2 1, 10 1\n"), std::string::npos)
      << verify.out;
  EXPECT_NE(verify.out.find("  ignored: 3 files that are no pictures (.txt)\n"), std::string::npos)
      << verify.out;
  EXPECT_NE(run("verify subfolders --data-dir . --channels 3").out.find("3 images 2x3x3"), std::string::npos);
  EXPECT_EQ(run("export-images subfolders --data-dir . --out exported").code, 0);
  EXPECT_EQ(load_dataset({.name = "folder", .data_dir = directory_ / "exported"}).size(), 3);
}

TEST_F(DatasetsTool, SetsOfOnesOwnHaveAnySizeAndLabelsFromAnOffset) {
  for (const std::string stem : {"train", "t10k"}) {
    write_idx(directory_ / (stem + "-images-idx3-ubyte"), Tensor::zeros({4, 2, 2, 3}, DType::u8));
    write_idx(directory_ / (stem + "-labels-idx1-ubyte"),
              Tensor::from(std::vector<uint8_t>{1, 2, 1, 2}, {4}));
  }
  expect_failure(3, "--label-offset", "verify idx --data-dir . --classes 2");
  const std::string options = "idx --data-dir . --classes 2 --label-offset 1";
  const Result verify = run("verify " + options);
  EXPECT_NE(verify.out.find("4 images 2x2x3, 2 classes\n  per class: 2 2\n"), std::string::npos)
      << verify.out;
  EXPECT_EQ(run("export-images --out exported " + options).code, 0);
  EXPECT_TRUE(std::filesystem::exists(directory_ / "exported/train_images/0_00000.png"));
  EXPECT_NE(run("verify idx --data-dir . --classes 3").out.find("per class: 0 2 2"), std::string::npos);
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

TEST_F(DatasetsTool, ColourSetsOfFiles) {
  const auto store = [&](const std::string& name, const std::string& content) {
    fs::create_directories((directory_ / name).parent_path());
    write_file_atomically(directory_ / name, content);
  };
  for (const char* name : {"train.bin", "test.bin"})
    store(std::string("cifar-100-binary/") + name, std::string(2 * 3074, '\2'));
  const Result cifar = run("verify cifar100 --data-dir .");
  EXPECT_EQ(cifar.code, 3);
  EXPECT_NE(cifar.out.find("cifar100 (train): 2 images 32x32x3, 100 classes\n"), std::string::npos)
      << cifar.out;
  EXPECT_NE(cifar.err.find("cannot be verified, since a checksum is known of the archive only"),
            std::string::npos);
  EXPECT_EQ(run("export-images cifar100 --data-dir . --out pictures").code, 0);
  EXPECT_TRUE(fs::exists(directory_ / "pictures/train_images/2_00001.png"));
  store("cifar-100-binary/test.bin", std::string(3074 + 5, '\2'));
  expect_failure(3, "test.bin: 3079 bytes are no whole number of records", "verify cifar100 --data-dir .");
  store("cifar-100-binary/test.bin", std::string(3074, 'd'));
  expect_failure(3, "test.bin, record 0: label 100 is out of range", "verify cifar100 --data-dir .");
  expect_failure(4, "datasets download cifar10", "verify cifar10 --data-dir .");
  store("SVHN/train_32x32.mat", "\x89HDF\r\n\x1a\n and so on");
  expect_failure(3, "train_32x32.mat: a MATLAB 7.3 file (HDF5)", "verify svhn --data-dir .");
  store("SVHN/train_32x32.mat", "text");
  expect_failure(3, "train_32x32.mat: not a MATLAB level-5 file", "verify svhn --data-dir .");
  expect_failure(4, "download failed", "download svhn --data-dir to --mirror file:///absent");
  const Result synth = run("verify synth-color --synth-train 20 --synth-test 10");
  EXPECT_NE(synth.out.find("20 images 32x32x3, 10 classes"), std::string::npos) << synth.out;
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
