#include "data/idx.h"

#include <gtest/gtest.h>

#include <numeric>

#include "data/gzip.h"
#include "tensor/file.h"
#include "tests/expect_error.h"
#include "tests/temporary_directory.h"

namespace vae::data {
namespace {

using test::expect_error;

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> result;
  for (const int v : values) result.push_back(static_cast<std::byte>(v));
  return result;
}

class Idx : public ::testing::Test {
 protected:
  std::filesystem::path file(std::span<const std::byte> content) {
    const auto path = directory_ / "file";
    write_file_atomically(path, content);
    return path;
  }
  /// Each malformed content must fail plain and, as its packed form, too.
  void expect_malformed(const std::string& words, const std::vector<std::byte>& content) {
    expect_error(ErrorKind::data, words, [&] { read_idx(file(content)); });
    expect_error(ErrorKind::data, words, [&] { read_idx(file(gzip(content))); });
  }
  Tensor counting(const Shape& shape) {
    std::vector<uint8_t> values(shape.numel());
    std::iota(values.begin(), values.end(), uint8_t{0});
    return Tensor::from(values, shape);
  }
  test::TemporaryDirectory directory_;
};

TEST_F(Idx, PlainAndPackedRoundTrip) {
  for (const char* name : {"a", "a.gz"})
    for (const Shape& shape : {Shape{5}, Shape{0}, Shape{3, 4, 5}, Shape{2, 3, 4, 3}}) {
      const Tensor written = counting(shape);
      write_idx(directory_ / name, written);
      const Tensor read = read_idx(directory_ / name);
      EXPECT_EQ(read.shape(), shape);
      EXPECT_EQ(read.to_vector<uint8_t>(), written.to_vector<uint8_t>());
    }
  EXPECT_TRUE(is_gzip(read_file(directory_ / "a.gz")));
  EXPECT_FALSE(is_gzip(read_file(directory_ / "a")));
}

TEST_F(Idx, ReadsTheDocumentedLayout) {
  const auto path = file(bytes({0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255}));
  const Tensor images = read_idx_images(path);
  EXPECT_EQ(images.shape(), (Shape{1, 2, 3, 1}));
  EXPECT_EQ(images.to_vector<uint8_t>(), (std::vector<uint8_t>{1, 2, 3, 4, 5, 255}));
}

TEST_F(Idx, ContentDecidesNotTheName) {
  write_idx(directory_ / "packed.gz", counting({7}));
  std::filesystem::rename(directory_ / "packed.gz", directory_ / "packed");
  EXPECT_EQ(read_idx(directory_ / "packed").numel(), 7);
}

TEST_F(Idx, JoinsSeveralGzipMembers) {
  auto content = gzip(bytes({0, 0, 8, 1, 0, 0, 0, 3, 10}));
  const auto rest = gzip(bytes({20, 30}));
  content.insert(content.end(), rest.begin(), rest.end());
  EXPECT_EQ(read_idx(file(content)).to_vector<uint8_t>(), (std::vector<uint8_t>{10, 20, 30}));
}

TEST_F(Idx, MissingFileOrFolder) {
  expect_error(ErrorKind::io, "absent", [&] { read_idx(directory_ / "absent"); });
  expect_error(ErrorKind::io, directory_.path().string(), [&] { read_idx(directory_.path()); });
}

TEST_F(Idx, EmptyAndShortFiles) {
  expect_malformed("empty", {});
  expect_malformed("too short", bytes({0, 0, 8}));
  expect_malformed("inside the IDX header", bytes({0, 0, 8, 1}));
  expect_malformed("inside the IDX header", bytes({0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0}));
}

TEST_F(Idx, WrongMagicTypeOrRank) {
  expect_malformed("wrong magic", bytes({'P', 'K', 3, 4, 0, 0, 0, 0}));
  expect_malformed("0x0d", bytes({0, 0, 0x0d, 1, 0, 0, 0, 0}));
  expect_malformed("rank 0", bytes({0, 0, 8, 0}));
  expect_malformed("rank 7", bytes({0, 0, 8, 7, 0, 0, 0, 0}));
}

TEST_F(Idx, SizeMustMatchTheHeader) {
  expect_malformed("too short", bytes({0, 0, 8, 1, 0, 0, 0, 3, 1, 2}));
  expect_malformed("too short", bytes({0, 0, 8, 1, 0, 0, 0, 3}));
  expect_error(ErrorKind::data, "1 bytes follow", [&] {
    read_idx(file(bytes({0, 0, 8, 1, 0, 0, 0, 1, 1, 2})));
  });
  expect_error(ErrorKind::data, "more than the expected 9 bytes", [&] {
    read_idx(file(gzip(bytes({0, 0, 8, 1, 0, 0, 0, 1, 1, 2}))));
  });
}

TEST_F(Idx, HugeClaimsAreRefusedBeforeMemoryIsTaken) {
  expect_malformed("too short", bytes({0, 0, 8, 1, 255, 255, 255, 255, 1}));
  // 2^96 and 2^64 elements: the product overflows, to 0 in the second case.
  expect_malformed("too short",
                   bytes({0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}));
  expect_malformed("too short", bytes({0, 0, 8, 4, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0}));
}

TEST_F(Idx, APackedBombIsCutOff) {
  auto content = bytes({0, 0, 8, 1, 0, 0, 0, 4});
  content.resize(content.size() + (64u << 20));
  expect_error(ErrorKind::data, "more than the expected 12 bytes", [&] { read_idx(file(gzip(content))); });
}

TEST_F(Idx, DamagedGzip) {
  std::vector<uint8_t> noise(5000);
  for (size_t i = 0; i < noise.size(); ++i) noise[i] = static_cast<uint8_t>(i * i * 2654435761u >> 11);
  write_idx(directory_ / "a.gz", Tensor::from(noise, {5000}));
  const auto good = read_file(directory_ / "a.gz");
  for (const size_t length : {size_t{2}, size_t{10}, good.size() / 2, good.size() - 1})
    expect_error(ErrorKind::data, "truncated", [&] { read_idx(file(std::span(good).first(length))); });
  auto flipped = good;
  flipped[good.size() - 6] ^= std::byte{1};  // in the checksum
  expect_error(ErrorKind::data, "corrupt", [&] { read_idx(file(flipped)); });
  auto longer = good;
  longer.push_back(std::byte{7});
  expect_error(ErrorKind::data, "1 bytes follow the gzip file", [&] { read_idx(file(longer)); });
}

TEST_F(Idx, EveryFlippedByteIsNoticedOrHarmless) {
  write_idx(directory_ / "a.gz", counting({3, 4, 5}));
  const auto good = read_file(directory_ / "a.gz");
  const auto expected = counting({3, 4, 5}).to_vector<uint8_t>();
  for (size_t i = 0; i < good.size(); ++i) {
    auto damaged = good;
    damaged[i] ^= std::byte{0x55};
    try {
      EXPECT_EQ(read_idx(file(damaged)).to_vector<uint8_t>(), expected) << "byte " << i;
    } catch (const Error& e) {
      EXPECT_EQ(static_cast<int>(e.kind()), static_cast<int>(ErrorKind::data));
    }
  }
}

TEST_F(Idx, LabelsAndImagesKeepToTheirRank) {
  write_idx(directory_ / "rank1", counting({6}));
  write_idx(directory_ / "rank3", counting({1, 2, 3}));
  expect_error(ErrorKind::data, "rank 3 or 4", [&] { read_idx_images(directory_ / "rank1"); });
  expect_error(ErrorKind::data, "rank 1", [&] { read_idx_labels(directory_ / "rank3", 10); });
}

TEST_F(Idx, LabelOutOfRange) {
  write_idx(directory_ / "labels", counting({11}));
  EXPECT_EQ(read_idx_labels(directory_ / "labels", 11).to_vector<int64_t>().back(), 10);
  expect_error(
      ErrorKind::data,
      "item 10: label 10 is out of range, 10 classes have the labels 0 to 9 (--classes, --label-offset)",
      [&] { read_idx_labels(directory_ / "labels", 10); });
  write_idx(directory_ / "letters", Tensor::from(std::vector<uint8_t>{1, 26}, {2}));
  EXPECT_EQ(read_idx_labels(directory_ / "letters", 26, 1).to_vector<int64_t>(),
            (std::vector<int64_t>{0, 25}));
  expect_error(ErrorKind::data, "item 0: label 1 is out of range, 26 classes have the labels 2 to 27",
               [&] { read_idx_labels(directory_ / "letters", 26, 2); });
}

TEST_F(Idx, WriterRefusesWhatTheFormatCannotHold) {
  expect_error(ErrorKind::internal, "label 256", [&] {
    write_idx_labels(directory_ / "labels", Tensor::from(std::vector<int64_t>{256}, {1}));
  });
  expect_error(ErrorKind::internal, "f32", [&] { write_idx(directory_ / "f32", Tensor::zeros({2})); });
  EXPECT_EQ(directory_.entries(), 0u);
}

TEST_F(Idx, WriterFailsCleanly) {
  expect_error(ErrorKind::io, "absent", [&] { write_idx(directory_ / "absent/file", counting({2})); });
}

}  // namespace
}  // namespace vae::data
