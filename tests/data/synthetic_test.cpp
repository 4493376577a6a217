#include "data/synthetic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "data/glyphs.h"
#include "tensor/parallel.h"
#include "tests/expect_error.h"

namespace vae::data {
namespace {

constexpr int64_t kPixels = 28 * 28;

std::vector<uint8_t> image(const Dataset& set, int64_t i) {
  return set.images.slice(i, i + 1).to_vector<uint8_t>();
}

/// These bytes are the same on every machine, compiler and thread count.
TEST(Synthetic, KnownAnswer) {
  EXPECT_EQ(synthetic_digits(1000, Part::train, 1).sha256,
            "ec01399fd118c2345cad935a50adfb719015a7a0e5117b22d14765090491ae36");
  EXPECT_EQ(synthetic_digits(1000, Part::test, 1).sha256,
            "c4df1dc093b8a64aede0a1d7511f2a5923422ec7cf538eb51afcf6b91d8b1c33");
}

TEST(Synthetic, KnownAnswerInColour) {
  EXPECT_EQ(synthetic_color_digits(1000, Part::train, 1).sha256,
            "1a62a1b4901c81a5bf83491ab01c3fedd8f69e29c26a17604c42d7a96af29437");
  EXPECT_EQ(synthetic_color_digits(1000, Part::test, 1).sha256,
            "a2c479b12e48e267720a24da75c5f14238256021bebe23c5b9ef6e0801ce1a6a");
}

TEST(Synthetic, ColourIsLikewise) {
  const Dataset set = synthetic_color_digits(1000, Part::train, 5),
                small = synthetic_color_digits(33, Part::train, 5);
  EXPECT_EQ(set.images.shape(), (Shape{1000, 32, 32, 3}));
  EXPECT_EQ(class_counts(set.labels, 10), std::vector<int64_t>(10, 100));
  for (int64_t i = 0; i < 33; ++i) EXPECT_EQ(image(set, i), image(small, i));
  set_num_threads(1);
  EXPECT_EQ(synthetic_color_digits(1000, Part::train, 5).sha256, set.sha256);
  set_num_threads(0);
  EXPECT_NE(synthetic_color_digits(33, Part::train, 6).sha256, small.sha256);
  EXPECT_NE(image(synthetic_color_digits(10, Part::test, 5), 0), image(set, 0));
  test::expect_error(ErrorKind::usage, "0 images", [] { synthetic_color_digits(0, Part::train, 1); });
}

/// The ink of an image: what is far from the colour of its corners.
std::vector<bool> ink_of(const uint8_t* x) {
  std::vector<bool> ink;
  for (int i = 0; i < 32 * 32; ++i) {
    int distance = 0;
    for (int c = 0; c < 3; ++c) {
      int ground = 0;
      for (const int corner : {0, 31, 31 * 32, 32 * 32 - 1}) ground += x[3 * corner + c];
      distance += std::abs(4 * x[3 * i + c] - ground);
    }
    ink.push_back(distance > 4 * 120);
  }
  return ink;
}

/// The colours differ enough to see the digit, which tells most classes by ten images of each, but not all.
TEST(Synthetic, DigitsStandOutInColour) {
  const Dataset train = synthetic_color_digits(100, Part::train, 1),
                test = synthetic_color_digits(500, Part::test, 1);
  const auto inks = [](const Dataset& set) {
    std::vector<std::vector<bool>> all;
    for (int64_t i = 0; i < set.size(); ++i) all.push_back(ink_of(set.images.data<uint8_t>() + i * 3072));
    return all;
  };
  const auto known = inks(train), asked = inks(test);
  int right = 0;
  for (size_t i = 0; i < asked.size(); ++i) {
    const auto white = std::ranges::count(asked[i], true);
    EXPECT_GT(white, 15) << i;
    EXPECT_LT(white, 700) << i;
    int64_t best = INT64_MAX, guess = -1;
    for (size_t j = 0; j < known.size(); ++j) {
      int64_t distance = 0;
      for (size_t k = 0; k < known[j].size(); ++k) distance += asked[i][k] != known[j][k];
      if (distance < best) best = distance, guess = train.labels.data<int64_t>()[j];
    }
    right += guess == test.labels.data<int64_t>()[i];
  }
  EXPECT_GT(right, 200);
  EXPECT_LT(right, 450);
}

TEST(Synthetic, ShapeAndBalance) {
  const Dataset set = synthetic_digits(1000, Part::train, 5);
  EXPECT_EQ(set.images.shape(), (Shape{1000, 28, 28, 1}));
  EXPECT_EQ(set.num_classes, 10);
  EXPECT_EQ(class_counts(set.labels, 10), std::vector<int64_t>(10, 100));
}

TEST(Synthetic, AnImageDoesNotDependOnTheSizeOfItsSet) {
  const Dataset large = synthetic_digits(700, Part::train, 2), small = synthetic_digits(33, Part::train, 2);
  for (int64_t i = 0; i < 33; ++i) {
    EXPECT_EQ(image(large, i), image(small, i));
    EXPECT_EQ(large.labels.data<int64_t>()[i], small.labels.data<int64_t>()[i]);
  }
}

TEST(Synthetic, ThreadsDoNotMatter) {
  set_num_threads(1);
  const std::string one = synthetic_digits(1000, Part::train, 3).sha256;
  set_num_threads(4);
  const std::string four = synthetic_digits(1000, Part::train, 3).sha256;
  set_num_threads(0);
  EXPECT_EQ(one, four);
}

TEST(Synthetic, SeedsAndPartsDiffer) {
  const Dataset a = synthetic_digits(20, Part::train, 1), b = synthetic_digits(20, Part::train, 2),
                c = synthetic_digits(20, Part::test, 1);
  EXPECT_NE(a.sha256, b.sha256);
  EXPECT_NE(a.sha256, c.sha256);
  EXPECT_NE(a.labels.to_vector<int64_t>(), c.labels.to_vector<int64_t>());
}

TEST(Synthetic, NoTestImageIsATrainingImage) {
  // Labels of the two parts agree at one place in ten: there one stream for both would draw one image.
  const Dataset train = synthetic_digits(1000, Part::train, 1), test = synthetic_digits(1000, Part::test, 1);
  std::set<std::vector<uint8_t>> trained;
  for (int64_t i = 0; i < train.size(); ++i) trained.insert(image(train, i));
  for (int64_t i = 0; i < test.size(); ++i) EXPECT_FALSE(trained.contains(image(test, i))) << i;
}

TEST(Synthetic, NoImageTwiceAndNoneEmpty) {
  const Dataset set = synthetic_digits(2000, Part::train, 1);
  std::set<std::string> distinct;
  double ink = 0;
  for (int64_t i = 0; i < 2000; ++i) {
    const auto pixels = image(set, i);
    distinct.emplace(pixels.begin(), pixels.end());
    const auto white = std::count_if(pixels.begin(), pixels.end(), [](uint8_t v) { return v >= 128; });
    EXPECT_GT(white, 15) << i;
    EXPECT_LT(white, kPixels / 2) << i;
    ink += static_cast<double>(white) / kPixels / 2000;
  }
  EXPECT_EQ(distinct.size(), 2000u);
  EXPECT_NEAR(ink, 0.15, 0.03);
}

/// Difficulty: with ten images of each class, the nearest of them names most digits, but by far not all.
TEST(Synthetic, IsNeitherTrivialNorHopeless) {
  const Dataset train = synthetic_digits(100, Part::train, 1), test = synthetic_digits(1000, Part::test, 1);
  int right = 0;
  for (int64_t i = 0; i < test.size(); ++i) {
    const uint8_t* x = test.images.data<uint8_t>() + i * kPixels;
    int64_t best = INT64_MAX, guess = -1;
    for (int64_t j = 0; j < train.size(); ++j) {
      const uint8_t* y = train.images.data<uint8_t>() + j * kPixels;
      int64_t distance = 0;
      for (int64_t k = 0; k < kPixels; ++k) distance += (x[k] >= 128) != (y[k] >= 128);
      if (distance < best) best = distance, guess = train.labels.data<int64_t>()[j];
    }
    right += guess == test.labels.data<int64_t>()[i];
  }
  EXPECT_GT(right, 550);
  EXPECT_LT(right, 900);
}

TEST(Synthetic, RefusesEmptySets) {
  test::expect_error(ErrorKind::usage, "0 images", [] { synthetic_digits(0, Part::train, 1); });
  test::expect_error(ErrorKind::usage, "-5 images", [] { synthetic_digits(-5, Part::train, 1); });
}

TEST(Glyphs, EveryDigitHasSeveralWithinTheSquare) {
  for (int digit = 0; digit < 10; ++digit) {
    EXPECT_GE(glyphs_of(digit).size(), 3u);
    for (const Glyph& glyph : glyphs_of(digit))
      for (const Stroke& stroke : glyph) {
        EXPECT_GE(stroke.size(), 3u);
        for (const Point p : stroke) EXPECT_TRUE(p.x >= 0 && p.x <= 1 && p.y >= 0 && p.y <= 1) << digit;
      }
  }
  test::expect_error(ErrorKind::internal, "no digit", [] { glyphs_of(10); });
}

}  // namespace
}  // namespace vae::data
