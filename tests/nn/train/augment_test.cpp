// Pictures changed at random: which changes are drawn, and that they follow the step.
#include "nn/train/augment.h"

#include <gtest/gtest.h>

#include <functional>

#include "kernels/strong_augment.h"
#include "tests/numeric.h"

namespace vae::train {
namespace {

using Bytes = std::vector<uint8_t>;

Step step(int64_t iteration, uint64_t seed = 1, Device device = kCpu) {
  return {seed, Tensor::scalar(iteration, device)};
}

Tensor pictures(int64_t n, Device device = kCpu) {
  return test::sample_tensor({n, 8, 6, 3}, DType::u8, device, 0, 255.99);
}

/// Images, their name and a step to images.
using Change = std::function<Tensor(const Tensor&, const std::string&, const Step&)>;

Tensor shifted_and_flipped(const Tensor& x, const std::string& name, const Step& at) {
  return shifted(x, 4, true, name, at);
}
Tensor distorted_twice(const Tensor& x, const std::string& name, const Step& at) {
  return distorted(x, 2, name, at);
}

TEST(Augment, FollowsTheStep) {
  for (const Change& change : {Change(shifted_and_flipped), Change(distorted_twice)}) {
    const Tensor x = pictures(24);
    const auto run = [&](const Step& at, const std::string& name = "augment") {
      return change(x, name, at).to_vector<uint8_t>();
    };
    const Bytes first = run(step(3));
    EXPECT_EQ(run(step(3)), first);
    EXPECT_NE(run(step(4)), first);
    EXPECT_NE(run(step(3, 2)), first);
    EXPECT_NE(run(step(3), "other"), first);
    EXPECT_EQ(run(step(0).numbered(3)), first) << "the number of the draw counts";
    for (const Device device : test::devices())
      EXPECT_EQ(change(x.to(device), "augment", step(3, 1, device)).to_vector<uint8_t>(), first)
          << device.str();
    EXPECT_EQ(change(x.slice(0, 0), "augment", step(3)).numel(), 0);
  }
}

TEST(Augment, WithoutAnythingToDoImagesStay) {
  const Tensor x = pictures(5);
  EXPECT_TRUE(test::same_bits(shifted(x, 0, false, "a", step(0)), x));
}

// Crops of a picture whose value at (r, c) is 16 r + c, inside of a border wider than the pad.
TEST(Augment, ShiftsDrawEveryCornerAndHalfOfTheFlips) {
  constexpr int64_t kRows = 4000, kSide = 12, kPad = 2;
  Bytes one;
  for (int r = 0; r < kSide; ++r)
    for (int c = 0; c < kSide; ++c) one.push_back(static_cast<uint8_t>(16 * r + c));
  Bytes all;
  for (int64_t i = 0; i < kRows; ++i) all.insert(all.end(), one.begin(), one.end());
  const Tensor x = Tensor::from(all, {kRows, kSide, kSide, 1});
  const auto y = shifted(x, kPad, true, "weak", step(0)).to_vector<uint8_t>();
  std::vector<int64_t> corners(25);
  int64_t flips = 0;
  for (int64_t i = 0; i < kRows; ++i) {
    const auto at = [&](int64_t r, int64_t c) -> int {
      return y[static_cast<size_t>((i * kSide + r) * kSide + c)];
    };
    const bool flipped = at(5, 6) < at(5, 5);
    flips += flipped;
    const int64_t row = at(5, 5) / 16 - 5, column = flipped ? 11 - 5 - at(5, 5) % 16 : at(5, 5) % 16 - 5;
    ASSERT_TRUE(std::abs(row) <= kPad && std::abs(column) <= kPad);
    ++corners[static_cast<size_t>((row + kPad) * 5 + column + kPad)];
  }
  EXPECT_NEAR(static_cast<double>(flips), 2000, 5 * 31.6);  // five standard deviations
  for (const int64_t count : corners) EXPECT_NEAR(static_cast<double>(count), 160, 5 * 12.4);
}

// Which operation it was is seen by comparing with all of them. Where several give the same (some are the
// identity at some levels), each has its part.
TEST(Augment, DistortionsDrawEveryOperationAboutEquallyOften) {
  constexpr int64_t kRows = 2000;
  const Bytes one = test::sample_tensor({32, 32, 3}, DType::u8, kCpu, 0, 255.99).to_vector<uint8_t>();
  Bytes all;
  for (int64_t i = 0; i < kRows; ++i) all.insert(all.end(), one.begin(), one.end());
  const Tensor x = Tensor::from(all, {kRows, 32, 32, 3});
  // One operation for each picture; the square lies over the same pixels.
  const Tensor y = distorted(x, 1, "strong", step(0)), z = y.clone();
  const Tensor levels = Tensor::empty({kRows, 1}, DType::i64), operations = levels.clone(),
               centres = Tensor::empty({kRows, 2}, DType::i64);
  kernels::random_integers(levels, step(0).key("strong/level"), step(0).draw(), kernels::kLevels, {});
  kernels::random_integers(centres, step(0).key("strong/centre"), step(0).draw(), kernels::kLevels, {});
  std::vector<std::vector<size_t>> candidates(kRows);
  for (size_t d = 0; d < kernels::kDistortions; ++d) {
    kernels::fill(operations, static_cast<double>(d));
    kernels::strong_augment(x, operations, levels, centres, z);
    for (int64_t i = 0; i < kRows; ++i)
      if (test::same_bits(z.slice(i, i + 1), y.slice(i, i + 1)))
        candidates[static_cast<size_t>(i)].push_back(d);
  }
  std::vector<double> counts(kernels::kDistortions);
  for (const auto& of_picture : candidates) {
    ASSERT_FALSE(of_picture.empty());
    for (const size_t d : of_picture) counts[d] += 1 / static_cast<double>(of_picture.size());
  }
  for (size_t d = 0; d < counts.size(); ++d)
    EXPECT_NEAR(counts[d], 143, 58) << d;  // five standard deviations
}

TEST(Augment, TheSquareIsDrawnFromTheWholePicture) {
  const Tensor x = Tensor::zeros({500, 8, 8, 1}, DType::u8);
  const auto y = distorted(x, 1, "strong", step(0)).to_vector<uint8_t>();
  std::vector<int64_t> covered(64);
  for (size_t i = 0; i < y.size(); ++i) covered[i % 64] += y[i] == 127;
  // A pixel in the middle is under the square of 4 x 4 for 16 of the 64 places, one in the corner for fewer.
  EXPECT_NEAR(static_cast<double>(covered[27]), 125, 50);
  for (const size_t corner : {0, 7, 56, 63}) {
    EXPECT_GT(covered[corner], 0);
    EXPECT_LT(covered[corner], covered[27]);
  }
}

}  // namespace
}  // namespace vae::train
