#include "nn/train/run_directory.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/expect_error.h"
#include "tests/read_text.h"
#include "tests/temporary_directory.h"

namespace vae::train {
namespace {

using test::expect_error;
using Mode = RunDirectory::Mode;

class RunDirectories : public ::testing::Test {
 protected:
  std::filesystem::path path() const { return directory_ / "deep/run"; }
  void touch(const std::string& name) const { write_file_atomically(path() / name, "x"); }
  bool exists(const std::string& name) const { return std::filesystem::exists(path() / name); }
  void make_run() const { RunDirectory(path(), Mode::create).write_config({{"seed", 1}}); }
  test::TemporaryDirectory directory_;
};

TEST_F(RunDirectories, ARunIsMadeAndResumed) {
  {
    const RunDirectory run(path(), Mode::create);
    EXPECT_FALSE(run.resumed());
    run.write_config({{"seed", 1}, {"name", "\xff"}});  // an option that is not UTF-8 must not end the run
    EXPECT_EQ(run / "x", path() / "x");
  }
  const RunDirectory run(path(), Mode::resume);
  EXPECT_TRUE(run.resumed());
  EXPECT_EQ(run.read_config()["seed"], 1);
}

TEST_F(RunDirectories, CreateRefusesARunAndKeepsItsFiles) {
  make_run();
  expect_error(ErrorKind::usage, "already holds a run (config.json): what to do",
               [&] { RunDirectory(path(), Mode::create, ": what to do"); });
  EXPECT_TRUE(exists("config.json"));
  std::filesystem::remove(path() / "config.json");
  touch("metrics.csv");
  expect_error(ErrorKind::usage, "already holds a run (metrics.csv)",
               [&] { RunDirectory(path(), Mode::create); });
}

TEST_F(RunDirectories, FilesOfOthersAreNeverTakenForARun) {
  std::filesystem::create_directories(path());
  touch("config.json");
  for (const Mode mode : {Mode::create, Mode::fresh})
    expect_error(ErrorKind::usage, "holds config.json, which was not written by a run",
                 [&] { RunDirectory(path(), mode); });
  EXPECT_TRUE(exists("config.json"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path()), std::filesystem::directory_iterator()),
            1);
}

TEST_F(RunDirectories, CreateAcceptsADirectoryWithOtherFiles) {
  std::filesystem::create_directories(path());
  touch("notes.txt");
  touch("photo.png");
  make_run();
  EXPECT_TRUE(exists("notes.txt"));
  EXPECT_TRUE(exists("photo.png"));
}

TEST_F(RunDirectories, FreshRemovesFilesOfRunsOnly) {
  make_run();
  const char* ours[] = {"split.json",
                        "metrics.jsonl",
                        "metrics.csv",
                        "timing.csv",
                        "report.html",
                        "grid.png",
                        "loss.svg",
                        "events.out.tfevents.1.vaekit.0000",
                        "checkpoint.safetensors",
                        "checkpoint.safetensors.tmp-1-2"};
  const char* others[] = {"notes.txt",           "photo.jpg",      "data.csv",
                          "weights.safetensors", "my-config.json", "x.tmp-1-2"};
  for (const char* name : ours) touch(name);
  for (const char* name : others) touch(name);
  std::filesystem::create_directory(path() / "folder.png");
  write_file_atomically(directory_ / "target.png", "x");
  std::filesystem::create_symlink(directory_ / "target.png", path() / "link.png");

  const RunDirectory run(path(), Mode::fresh);
  for (const char* name : ours) EXPECT_FALSE(exists(name)) << name;
  for (const char* name : others) EXPECT_TRUE(exists(name)) << name;
  EXPECT_FALSE(exists("config.json"));
  EXPECT_FALSE(exists("link.png"));
  EXPECT_TRUE(exists("folder.png"));
  EXPECT_TRUE(std::filesystem::exists(directory_ / "target.png"));
}

TEST_F(RunDirectories, ResumeNeedsARunAndLeavesNoTraceWithoutOne) {
  expect_error(ErrorKind::usage, "no run to resume in " + path().string(),
               [&] { RunDirectory(path(), Mode::resume); });
  EXPECT_FALSE(std::filesystem::exists(path()));
  std::filesystem::create_directories(path());
  expect_error(ErrorKind::usage, "no run to resume", [&] { RunDirectory(path(), Mode::resume); });
  EXPECT_TRUE(std::filesystem::is_empty(path()));
}

TEST_F(RunDirectories, OneProcessAtATime) {
  make_run();
  {
    const RunDirectory held(path(), Mode::resume);
    for (const Mode mode : {Mode::resume, Mode::fresh})
      expect_error(ErrorKind::usage, "another process is training in " + path().string(),
                   [&] { RunDirectory(path(), mode); });
  }
  EXPECT_TRUE(exists("config.json"));
  EXPECT_NO_THROW(RunDirectory(path(), Mode::resume));
}

TEST_F(RunDirectories, ImpossiblePlacesAreRefused) {
  expect_error(ErrorKind::usage, "empty name", [] { RunDirectory("", Mode::create); });
  write_file_atomically(directory_ / "file", "x");
  expect_error(ErrorKind::io, "cannot make run directory",
               [&] { RunDirectory(directory_ / "file", Mode::create); });
  expect_error(ErrorKind::io, "cannot make run directory",
               [&] { RunDirectory(directory_ / "file/run", Mode::create); });
  expect_error(ErrorKind::io, "cannot make run directory", [] { RunDirectory("/proc/run", Mode::create); });
  expect_error(ErrorKind::io, "", [] { RunDirectory("/proc/self", Mode::create); });
}

TEST_F(RunDirectories, AnUnwritableDirectoryIsRefused) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  make_run();
  std::filesystem::permissions(path(),
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  expect_error(ErrorKind::io, "cannot write in run directory", [&] { RunDirectory(path(), Mode::resume); });
  std::filesystem::permissions(path(), std::filesystem::perms::owner_all);
}

TEST_F(RunDirectories, ADamagedConfigIsAnError) {
  make_run();
  const RunDirectory run(path(), Mode::resume);
  for (const char* text : {"", "{", "[]", "null"}) {
    write_file_atomically(path() / "config.json", text);
    expect_error(ErrorKind::data, "config.json: not a JSON object", [&] { run.read_config(); });
  }
}

}  // namespace
}  // namespace vae::train
