#include "data/dataset.h"

#include <gtest/gtest.h>

#include "data/digest.h"
#include "tests/expect_error.h"

namespace vae::data {
namespace {

using test::expect_error;

Tensor images_of(std::vector<uint8_t> values, int64_t n) {
  const auto width = static_cast<int64_t>(values.size()) / n;
  return Tensor::from(values, {n, 1, width, 1});
}

TEST(Digest, KnownAnswers) {
  EXPECT_EQ(md5_hex({}), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(sha256_hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const std::string abc = "abc";
  EXPECT_EQ(sha256_hex(std::as_bytes(std::span(abc))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Dataset, HashTellsContentApart) {
  const auto labels = [](std::vector<int64_t> values) { return Tensor::from(values, {2}); };
  const auto hash = [](const Tensor& images, const Tensor& labels) {
    return make_dataset("x", images, labels, 3).sha256;
  };
  const std::string base = hash(images_of({1, 2, 3, 4}, 2), labels({0, 1}));
  EXPECT_EQ(base.size(), 64u);
  EXPECT_EQ(hash(images_of({1, 2, 3, 4}, 2), labels({0, 1})), base);
  EXPECT_NE(hash(images_of({1, 2, 3, 5}, 2), labels({0, 1})), base);
  EXPECT_NE(hash(images_of({1, 2, 3, 4}, 2), labels({0, 2})), base);
  EXPECT_NE(hash(images_of({1, 2, 3, 4}, 2).reshape({2, 2, 1, 1}), labels({0, 1})), base);
}

TEST(Dataset, RefusesWhatDoesNotFit) {
  const auto make = [](int64_t images, std::vector<int64_t> labels, int num_classes) {
    return [=] {
      make_dataset("set", Tensor::zeros({images, 2, 2, 1}, DType::u8),
                   Tensor::from(labels, {static_cast<int64_t>(labels.size())}), num_classes);
    };
  };
  EXPECT_NO_THROW(make(2, {0, 9}, 10)());
  EXPECT_NO_THROW(make(2, {0, kNoLabel}, 10)());
  expect_error(ErrorKind::data, "2 images, but 3 labels", make(2, {0, 1, 2}, 10));
  expect_error(ErrorKind::data, "item 1: label 10 is out of range", make(2, {0, 10}, 10));
  expect_error(ErrorKind::data, "item 0: label -2 is out of range", make(2, {-2, 0}, 10));
  expect_error(ErrorKind::data, "empty", make(0, {}, 10));
}

TEST(Dataset, CountsClasses) {
  EXPECT_EQ(class_counts(Tensor::from(std::vector<int64_t>{2, 0, 2}, {3}), 4),
            (std::vector<int64_t>{1, 0, 2, 0}));
}

}  // namespace
}  // namespace vae::data
