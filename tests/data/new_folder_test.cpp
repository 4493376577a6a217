#include "data/new_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "data/image_folder.h"
#include "data/synthetic.h"
#include "tensor/file.h"
#include "tests/expect_error.h"
#include "tests/file_size_limit.h"
#include "tests/read_text.h"
#include "tests/temporary_directory.h"

namespace vae::data {
namespace {

namespace fs = std::filesystem;
using test::expect_error;
using test::read_text;

class NewFolders : public ::testing::Test {
 protected:
  void fill(NewFolder& folder) {
    write_file_atomically(folder.path() / "file", std::string_view("new"));
    fs::create_directory(folder.path() / "below");
  }
  void expect_complete(const fs::path& folder) {
    EXPECT_EQ(read_text(folder / "file"), "new");
    EXPECT_TRUE(fs::is_directory(folder / "below"));
    EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 2);
  }
  test::TemporaryDirectory directory_;
};

TEST_F(NewFolders, AppearsWhenItIsComplete) {
  {
    NewFolder folder(directory_ / "a/b/new/");
    fill(folder);
    EXPECT_FALSE(fs::exists(directory_ / "a/b/new"));
    folder.finish();
  }
  expect_complete(directory_ / "a/b/new");
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_ / "a/b"), {}), 1);
}

TEST_F(NewFolders, HasThePermissionsOfANewFolder) {
  const mode_t old = ::umask(027);
  NewFolder(directory_ / "new").finish();
  ::umask(old);
  struct stat info {};
  ASSERT_EQ(::stat((directory_ / "new").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0750u);
}

TEST_F(NewFolders, FillsAnEmptyFolderAndKeepsIt) {
  fs::create_directory(directory_ / "empty");
  fs::create_directory_symlink("empty", directory_ / "link");
  NewFolder folder(directory_ / "link");
  fill(folder);
  folder.finish();
  EXPECT_TRUE(fs::is_symlink(directory_ / "link"));
  EXPECT_FALSE(fs::exists(folder.path() / "file"));
  EXPECT_EQ(read_text(directory_ / "empty/file"), "new");
}

TEST_F(NewFolders, TheWorkingDirectoryServes) {
  const fs::path before = fs::current_path();
  fs::create_directory(directory_ / "here");
  fs::current_path(directory_ / "here");
  {
    NewFolder folder(".");
    fill(folder);
    folder.finish();
  }
  fs::current_path(before);
  expect_complete(directory_ / "here");
}

TEST_F(NewFolders, WithoutAnEndThereIsNothing) {
  fs::create_directory(directory_ / "empty");
  for (const char* name : {"new", "empty"}) {
    NewFolder folder(directory_ / name);
    fill(folder);
  }
  EXPECT_TRUE(fs::is_empty(directory_ / "empty"));
  EXPECT_EQ(directory_.entries(), 1u);
}

TEST_F(NewFolders, WhatIsThereIsRefusedAndStays) {
  fs::create_directory(directory_ / "full");
  write_file_atomically(directory_ / "full/mine", std::string_view("mine"));
  write_file_atomically(directory_ / "file", std::string_view("mine"));
  fs::create_symlink("absent", directory_ / "dangling");
  for (const char* name : {"full", "full/", "file", "dangling"})
    expect_error(ErrorKind::io, "exists already and is not an empty folder",
                 [&] { NewFolder folder(directory_ / name); });
  expect_error(ErrorKind::io, "cannot create the folder",
               [&] { NewFolder folder(directory_ / "file/below"); });
  EXPECT_EQ(read_text(directory_ / "full/mine"), "mine");
  EXPECT_EQ(directory_.entries(), 3u);
}

TEST_F(NewFolders, NothingOfOthersIsRemoved) {
  const Dataset set = synthetic_digits(5, Part::train, 1);
  for (const char* name : {"out.part", "out.tmp", "out.tmp-1-0"}) {
    fs::create_directory(directory_ / name);
    write_file_atomically(directory_ / name / "mine", std::string_view("mine"));
  }
  export_images(set, directory_ / "out", "png", 5);
  for (const char* name : {"out.part", "out.tmp", "out.tmp-1-0"})
    EXPECT_EQ(read_text(directory_ / name / "mine"), "mine") << name;
  EXPECT_EQ(directory_.entries(), 4u);
}

TEST_F(NewFolders, AFullDiskLeavesNothing) {
  const Dataset set = synthetic_digits(5, Part::train, 1);
  const test::FileSizeLimit limit(100);
  expect_error(ErrorKind::io, "cannot write", [&] { export_images(set, directory_ / "out", "bmp", 5); });
  EXPECT_EQ(directory_.entries(), 0u);
}

}  // namespace
}  // namespace vae::data
