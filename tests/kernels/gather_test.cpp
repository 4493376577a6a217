// Filling, copying and indexing against plain loops.
#include <gtest/gtest.h>

#include <functional>

#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::kernels {
namespace {

using test::sample_tensor;
using test::tensor_of;

constexpr DType kAll[] = {DType::f32, DType::f64, DType::i32, DType::i64, DType::u8};
constexpr DType kFloating[] = {DType::f32, DType::f64};
constexpr int64_t kLengths[] = {0, 1, 31, 33, 257, 1000};

/// n indices below `limit` in irregular order.
std::vector<double> indices(int64_t n, int64_t limit) {
  std::vector<double> all;
  for (int64_t i = 0; i < n; ++i) all.push_back(static_cast<double>((i * 7 + 3) % limit));
  return all;
}

TEST(Naive, fill) {
  for (const Device device : test::devices())
    for (const DType dtype : kAll)
      for (const int64_t n : kLengths) {
        const Tensor y = Tensor::zeros({n}, dtype, device);
        fill(y, 7);
        EXPECT_EQ(to_doubles(y), std::vector<double>(static_cast<size_t>(n), 7.0));
      }
}

TEST(Naive, cast) {
  for (const Device device : test::devices())
    for (const DType from : kAll)
      for (const DType to : kAll)
        for (const int64_t n : kLengths) {
          const Tensor x = sample_tensor({n}, from, device, 0, 200), y = Tensor::empty({n}, to, device);
          cast(x, y);
          std::vector<double> expected = to_doubles(x);
          if (!is_floating(to))
            for (double& e : expected) e = std::trunc(e);
          EXPECT_EQ(to_doubles(y), expected) << name_of(from) << " to " << name_of(to);
        }
}

TEST(Naive, increment) {
  for (const Device device : test::devices()) {
    const Tensor count = Tensor::scalar(int64_t{41}, device);
    increment(count);
    EXPECT_EQ(count.item(), 42);
  }
}

TEST(Naive, tally) {
  for (const Device device : test::devices())
    for (const DType dtype : {DType::f32, DType::f64})
      for (const size_t n : {0, 1, 3, 150}) {  // more than a launch takes
        const Tensor sums = test::sample_tensor({static_cast<int64_t>(n)}, DType::f64, device),
                     counters[] = {Tensor::scalar(int64_t{41}, device), Tensor::scalar(int64_t{-7}, device)};
        std::vector<Tensor> numbers(n);
        std::vector<double> expected = to_doubles(sums);
        for (size_t i = 0; i < n; ++i) {
          if (i % 3 == 1) continue;
          numbers[i] = test::tensor_of({0.25 * static_cast<double>(i)}, {}, dtype, device);
          expected[i] += 0.25 * static_cast<double>(i);
        }
        tally(numbers, sums, counters);
        EXPECT_EQ(to_doubles(sums), expected) << n << " numbers on " << device.str();
        EXPECT_EQ(counters[0].item(), 42);
        EXPECT_EQ(counters[1].item(), -6);
      }
}

TEST(Naive, gather_rows) {
  for (const Device device : test::devices())
    for (const DType dtype : kAll)
      for (const int64_t rows : kLengths) {
        const Tensor x = sample_tensor({17, 5, 3}, dtype, device, 0, 200);
        const std::vector<double> index = indices(rows, 17), all = to_doubles(x);
        const Tensor y = Tensor::empty({rows, 5, 3}, dtype, device);
        gather_rows(x, tensor_of(index, {rows}, DType::i64, device), y);
        std::vector<double> expected;
        for (const double r : index)
          for (size_t c = 0; c < 15; ++c) expected.push_back(all[static_cast<size_t>(r) * 15 + c]);
        EXPECT_EQ(to_doubles(y), expected);
      }
}

TEST(Naive, gather_pixels) {
  for (const Device device : test::devices())
    for (const DType dtype : kFloating)
      for (const Pixels pixels : {Pixels::unit, Pixels::binary})
        for (const int64_t rows : kLengths) {
          std::vector<double> images(256 * 31);
          for (size_t i = 0; i < images.size(); ++i) images[i] = static_cast<double>((i / 31 + i % 31) % 256);
          const Tensor x = tensor_of(images, {256, 31}, DType::u8, device);
          const Tensor y = Tensor::empty({rows, 31}, dtype, device);
          const std::vector<double> index = indices(rows, 256);
          gather_pixels(x, tensor_of(index, {rows}, DType::i64, device), y, pixels);
          std::vector<double> expected;
          for (const double r : index)
            for (size_t c = 0; c < 31; ++c) {
              const double value = images[static_cast<size_t>(r) * 31 + c];
              expected.push_back(pixels == Pixels::binary ? value >= 128 : value / 255);
            }
          EXPECT_LE(test::distance(to_doubles(y), expected), dtype == DType::f32 ? 1e-7 : 1e-15);
        }
}

TEST(Naive, one_hot) {
  for (const Device device : test::devices())
    for (const DType dtype : kFloating)
      for (const int64_t rows : kLengths)
        for (const int64_t classes : {1, 10, 33}) {
          const std::vector<double> labels = indices(rows, classes);
          const Tensor y = sample_tensor({rows, classes}, dtype, device);
          one_hot(tensor_of(labels, {rows}, DType::i64, device), y);
          std::vector<double> expected(static_cast<size_t>(rows * classes));
          for (size_t r = 0; r < labels.size(); ++r)
            expected[r * static_cast<size_t>(classes) + static_cast<size_t>(labels[r])] = 1;
          EXPECT_EQ(to_doubles(y), expected);
        }
}

TEST(Naive, pick) {
  for (const Device device : test::devices())
    for (const DType dtype : kFloating)
      for (const int64_t rows : kLengths) {
        const std::vector<double> labels = indices(rows, 10);
        const Tensor x = sample_tensor({rows, 10}, dtype, device), y = Tensor::empty({rows}, dtype, device);
        pick(x, tensor_of(labels, {rows}, DType::i64, device), y);
        std::vector<double> expected;
        for (size_t r = 0; r < labels.size(); ++r)
          expected.push_back(to_doubles(x)[r * 10 + static_cast<size_t>(labels[r])]);
        EXPECT_EQ(to_doubles(y), expected);
      }
}

TEST(Naive, pick_bwd) {
  for (const Device device : test::devices())
    for (const DType dtype : kFloating)
      for (const Write write : {Write::set, Write::add})
        for (const int64_t rows : kLengths) {
          const std::vector<double> labels = indices(rows, 10);
          const Tensor dy = sample_tensor({rows}, dtype, device, -2, 2, 1);
          const Tensor dx = sample_tensor({rows, 10}, dtype, device, -2, 2, 2);
          std::vector<double> expected = to_doubles(dx);
          if (write == Write::set) std::fill(expected.begin(), expected.end(), 0.0);
          for (size_t r = 0; r < labels.size(); ++r)
            expected[r * 10 + static_cast<size_t>(labels[r])] += to_doubles(dy)[r];
          pick_bwd(dy, tensor_of(labels, {rows}, DType::i64, device), dx, write);
          EXPECT_LE(test::distance(to_doubles(dx), expected), 1e-7);
        }
}

TEST(Naive, outer_add) {
  for (const Device device : test::devices())
    for (const DType dtype : kFloating)
      for (const int64_t rows : {0, 1, 31, 257})
        for (const int64_t blocks : {1, 10})
          for (const int64_t columns : {1, 33, 1000})
            for (const bool shared : {true, false}) {
              const Tensor a =
                  sample_tensor({shared ? rows : blocks * rows, columns}, dtype, device, -2, 2, 1);
              const Tensor v = sample_tensor({blocks, columns}, dtype, device, -2, 2, 2);
              const Tensor y = Tensor::empty({blocks * rows, columns}, dtype, device);
              outer_add(a, v, y);
              const std::vector<double> av = to_doubles(a), vv = to_doubles(v);
              std::vector<double> expected;
              for (int64_t k = 0; k < blocks; ++k)
                for (int64_t b = 0; b < rows; ++b)
                  for (int64_t c = 0; c < columns; ++c)
                    expected.push_back(av[static_cast<size_t>(((shared ? 0 : k * rows) + b) * columns + c)] +
                                       vv[static_cast<size_t>(k * columns + c)]);
              EXPECT_LE(test::distance(to_doubles(y), expected), 1e-7);
            }
}

TEST(Naive, transpose) {
  for (const Device device : test::devices())
    for (const DType dtype : kAll)
      for (const int64_t m : {0, 1, 31, 257})
        for (const int64_t n : {0, 1, 33, 1000}) {
          const Tensor x = sample_tensor({m, n}, dtype, device, 0, 200),
                       y = Tensor::empty({n, m}, dtype, device);
          transpose(x, y);
          const std::vector<double> values = to_doubles(x);
          std::vector<double> expected(values.size());
          for (int64_t r = 0; r < m; ++r)
            for (int64_t c = 0; c < n; ++c)
              expected[static_cast<size_t>(c * m + r)] = values[static_cast<size_t>(r * n + c)];
          EXPECT_EQ(to_doubles(y), expected);
        }
}

TEST(Indices, OutOfRangeIsAnErrorThatNamesKernelAndIndex) {
  // On the host alone: a device cannot report it at the call.
  const Tensor x = sample_tensor({4, 3}, DType::f32), y = Tensor::zeros({1, 3}), v = Tensor::zeros({1});
  const Tensor pixels = Tensor::zeros({4, 3}, DType::u8), row = sample_tensor({1, 3}, DType::f32);
  for (const int64_t bad : {int64_t{-1}, int64_t{4}, int64_t{1} << 62, INT64_MIN}) {
    const Tensor index = Tensor::from(std::vector<int64_t>{bad}, {1});
    const auto expect = [&](const std::string& kernel, const std::function<void()>& call) {
      test::expect_error(ErrorKind::internal, fmt::format("{}: index {} outside [0, ", kernel, bad), call);
    };
    expect("gather_rows", [&] { gather_rows(x, index, y); });
    expect("gather_pixels", [&] { gather_pixels(pixels, index, y, Pixels::unit); });
    expect("one_hot", [&] { one_hot(index, y); });
    expect("pick", [&] { pick(row, index, v); });
    expect("pick_bwd", [&] { pick_bwd(v, index, row, Write::set); });
  }
}

}  // namespace
}  // namespace vae::kernels
