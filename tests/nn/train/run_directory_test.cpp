#include "nn/train/run_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nn/train/append_file.h"
#include "tests/expect_error.h"
#include "tests/read_text.h"
#include "tests/system_calls.h"
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
  std::filesystem::rename(path() / "config.json", claim(path(), "metrics.csv"));
  expect_error(ErrorKind::usage, "already holds a run (metrics.csv)",
               [&] { RunDirectory(path(), Mode::create); });
}

TEST_F(RunDirectories, FilesOfOthersAreNeverTakenForARun) {
  for (const char* name :
       {"config.json", "photo.png", "logo.svg", "results.json", "notes.txt", "no name.tmp-1-2"}) {
    std::filesystem::create_directories(path());
    touch(name);
    for (const Mode mode : {Mode::create, Mode::fresh})
      expect_error(ErrorKind::usage, fmt::format("holds {}, which no run wrote there", name),
                   [&] { RunDirectory(path(), mode); });
    EXPECT_TRUE(exists(name));
    EXPECT_EQ(
        std::distance(std::filesystem::directory_iterator(path()), std::filesystem::directory_iterator()), 1);
    std::filesystem::remove_all(path());
  }
  std::filesystem::create_directories(path() / "m1");
  expect_error(ErrorKind::usage, "holds m1, which no run wrote", [&] { RunDirectory(path(), Mode::create); });
}

TEST_F(RunDirectories, LogsAndHiddenFilesMayBeThere) {
  std::filesystem::create_directories(path());
  for (const char* name : {"train.log", "slurm-12.out", "job.err", ".gitignore"}) touch(name);
  make_run();
  for (const char* name : {"train.log", "slurm-12.out", "job.err", ".gitignore"}) EXPECT_TRUE(exists(name));
}

TEST_F(RunDirectories, FreshRemovesWhatTheRunWroteAndNothingElse) {
  make_run();
  const char* ours[] = {"split.json", "metrics.csv", "grid.png", "loss.svg", "checkpoint.safetensors"};
  const char* others[] = {"notes.txt",       "photo.png",           "figure.svg",
                          "metrics.old.csv", "weights.safetensors", "x.tmp-1-2"};
  for (const char* name : ours) claim(path(), name), touch(name);
  for (const char* name : others) touch(name);
  touch("grid.png.tmp-1-2");
  for (const char* name : {"link.png", "folder.png"}) claim(path(), name);
  claim_folder(path(), "m1");
  std::filesystem::create_directory(path() / "m1");
  std::filesystem::create_directory(path() / "folder.png");
  write_file_atomically(directory_ / "target.png", "x");
  std::filesystem::create_symlink(directory_ / "target.png", path() / "link.png");

  const RunDirectory run(path(), Mode::fresh);
  for (const char* name : ours) EXPECT_FALSE(exists(name)) << name;
  for (const char* name : others) EXPECT_TRUE(exists(name)) << name;
  for (const char* name : {"config.json", "grid.png.tmp-1-2"}) EXPECT_FALSE(exists(name)) << name;
  for (const char* name : {"link.png", "folder.png", "m1"}) EXPECT_TRUE(exists(name)) << name;
  EXPECT_TRUE(std::filesystem::exists(directory_ / "target.png"));
  EXPECT_EQ(run_files(path()), std::set<std::string>{"m1/"});
}

TEST_F(RunDirectories, ARunThatWasKilledBeforeItBeganIsBegunAgain) {
  {
    const RunDirectory run(path(), Mode::create);
    write_file_atomically(run.claim("split.json"), "x");
    run.claim("config.json");
    touch("config.json.tmp-7-0");
  }
  make_run();
  EXPECT_FALSE(exists("config.json.tmp-7-0"));
}

TEST_F(RunDirectories, OnlyFilesOfTheRunAreReplaced) {
  make_run();
  touch("samples.png");
  expect_error(ErrorKind::usage, "samples.png is there, and this run did not write it",
               [&] { claim(path(), "samples.png"); });
  std::filesystem::create_directory(path() / "seed_1");
  expect_error(ErrorKind::usage, "seed_1 is there, and this run did not write it",
               [&] { claim_folder(path(), "seed_1"); });
  EXPECT_EQ(claim(path(), "config.json"), path() / "config.json");
}

