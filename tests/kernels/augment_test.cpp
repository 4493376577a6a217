// Image kernels against the operations one after another, on images laid out in memory.
#include "kernels/augment.h"

#include <gtest/gtest.h>

#include <tuple>

#include "tests/numeric.h"

namespace vae::kernels {
namespace {

using test::distance;

/// One image; pixels from outside are a failure.
struct Picture {
  int64_t height, width, channels;
  std::vector<double> values = std::vector<double>(static_cast<size_t>(height * width * channels));
  double& at(int64_t r, int64_t c, int64_t k) {
    return values.at(static_cast<size_t>((r * width + c) * channels + k));
  }
};

Picture image_of(const Tensor& x, int64_t i) {
  const Tensor one = x.slice(i, i + 1);
  return {x.size(1), x.size(2), x.size(3), to_doubles(one)};
}

template <class Value>
Picture filled(int64_t height, int64_t width, int64_t channels, const Value& value) {
  Picture p{height, width, channels};
  for (int64_t r = 0; r < height; ++r)
    for (int64_t c = 0; c < width; ++c)
      for (int64_t k = 0; k < channels; ++k) p.at(r, c, k) = value(r, c, k);
  return p;
}

/// Mirrored at both ends by adding one pixel at a time.
std::vector<int64_t> reflected_positions(int64_t n, int64_t pad) {
  std::vector<int64_t> positions;
  for (int64_t i = pad; i > 0; --i) positions.push_back(i);
  for (int64_t i = 0; i < n; ++i) positions.push_back(i);
  for (int64_t i = 1; i <= pad; ++i) positions.push_back(n - 1 - i);
  return positions;
}

Tensor sample_images(Shape shape, DType dtype, Device device) {
  return test::sample_tensor(shape, dtype, device, 0, 255.9, 4);
}

constexpr DType kTypes[] = {DType::u8, DType::f32, DType::f64};

TEST(Naive, crop_images) {
  for (const Device device : test::devices())
    for (const DType dtype : kTypes)
      for (const auto& [h, w, c, pad] :
           {std::tuple{1, 1, 1, 0}, {8, 6, 3, 4}, {5, 5, 2, 4}, {32, 32, 3, 4}}) {
        constexpr int64_t n = 7;
        const int64_t out_h = std::max(1, h - 1), out_w = w;
        const Tensor x = sample_images({n, h, w, c}, dtype, device);
        const Tensor corner = Tensor::empty({n, 2}, DType::i64), flip = Tensor::empty({n}, DType::i64);
        random_integers(corner, RandomKey::named(1, "corner"), Tensor::scalar(int64_t{0}), 2 * pad + 1, {});
        random_integers(flip, RandomKey::named(1, "flip"), Tensor::scalar(int64_t{0}), 2, {});
        for (const bool flipped : {false, true}) {
          const Tensor y = Tensor::zeros({n, out_h, out_w, c}, dtype, device);
          crop_images(x, corner.to(device), flipped ? flip.to(device) : Tensor{}, y, pad);
          for (int64_t i = 0; i < n; ++i) {
            Picture image = image_of(x, i);
            const auto rows = reflected_positions(h, pad), columns = reflected_positions(w, pad);
            Picture padded = filled(h + 2 * pad, w + 2 * pad, c, [&](int64_t r, int64_t col, int64_t k) {
              return image.at(rows[static_cast<size_t>(r)], columns[static_cast<size_t>(col)], k);
            });
            if (flipped && to_doubles(flip)[static_cast<size_t>(i)] != 0) {
              Picture straight = padded;
              padded = filled(padded.height, padded.width, c, [&](int64_t r, int64_t col, int64_t k) {
                return straight.at(r, straight.width - 1 - col, k);
              });
            }
            const auto top = corner.to_vector<int64_t>()[static_cast<size_t>(2 * i)],
                       left = corner.to_vector<int64_t>()[static_cast<size_t>(2 * i + 1)];
            const Picture window = filled(out_h, out_w, c, [&](int64_t r, int64_t col, int64_t k) {
              return padded.at(top + r, left + col, k);
            });
            EXPECT_EQ(image_of(y, i).values, window.values) << name_of(dtype) << " image " << i;
          }
        }
      }
}

/// Weights of the sources of every output position, as a matrix [out][in]; for bytes in 22 binary places.
std::vector<std::vector<double>> bilinear_matrix(int64_t in, int64_t out, bool bytes) {
  std::vector<std::vector<double>> matrix;
  for (int64_t i = 0; i < out; ++i) {
    std::vector<double> weights(static_cast<size_t>(in));
    const double at =
        (static_cast<double>(i) + 0.5) * static_cast<double>(in) / static_cast<double>(out) - 0.5;
    const double inside = std::clamp(at, 0.0, static_cast<double>(in - 1));
    for (int64_t j = 0; j < in; ++j)
      weights[static_cast<size_t>(j)] = std::max(0.0, 1 - std::abs(inside - static_cast<double>(j)));
    if (bytes)
      for (double& w : weights) w = std::ldexp(std::round(std::ldexp(w, 22)), -22);
    matrix.push_back(weights);
  }
  return matrix;
}

/// Along rows, rounded to bytes where asked, then along columns.
Picture naive_resize(Picture image, int64_t height, int64_t width, bool bytes) {
  const auto rows = bilinear_matrix(image.height, height, bytes),
             columns = bilinear_matrix(image.width, width, bytes);
  const auto finish = [&](double v) { return bytes ? std::floor(v + 0.5) : v; };
  Picture wide = filled(image.height, width, image.channels, [&](int64_t r, int64_t c, int64_t k) {
    double sum = 0;
    for (int64_t j = 0; j < image.width; ++j)
      sum += columns[static_cast<size_t>(c)][static_cast<size_t>(j)] * image.at(r, j, k);
    return finish(sum);
  });
  return filled(height, width, image.channels, [&](int64_t r, int64_t c, int64_t k) {
    double sum = 0;
    for (int64_t j = 0; j < image.height; ++j)
      sum += rows[static_cast<size_t>(r)][static_cast<size_t>(j)] * wide.at(j, c, k);
    return finish(sum);
  });
}

TEST(Naive, resize_images) {
  for (const Device device : test::devices())
    for (const DType dtype : kTypes)
      for (const auto& [h, w, out_h, out_w, c] : {std::tuple{1, 1, 3, 4, 1},
                                                  {14, 14, 16, 16, 1},
                                                  {9, 11, 20, 33, 3},
                                                  {7, 5, 3, 9, 2},
                                                  {6, 6, 6, 6, 3}}) {
        const Tensor x = sample_images({2, h, w, c}, dtype, device),
                     y = Tensor::zeros({2, out_h, out_w, c}, dtype, device);
        resize_images(x, y);
        for (int64_t i = 0; i < 2; ++i) {
          const Picture expected = naive_resize(image_of(x, i), out_h, out_w, dtype == DType::u8);
          const double tolerance = dtype == DType::f32 ? 3e-7 : dtype == DType::f64 ? 1e-14 : 0;
          EXPECT_LE(distance(image_of(y, i).values, expected.values), tolerance)
              << name_of(dtype) << " " << x.str() << " to " << y.str();
        }
      }
}

TEST(Resize, KeepsConstantsAndTheSameSize) {
  for (const Device device : test::devices())
    for (const DType dtype : kTypes) {
      const Tensor x = Tensor::empty({1, 5, 4, 2}, dtype, device),
                   y = Tensor::empty({1, 13, 3, 2}, dtype, device);
      fill(x, 255);
      resize_images(x, y);
      EXPECT_EQ(to_doubles(y), std::vector<double>(13 * 3 * 2, 255.0)) << name_of(dtype);
      const Tensor varied = sample_images({1, 5, 4, 2}, dtype, device);
      resize_images(varied, x);
      EXPECT_EQ(to_doubles(x), to_doubles(varied)) << name_of(dtype);
    }
}

TEST(Naive, normalize_pixels) {
  for (const Device device : test::devices())
    for (const DType dtype : {DType::f32, DType::f64})
      for (const int64_t n : {0, 1, 31, 33, 257, 1000})
        for (const int64_t channels : {1, 3}) {
          const Tensor x = sample_images({n, channels}, DType::u8, device),
                       y = Tensor::empty({n, channels}, dtype, device);
          const Tensor mean = test::sample_tensor({channels}, dtype, device, 0, 1, 1),
                       deviation = test::sample_tensor({channels}, dtype, device, 0.1, 1, 2);
          for (const bool standardised : {false, true}) {
            normalize_pixels(x, standardised ? mean : Tensor{}, standardised ? deviation : Tensor{}, y);
            std::vector<double> expected = to_doubles(x);
            for (size_t i = 0; i < expected.size(); ++i) {
              const size_t c = i % static_cast<size_t>(channels);
              expected[i] /= 255;
              if (standardised) expected[i] = (expected[i] - to_doubles(mean)[c]) / to_doubles(deviation)[c];
            }
            EXPECT_LE(distance(to_doubles(y), expected),
                      dtype == DType::f32 ? 5e-7 : 1e-15);  // three roundings
          }
        }
}

}  // namespace
}  // namespace vae::kernels
