// Strong augmentation against its operations on small pictures, one by one.
#include "kernels/strong_augment.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/numeric.h"

namespace vae::kernels::strong_augment_test {

using Bytes = std::vector<uint8_t>;
using D = Distortion;

constexpr int64_t kMiddle = kLevels / 2, kLast = kLevels - 1;

Tensor numbers(const std::vector<int64_t>& values, int64_t images, Device device) {
  return Tensor::from(values, {images, static_cast<int64_t>(values.size()) / images}, device);
}

Bytes augmented(const Tensor& x, const std::vector<int64_t>& operations, const std::vector<int64_t>& levels,
                const std::vector<int64_t>& centres = {}) {
  const Device device = x.device();
  const Tensor y = Tensor::zeros(x.shape(), DType::u8, device);
  strong_augment(x, numbers(operations, x.size(0), device), numbers(levels, x.size(0), device),
                 centres.empty() ? Tensor{} : numbers(centres, x.size(0), device), y);
  return y.to_vector<uint8_t>();
}

/// One picture after one operation, the same on all devices.
Bytes after(D operation, int64_t level, const Bytes& picture, Shape shape) {
  Bytes result;
  for (const Device device : test::devices()) {
    const Bytes y = augmented(Tensor::from(picture, {1, shape[0], shape[1], shape[2]}, device),
                              {static_cast<int64_t>(operation)}, {level});
    if (result.empty()) result = y;
    EXPECT_EQ(y, result) << device.str();
  }
  return result;
}

Tensor sample_pictures(Shape shape, Device device, uint64_t stream = 4) {
  return test::sample_tensor(shape, DType::u8, device, 0, 255.99, stream);
}

// ---- a plain version, in floating point, by the definitions

struct Picture {
  int64_t height, width, channels;
  std::vector<double> values;
  double at(int64_t r, int64_t c, int64_t k) const {
    return values.at(static_cast<size_t>((r * width + c) * channels + k));
  }
  bool has(int64_t r, int64_t c) const { return r >= 0 && r < height && c >= 0 && c < width; }
};

double grey(const Picture& p, int64_t r, int64_t c) {
  if (p.channels == 3) return 0.299 * p.at(r, c, 0) + 0.587 * p.at(r, c, 1) + 0.114 * p.at(r, c, 2);
  double sum = 0;
  for (int64_t k = 0; k < p.channels; ++k) sum += p.at(r, c, k);
  return sum / static_cast<double>(p.channels);
}

std::vector<double> sorted_channel(const Picture& p, int64_t k) {
  std::vector<double> values;
  for (size_t i = static_cast<size_t>(k); i < p.values.size(); i += static_cast<size_t>(p.channels))
    values.push_back(p.values[i]);
  std::sort(values.begin(), values.end());
  return values;
}

/// What may stand at a place: one value, or several where rounding decides which pixel is the nearest.
std::vector<double> plain(D operation, int64_t level, const Picture& p, int64_t r, int64_t c, int64_t k) {
  const double share = 0.05 + 0.9 * static_cast<double>(level) / 65536, value = p.at(r, c, k),
               swing = 2 * static_cast<double>(level) / 65535 - 1;
  const auto towards = [&](double other) { return std::vector{other + share * (value - other)}; };
  const auto moved = [&](double xx, double xy, double yx, double yy, double x, double y) {
    const double right = static_cast<double>(c) + 0.5 - static_cast<double>(p.width) / 2,
                 down = static_cast<double>(r) + 0.5 - static_cast<double>(p.height) / 2;
    std::vector<double> candidates;
    for (const double dx : {-1e-3, 1e-3})
      for (const double dy : {-1e-3, 1e-3}) {
        const auto column = static_cast<int64_t>(
                       std::floor(xx * right + xy * down + x + static_cast<double>(p.width) / 2 + dx)),
                   row = static_cast<int64_t>(
                       std::floor(yx * right + yy * down + y + static_cast<double>(p.height) / 2 + dy));
        candidates.push_back(p.has(row, column) ? p.at(row, column, k) : 0);
      }
    return candidates;
  };
  switch (operation) {
    case D::identity:
      return {value};
    case D::autocontrast: {
      const auto values = sorted_channel(p, k);
      const double low = values.front(), high = values.back();
      return {high > low ? std::floor((value - low) * 255 / (high - low)) : value};
    }
    case D::brightness:
      return towards(0);
    case D::color:
      return towards(grey(p, r, c));
    case D::contrast: {
      double sum = 0;
      for (int64_t row = 0; row < p.height; ++row)
        for (int64_t column = 0; column < p.width; ++column) sum += grey(p, row, column);
      return towards(sum / static_cast<double>(p.height * p.width));
    }
    case D::equalize: {
      const auto values = sorted_channel(p, k);
      const auto count = std::count(values.begin(), values.end(), values.back());
      const auto step = (static_cast<int64_t>(values.size()) - count) / 255;
      if (step == 0) return {value};
      const auto below = std::lower_bound(values.begin(), values.end(), value) - values.begin();
      return {static_cast<double>(std::min<int64_t>(255, (step / 2 + below) / step))};
    }
    case D::posterize: {
      const double unit = std::exp2(8 - (4 + level * 5 / 65536));
      return {std::floor(value / unit) * unit};
    }
    case D::rotate: {
      const double angle = swing * M_PI / 6;
      return moved(std::cos(angle), std::sin(angle), -std::sin(angle), std::cos(angle), 0, 0);
    }
    case D::sharpness: {
      if (!p.has(r - 1, c - 1) || !p.has(r + 1, c + 1)) return {value};
      double sum = 4 * value;
      for (const int64_t dr : {-1, 0, 1})
        for (const int64_t dc : {-1, 0, 1}) sum += p.at(r + dr, c + dc, k);
      return towards(sum / 13);
    }
    case D::shear_x:
      return moved(1, 0.3 * swing, 0, 1, 0, 0);
    case D::shear_y:
      return moved(1, 0, 0.3 * swing, 1, 0, 0);
    case D::solarize:
      return {value < static_cast<double>(level * 257 / 65536) ? value : 255 - value};
    case D::translate_x:
      return moved(1, 0, 0, 1, 0.3 * swing * static_cast<double>(p.width), 0);
    case D::translate_y:
      return moved(1, 0, 0, 1, 0, 0.3 * swing * static_cast<double>(p.height));
  }
  return {};
}

TEST(Naive, strong_augment) {
  for (const Device device : test::devices())
    for (const Shape shape : {Shape{1, 1, 1, 1}, {1, 8, 6, 3}, {1, 33, 31, 3}, {1, 24, 25, 4}, {1, 5, 7, 2}})
      for (int64_t operation = 0; operation < kDistortions; ++operation)
        for (const int64_t level : {int64_t{0}, int64_t{9000}, kMiddle, int64_t{50001}, kLast}) {
          const Tensor x = sample_pictures(shape, device);
          const Picture p{shape[1], shape[2], shape[3], to_doubles(x)};
          const Bytes y = augmented(x, {operation}, {level});
          for (size_t i = 0; i < y.size(); ++i) {
            const auto at = static_cast<int64_t>(i);
            const auto expected = plain(static_cast<D>(operation), level, p, at / shape[3] / shape[2],
                                        at / shape[3] % shape[2], at % shape[3]);
            double error = 255;
            for (const double e : expected) error = std::min(error, std::abs(e - static_cast<double>(y[i])));
            // Blending rounds three times at most: the other picture, the share, the result.
            ASSERT_LE(error, 1.01) << device.str() << " operation " << operation << " level " << level
                                   << " value " << i << " of " << x.str();
          }
        }
}

// ---- each operation on pictures small enough to see

const Bytes kRamp{0, 50, 100, 127, 128, 200, 254, 255};  // 1 x 8

TEST(StrongAugment, Values) {
  const Shape row{1, 8, 1};
  EXPECT_EQ(after(D::identity, 7, kRamp, row), kRamp);
  EXPECT_EQ(after(D::brightness, 0, kRamp, row), (Bytes{0, 2, 5, 6, 6, 10, 13, 13}));
  EXPECT_EQ(after(D::brightness, kMiddle, kRamp, row), (Bytes{0, 25, 50, 64, 64, 100, 127, 128}));
  EXPECT_EQ(after(D::solarize, 0, kRamp, row), (Bytes{255, 205, 155, 128, 127, 55, 1, 0}));
  EXPECT_EQ(after(D::solarize, kMiddle, kRamp, row), (Bytes{0, 50, 100, 127, 127, 55, 1, 0}));  // from 128 on
  EXPECT_EQ(after(D::solarize, kLast, kRamp, row), kRamp);
  EXPECT_EQ(after(D::posterize, 0, kRamp, row), (Bytes{0, 48, 96, 112, 128, 192, 240, 240}));
  EXPECT_EQ(after(D::posterize, kLast, kRamp, row), kRamp);
  EXPECT_EQ(after(D::autocontrast, 0, {100, 110, 120, 150}, {2, 2, 1}), (Bytes{0, 51, 102, 255}));
  EXPECT_EQ(after(D::autocontrast, 0, {9, 9, 9, 9}, {2, 2, 1}), (Bytes{9, 9, 9, 9}));
}

TEST(StrongAugment, ChannelsAreStretchedEachByItself) {
  EXPECT_EQ(after(D::autocontrast, 0, {0, 10, 7, 255, 20, 7}, {1, 2, 3}), (Bytes{0, 0, 7, 255, 255, 7}));
}

TEST(StrongAugment, ColorGoesTowardsTheGreyOfThePixelContrastTowardsTheMean) {
  const Bytes red{255, 0, 0, 90, 90, 90};  // grey of red: 76
  EXPECT_EQ(after(D::color, kMiddle, red, {1, 2, 3}), (Bytes{166, 38, 38, 90, 90, 90}));
  EXPECT_EQ(after(D::contrast, kMiddle, {0, 200}, {1, 2, 1}), (Bytes{50, 150}));
  EXPECT_EQ(after(D::contrast, kMiddle, red, {1, 2, 3}), (Bytes{169, 42, 42, 87, 87, 87}));  // mean 83
}

TEST(StrongAugment, EqualizedValuesOccurEquallyOften) {
  Bytes dark, expected;  // each of 52 values 5 times
  for (int i = 0; i < 260; ++i)
    dark.push_back(static_cast<uint8_t>(10 + i % 52)), expected.push_back(static_cast<uint8_t>(i % 52 * 5));
  EXPECT_EQ(after(D::equalize, 0, dark, {20, 13, 1}), expected);
  EXPECT_EQ(after(D::equalize, 0, {3, 3, 3, 3}, {2, 2, 1}), (Bytes{3, 3, 3, 3}));
}

TEST(StrongAugment, SharpnessBlursAllButTheBorder) {
  Bytes dot(25);
  dot[12] = 130;
  Bytes expected(25);
  for (const size_t i : {6, 7, 8, 11, 13, 16, 17, 18}) expected[i] = 5;  // half of 130 / 13
  expected[12] = 90;
  EXPECT_EQ(after(D::sharpness, kMiddle, dot, {5, 5, 1}), expected);
  dot[12] = 0, dot[0] = 130;  // in the corner
  expected.assign(25, 0), expected[0] = 130, expected[6] = 5;
  EXPECT_EQ(after(D::sharpness, kMiddle, dot, {5, 5, 1}), expected);
}

Bytes numbered(int64_t count) {
  Bytes bytes;
  for (int64_t i = 1; i <= count; ++i) bytes.push_back(static_cast<uint8_t>(i));
  return bytes;
}

TEST(StrongAugment, MovesInTheMiddleOfTheirRangesAreNone) {
  const Bytes picture = numbered(10 * 9 * 2);
  for (const D move : {D::rotate, D::shear_x, D::shear_y, D::translate_x, D::translate_y})
    EXPECT_EQ(after(move, kMiddle, picture, {10, 9, 2}), picture);
}

TEST(StrongAugment, Translates) {
  const Shape row{1, 10, 1}, column{10, 1, 1};
  for (const auto& [move, shape] : {std::pair{D::translate_x, row}, {D::translate_y, column}}) {
    EXPECT_EQ(after(move, kLast, numbered(10), shape), (Bytes{4, 5, 6, 7, 8, 9, 10, 0, 0, 0}));
    EXPECT_EQ(after(move, 0, numbered(10), shape), (Bytes{0, 0, 0, 1, 2, 3, 4, 5, 6, 7}));
    EXPECT_EQ(after(move, kLevels * 4 / 6, numbered(10), shape), (Bytes{2, 3, 4, 5, 6, 7, 8, 9, 10, 0}));
  }
}

TEST(StrongAugment, ShearsAroundTheMiddle) {
  // Rows 3 above and below the middle move by 0.3 * 3 pixels, so by one; those beside it by none.
  const Bytes y = after(D::shear_x, kLast, numbered(7 * 7), {7, 7, 1}),
              x = after(D::shear_y, kLast, numbered(7 * 7), {7, 7, 1});
  EXPECT_EQ((Bytes{y.begin(), y.begin() + 7}), (Bytes{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ((Bytes{y.begin() + 21, y.begin() + 28}), (Bytes{22, 23, 24, 25, 26, 27, 28}));
  EXPECT_EQ((Bytes{y.begin() + 42, y.end()}), (Bytes{44, 45, 46, 47, 48, 49, 0}));
  for (size_t r = 0; r < 7; ++r) EXPECT_EQ(x[7 * r + 3], 7 * r + 4) << "the middle column stays";
  EXPECT_EQ((Bytes{x[0], x[7], x[6], x[48]}), (Bytes{0, 1, 14, 0}));
}

TEST(StrongAugment, RotatesAroundTheMiddle) {
  // A point 10 pixels right of the middle, turned by 30 degrees: 8.66 right and 5 down or up.
  Bytes picture(31 * 31);
  const auto at = [](int64_t r, int64_t c) { return static_cast<size_t>(r * 31 + c); };
  for (const int64_t r : {14, 15, 16})
    for (const int64_t c : {24, 25, 26}) picture[at(r, c)] = 200;
  picture[at(15, 15)] = 100;
  const Bytes clockwise = after(D::rotate, kLast, picture, {31, 31, 1}),
              back = after(D::rotate, 0, picture, {31, 31, 1});
  const auto seen = [&](const Bytes& y) { return Bytes{y[at(15, 15)], y[at(10, 24)], y[at(20, 24)]}; };
  EXPECT_EQ(seen(clockwise), (Bytes{100, 0, 200}));
  EXPECT_EQ(seen(back), (Bytes{100, 200, 0}));
}

// ---- several, and the square

TEST(StrongAugment, OneOperationAfterTheOther) {
  const Shape shape{3, 8, 6, 3};
  for (const Device device : test::devices()) {
    const Tensor x = sample_pictures(shape, device);
    const std::vector<int64_t> first{2, 9, 1}, second{11, 5, 8}, third{7, 0, 4}, levels{300, 60000, 1234};
    std::vector<int64_t> all, all_levels;
    for (size_t i = 0; i < 3; ++i)
      for (const auto* operation : {&first, &second, &third})
        all.push_back((*operation)[i]), all_levels.push_back(levels[i]);
    Bytes step = augmented(x, first, levels);
    for (const auto* operation : {&second, &third})
      step = augmented(Tensor::from(step, shape, device), *operation, levels);
    EXPECT_EQ(augmented(x, all, all_levels), step) << device.str();
  }
}

TEST(StrongAugment, TheSquareIsGreyAndCutAtTheBorder) {
  for (const Device device : test::devices()) {
    const Tensor x = Tensor::from(Bytes(8 * 10, 7), {1, 8, 10, 1}, device);
    const auto grey = [&](int64_t row, int64_t column) {  // the pixels of the square, around a pixel
      const Bytes y =
          augmented(x, {0}, {0}, {(row * kLevels + kLevels / 2) / 8, (column * kLevels + kLevels / 2) / 10});
      std::vector<int64_t> places;
      for (size_t i = 0; i < y.size(); ++i) {
        EXPECT_TRUE(y[i] == 7 || y[i] == 127);
        if (y[i] == 127) places.push_back(static_cast<int64_t>(i));
      }
      return places;
    };
    EXPECT_EQ(grey(2, 2), (std::vector<int64_t>{0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23, 30, 31, 32, 33}));
    EXPECT_EQ(grey(0, 0), (std::vector<int64_t>{0, 1, 10, 11}));
    EXPECT_EQ(grey(7, 9), (std::vector<int64_t>{57, 58, 59, 67, 68, 69, 77, 78, 79}));
  }
}

TEST(StrongAugment, OnDevicesImagesWithNumbersOutOfRangeAreBlack) {
  for (const Device device : test::devices()) {
    if (device.is_cpu()) continue;
    const Tensor x = Tensor::from(Bytes(3 * 4, 7), {3, 2, 2, 1}, device);
    for (const int64_t bad : {int64_t{-1}, kLevels}) {
      EXPECT_EQ(augmented(x, {0, bad, 0}, {0, 0, 0}), (Bytes{7, 7, 7, 7, 0, 0, 0, 0, 7, 7, 7, 7}));
      EXPECT_EQ(augmented(x, {0, 11, 0, 11, 0, 11}, {0, kLast, 0, bad, 0, kLast}),
                (Bytes{7, 7, 7, 7, 0, 0, 0, 0, 7, 7, 7, 7}));
      EXPECT_EQ(augmented(x, {0, 0, 0}, {0, 0, 0}, {0, 0, 0, bad, kLast, 0}),
                (Bytes{127, 7, 7, 7, 0, 0, 0, 0, 7, 7, 127, 7}));
    }
  }
}

}  // namespace vae::kernels::strong_augment_test