TEST_F(RunDirectories, LinksAreNotFollowed) {
  make_run();
  const std::filesystem::path target = directory_ / "target";
  write_file_atomically(target, "kept");
  for (const char* name : {"metrics.csv", "checkpoint.safetensors", "grid.png"}) {
    claim(path(), name);  // planted behind a run's back
    std::filesystem::create_symlink(target, path() / name);
    expect_error(ErrorKind::usage, "is not a file of this run", [&] { claim(path(), name); });
    expect_error(ErrorKind::io, "cannot write", [&] { AppendFile(path() / name, 0); });
  }
  std::filesystem::create_symlink(directory_.path(), path() / "m1");
  expect_error(ErrorKind::usage, "is not a folder of this run", [&] { claim_folder(path(), "m1"); });
  std::filesystem::remove(path() / kRunFile);
  std::filesystem::create_symlink(target, path() / kRunFile);
  expect_error(ErrorKind::io, "cannot write", [&] { RunDirectory(path(), Mode::resume); });
  EXPECT_EQ(test::read_text(target), "kept");
}

TEST_F(RunDirectories, PipesAndOtherNamesOfAFileAreNotAppendedTo) {
  make_run();
  ASSERT_EQ(::mkfifo((path() / "pipe").c_str(), 0600), 0);
  expect_error(ErrorKind::io, "cannot write", [&] { AppendFile(path() / "pipe", 0); });
  write_file_atomically(directory_ / "target", "kept");
  std::filesystem::create_hard_link(directory_ / "target", path() / "metrics.csv");
  expect_error(ErrorKind::io, "other names", [&] { AppendFile(path() / "metrics.csv", 0); });
  EXPECT_EQ(test::read_text(directory_ / "target"), "kept");
}

TEST_F(RunDirectories, ACopyWithoutNotesIsResumedAndKeepsOtherFiles) {
  make_run();
  std::filesystem::remove(path() / kRunFile);
  for (const char* name : {"checkpoint.safetensors", "figure.png"}) touch(name);
  std::filesystem::create_directory(path() / "m1");
  write_file_atomically(path() / "m1/config.json", "{}");
  std::filesystem::create_directory(path() / "photos");
  const RunDirectory run(path(), Mode::resume);
  EXPECT_EQ(run_files(path()), (std::set<std::string>{"checkpoint.safetensors", "config.json", "m1/"}));
}

TEST_F(RunDirectories, HalfANoteIsCutOff) {
  make_run();
  AppendFile(path() / kRunFile, 0).append("config.json\nmetr");
  EXPECT_EQ(run_files(path()), std::set<std::string>{"config.json"});
  claim(path(), "grid.png");
  EXPECT_EQ(run_files(path()), (std::set<std::string>{"config.json", "grid.png"}));
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

// Whoever can open a file can hold its lock.
TEST_F(RunDirectories, OthersCannotHoldTheLock) {
  make_run();
  const auto mode = [&] { return std::filesystem::status(path() / kRunFile).permissions(); };
  const auto mine = std::filesystem::perms::owner_read | std::filesystem::perms::owner_write;
  EXPECT_EQ(mode(), mine);
  std::filesystem::permissions(path() / kRunFile, std::filesystem::perms(0644));
  const RunDirectory run(path(), Mode::resume);
  EXPECT_EQ(mode(), mine);
}

TEST_F(RunDirectories, SaysSoWhereThereAreNoLocks) {
  make_run();
  test::SystemCalls calls;
  calls.flock_error = ENOLCK;
  ::testing::internal::CaptureStderr();
  EXPECT_NO_THROW(RunDirectory(path(), Mode::resume));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            path().string() +
                ": no lock (No locks available), so nothing keeps a second process from training there\n");
}

TEST_F(RunDirectories, ImpossiblePlacesAreRefused) {
  expect_error(ErrorKind::usage, "empty name", [] { RunDirectory("", Mode::create); });
  write_file_atomically(directory_ / "file", "x");
  expect_error(ErrorKind::io, "cannot make run directory",
               [&] { RunDirectory(directory_ / "file", Mode::create); });
  expect_error(ErrorKind::io, "cannot make run directory",
               [&] { RunDirectory(directory_ / "file/run", Mode::create); });
  expect_error(ErrorKind::io, "cannot make run directory", [] { RunDirectory("/proc/run", Mode::create); });
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
