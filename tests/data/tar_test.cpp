// Archives of tar: what is read of them, and what is refused.
#include "data/tar.h"

#include <gtest/gtest.h>

#include "tests/data/tar_archive.h"
#include "tests/expect_error.h"

namespace vae::data {
namespace {

using test::expect_error, test::kTarEnd, test::tar_entry;

std::vector<TarFile> read(const std::string& archive) {
  return read_tar(std::as_bytes(std::span(archive)), "a.tar");
}

std::string text(const TarFile& file) {
  return {reinterpret_cast<const char*>(file.content.data()), file.content.size()};
}

TEST(Tar, RegularFilesAlone) {
  const std::string archive = tar_entry("folder/", "", '5') + tar_entry("folder/a.bin", "abc") +
                              tar_entry("link", "", '2') + tar_entry("pax", "12 path=evil\n", 'x') +
                              tar_entry("../../etc/b.bin", std::string(512, 'b'), '\0') +
                              tar_entry("empty", "") + kTarEnd;
  const auto files = read(archive);
  ASSERT_EQ(files.size(), 3u);
  EXPECT_EQ(files[0].name, "a.bin");
  EXPECT_EQ(text(files[0]), "abc");
  EXPECT_EQ(files[1].name, "b.bin");
  EXPECT_EQ(text(files[1]), std::string(512, 'b'));
  EXPECT_EQ(files[2].name, "empty");
  EXPECT_TRUE(read(kTarEnd).empty());
}

TEST(Tar, TruncatedAnywhere) {
  const std::string archive = tar_entry("a", std::string(700, 'a')) + tar_entry("b", "bb") + kTarEnd;
  for (size_t length = 0; length <= archive.size() - 1024 + 511; ++length)
    expect_error(ErrorKind::data, "a.tar: ", [&] {
      const std::string part = archive.substr(0, length);  // on its own, so that nothing lies behind it
      read(part);
    });
  EXPECT_EQ(read(archive.substr(0, archive.size() - 512)).size(), 2u);  // one block is an end, too
}

TEST(Tar, DamagedHeaders) {
  const std::string whole = tar_entry("a", "content") + kTarEnd;
  for (size_t at = 0; at < 512; ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    if (at == 155) continue;  // behind the end of the sum
    expect_error(ErrorKind::data, "a.tar: the tar archive is damaged after 0 files", [&] { read(damaged); });
  }
  for (const std::string size : {"77777777777 ", "00000001001 ", "-0000000001 ", "0x000000001 ",
                                 "            ", "\x80\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"})
    expect_error(ErrorKind::data, "a.tar: a file in the tar archive is longer than the archive",
                 [&] { read(tar_entry("a", "", '0', size) + std::string(512, 'x')); });
}

}  // namespace
}  // namespace vae::data
