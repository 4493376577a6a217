// Decodes what EventFile wrote with a small reader of its own: TFRecord frames, then protocol-buffer fields.
#include "nn/train/event_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "nn/train/run_files.h"
#include "tests/expect_error.h"
#include "tests/file_size_limit.h"
#include "tests/read_text.h"
#include "tests/temporary_directory.h"

namespace vae::train {
namespace {

using test::expect_error;

/// Bit by bit, unlike the table of the writer.
uint32_t slow_crc32c(const std::string& bytes) {
  uint32_t crc = 0xFFFFFFFF;
  for (const char c : bytes) {
    crc ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0x82F63B78 * (crc & 1));
  }
  return ~crc;
}

template <class T>
T take(const std::string& bytes, size_t& at) {
  if (at + sizeof(T) > bytes.size()) throw std::runtime_error("record is cut off");
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  at += sizeof(T);
  return value;
}

std::string take_frame(const std::string& file, size_t& at) {
  const size_t begin = at;
  const auto length = take<uint64_t>(file, at);
  const auto mask = [](uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8u; };
  EXPECT_EQ(take<uint32_t>(file, at), mask(slow_crc32c(file.substr(begin, 8))));
  const std::string payload = file.substr(at, length);
  at += length;
  EXPECT_EQ(take<uint32_t>(file, at), mask(slow_crc32c(payload)));
  return payload;
}

/// Field number -> values: numbers as their little-endian bytes, strings and messages as they are.
std::multimap<uint64_t, std::string> fields(const std::string& message) {
  std::multimap<uint64_t, std::string> result;
  size_t at = 0;
  const auto varint = [&] {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = take<uint8_t>(message, at);
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.size()) {
    const uint64_t key = varint();
    const uint64_t type = key & 7;
    const uint64_t value = type == 0 ? varint() : 0;
    const size_t size = type == 1 ? 8 : type == 5 ? 4 : type == 2 ? varint() : 0;
    result.emplace(key >> 3, type == 0 ? std::to_string(value) : message.substr(at, size));
    at += size;
  }
  return result;
}

std::string one(const std::string& message, uint64_t number) {
  const auto all = fields(message);
  EXPECT_EQ(all.count(number), 1u) << "field " << number;
  const auto it = all.find(number);
  return it == all.end() ? "" : it->second;
}

class Events : public ::testing::Test {
 protected:
  std::vector<std::filesystem::path> files() const {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path()))
      if (entry.path().filename() != kRunFile) paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    return paths;
  }
  std::vector<std::string> events(size_t index) const {
    const std::string file = test::read_text(files().at(index));
    std::vector<std::string> all;
    for (size_t at = 0; at < file.size();) all.push_back(take_frame(file, at));
    return all;
  }
  test::TemporaryDirectory directory_;
};

TEST(Crc32c, KnownAnswers) {  // RFC 3720, appendix B.4, and the customary check value
  std::string ascending, descending;
  for (int i = 0; i < 32; ++i) {
    ascending += static_cast<char>(i);
    descending += static_cast<char>(31 - i);
  }
  EXPECT_EQ(crc32c(""), 0u);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43u);
  EXPECT_EQ(crc32c(ascending), 0x46DD794Eu);
  EXPECT_EQ(crc32c(descending), 0x113FDB5Cu);
}

TEST_F(Events, ScalarsCanBeDecoded) {
  EventFile(directory_.path(), std::nullopt)
      .add_scalars(int64_t{1} << 40, {{"train/loss", 0.25}, {"test/accuracy", -1e30}});
  ASSERT_EQ(files().size(), 1u);
  EXPECT_NE(files()[0].filename().string().find("tfevents"), std::string::npos);
  const std::vector<std::string> all = events(0);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(one(all[0], 3), "brain.Event:2");
  EXPECT_EQ(one(all[1], 2), "1099511627776");
  size_t at = 0;
  EXPECT_GT(take<double>(one(all[1], 1), at), 1.6e9);  // seconds since 1970
  const auto values = fields(one(all[1], 5));
  ASSERT_EQ(values.count(1), 2u);
  const std::string first = values.find(1)->second, second = std::next(values.find(1))->second;
  EXPECT_EQ(one(first, 1), "train/loss");
  EXPECT_EQ(one(first, 2), std::string("\0\0\x80\x3e", 4));
  EXPECT_EQ(one(second, 1), "test/accuracy");
}

TEST_F(Events, ImagesCanBeDecoded) {
  // Signature, IHDR of 300 x 2 pixels, 8 bits, RGB; the writer looks no further.
  const uint8_t png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n', 0, 0, 0, 13, 'I', 'H', 'D',
                         'R',  0,   0,   1,   44,   0,    0,    0,    2, 8, 2, 0,  0,   0};
  EventFile file(directory_.path(), std::nullopt);
  file.add_image(7, "grid", png);
  const std::vector<std::string> all = events(0);
  const std::string value = one(one(all.at(1), 5), 1);
  EXPECT_EQ(one(value, 1), "grid");
  const std::string image = one(value, 4);
  EXPECT_EQ(one(image, 1), "2");
  EXPECT_EQ(one(image, 2), "300");
  EXPECT_EQ(one(image, 3), "3");
  EXPECT_EQ(one(image, 4), std::string(reinterpret_cast<const char*>(png), sizeof png));
  expect_error(ErrorKind::internal, "picture 'grid' is no PNG", [&] { file.add_image(7, "grid", {}); });
  expect_error(ErrorKind::internal, "is no PNG",
               [&] { file.add_image(7, "grid", std::vector<uint8_t>(100, 'x')); });
}

TEST_F(Events, AResumedRunStartsALaterFileWithASessionStart) {
  EventFile(directory_.path(), std::nullopt).add_scalars(1, {{"a", 1}});
  const std::filesystem::path first = files().at(0);
  EventFile(directory_.path(), 500);
  ASSERT_EQ(files().size(), 2u);
  EXPECT_EQ(files()[0], first);
  const std::vector<std::string> all = events(1);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(one(all[1], 2), "501");
  EXPECT_EQ(one(one(all[1], 7), 1), "1");
}

TEST_F(Events, AFullDiskIsAnErrorAndLeavesWholeRecords) {
  EventFile file(directory_.path(), std::nullopt);
  const test::FileSizeLimit limit(300);
  expect_error(ErrorKind::io, "File too large", [&] {
    for (int step = 0; step < 100; ++step) file.add_scalars(step, {{"loss", 1}});
  });
  EXPECT_GT(events(0).size(), 3u);
}

}  // namespace
}  // namespace vae::train
