// Pictures of a code and a class: which image stands where.
#include <gtest/gtest.h>

#include "models/shot_vae/pictures.h"
#include "tests/models/few.h"

namespace vae::shot_vae {
namespace {

constexpr int64_t kSide = 2;

/// Images of one grey value each: image i has 10 i, and this label.
train::ImageSet images_of(const std::vector<int64_t>& labels) {
  std::vector<uint8_t> pixels;
  for (size_t i = 0; i < labels.size(); ++i)
    pixels.insert(pixels.end(), kSide * kSide, static_cast<uint8_t>(10 * i));
  const int64_t n = std::ssize(labels);
  return {Tensor::from(pixels, {n, kSide, kSide, 1}), train::items_of(labels, kCpu), train::Inputs::binary};
}

/// Grey value 10 i + k for the code of image i and class k; images are of class 0.
PictureSource source_of(const train::ImageSet& test, int64_t classes) {
  return {test, classes, 1,
          [classes](const Tensor& items) {
            std::vector<double> z;
            for (const int64_t i : items.to_vector<int64_t>()) z.push_back(static_cast<double>(i));
            const Tensor zero = Tensor::zeros({items.numel()}, DType::i64);
            return PictureSource::Code{test::tensor_of(z, {items.numel(), 1}, DType::f32),
                                       train::one_hot(zero, classes, DType::f32)};
          },
          [](const PictureSource::Code& code) {
            const std::vector<double> z = to_doubles(code.z), y = to_doubles(code.y);
            const auto rows = z.size(), classes = y.size() / rows;
            std::vector<double> pixels;
            for (size_t r = 0; r < rows; ++r) {
              double k = 0;
              for (size_t c = 0; c < classes; ++c) k += static_cast<double>(c) * y[r * classes + c];
              pixels.insert(pixels.end(), kSide * kSide, (10 * z[r] + k) / 255);
            }
            return test::tensor_of(pixels, {static_cast<int64_t>(rows), kSide * kSide}, DType::f32);
          }};
}

constexpr int kScale = 3, kPadding = 2, kTile = kScale * (kSide + kPadding);

/// The tiles of a grid by their upper left pixels; a gap of 2 kPadding follows so many rows.
std::vector<std::vector<int>> tiles_of(const report::Image& image, int rows_together = 1 << 20) {
  std::vector<std::vector<int>> tiles;
  const auto top = [&] {
    const int row = static_cast<int>(std::ssize(tiles));
    return kScale * kPadding + row * kTile + row / rows_together * 2 * kScale * kPadding;
  };
  while (top() < image.height) {
    std::vector<int> row;
    for (int x = kScale * kPadding; x < image.width; x += kTile)
      row.push_back(image.pixels[static_cast<size_t>(top() * image.width + x)]);
    tiles.push_back(row);
  }
  return tiles;
}

train::Step step() { return {3, Tensor::scalar(int64_t{5})}; }

TEST(ShotVaePictures, ReconstructionsStandBelowTheirImages) {
  for (const int64_t count : {1, 7, 10, 13, 24}) {
    SCOPED_TRACE(count);
    const train::ImageSet test = images_of(std::vector<int64_t>(static_cast<size_t>(count)));
    const auto tiles = tiles_of(reconstructions(source_of(test, 3), step()), 2);
    ASSERT_EQ(std::ssize(tiles), 2 * ((count + 9) / 10));
    std::vector<int> shown;
    for (size_t row = 0; row < tiles.size(); row += 2)
      for (size_t column = 0; column < tiles[row].size(); ++column) {
        EXPECT_EQ(tiles[row][column], tiles[row + 1][column]);
        if (std::ssize(shown) < count) shown.push_back(tiles[row][column]);
      }
    std::ranges::sort(shown);
    for (int64_t i = 0; i < count; ++i) EXPECT_EQ(shown[static_cast<size_t>(i)], 10 * i);
  }
}

TEST(ShotVaePictures, SamplesHaveARowForEachClass) {
  const train::ImageSet test = images_of({0});
  for (const int64_t classes : {2, 12, 40}) {
    SCOPED_TRACE(classes);
    PictureSource source = source_of(test, classes);
    source.decode = [inner = source.decode](const PictureSource::Code& code) {
      return inner({Tensor::zeros(code.z.shape()), code.y});
    };
    const auto tiles = tiles_of(samples(source, step()));
    ASSERT_EQ(std::ssize(tiles), std::min<int64_t>(classes, 30));
    for (size_t k = 0; k < tiles.size(); ++k) EXPECT_EQ(tiles[k], std::vector<int>(10, static_cast<int>(k)));
  }
  PictureSource source = source_of(test, 3);
  std::vector<double> z;
  source.decode = [&](const PictureSource::Code& code) {
    z = to_doubles(code.z);
    return Tensor::zeros({code.z.size(0), kSide * kSide});
  };
  samples(source, step());
  std::ranges::sort(z);
  EXPECT_EQ(z.size(), 30u);
  EXPECT_EQ(std::ranges::adjacent_find(z), z.end()) << "each has a code of its own";
}

/// A row: an image, a gap, its code under all classes.
std::vector<int> swapped(int image, int classes) {
  std::vector<int> row{10 * image, 255};
  for (int k = 0; k < classes; ++k) row.push_back(10 * image + k);
  return row;
}

TEST(ShotVaePictures, SwapsHaveTheFirstImageOfEachClass) {
  const auto rows = [](const std::vector<int64_t>& labels, int64_t classes) {
    const train::ImageSet test = images_of(labels);
    return tiles_of(swaps(source_of(test, classes)));
  };
  using Rows = std::vector<std::vector<int>>;
  EXPECT_EQ(rows({1, 0, 1, 2}, 3), (Rows{swapped(1, 3), swapped(0, 3), swapped(3, 3)}));
  EXPECT_EQ(rows({1, 1, 2}, 3), (Rows{swapped(0, 3), swapped(2, 3)})) << "no image of class 0";
  EXPECT_EQ(rows({1}, 2), (Rows{swapped(0, 2)}));
  std::vector<int64_t> labels;
  for (int64_t k = 0; k < 12; ++k) labels.push_back(11 - k);
  const auto twelve = rows(labels, 12);
  ASSERT_EQ(twelve.size(), 12u);
  for (int k = 0; k < 12; ++k) EXPECT_EQ(twelve[static_cast<size_t>(k)], swapped(11 - k, 12));
}

TEST(ShotVaePictures, AllAreMadeForAReport) {
  report::Summary summary;
  const train::ImageSet test = images_of({0, 1});
  add_pictures(summary, source_of(test, 2), step());
  std::vector<std::string> names;
  for (const report::NamedPicture& picture : summary.pictures) {
    names.push_back(picture.name);
    picture.make();
  }
  EXPECT_EQ(names, (std::vector<std::string>{"reconstructions", "samples", "swaps"}));
}

}  // namespace
}  // namespace vae::shot_vae
