// Reductions and the softmax family against plain loops.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/numeric.h"

namespace vae::kernels::reduce_test {

using test::distance;
using test::sample_tensor;

constexpr DType kFloating[] = {DType::f32, DType::f64};

double tolerance_of(DType dtype) { return dtype == DType::f32 ? 1e-6 : 1e-14; }

std::vector<double> naive_sum(const std::vector<double>& x, Axis axis, double scale) {
  std::vector<double> y(static_cast<size_t>(axis.outer * axis.inner));
  for (int64_t o = 0; o < axis.outer; ++o)
    for (int64_t k = 0; k < axis.count; ++k)
      for (int64_t i = 0; i < axis.inner; ++i)
        y[static_cast<size_t>(o * axis.inner + i)] +=
            scale * x[static_cast<size_t>((o * axis.count + k) * axis.inner + i)];
  return y;
}

TEST(Naive, sum) {
  const Axis axes[] = {Axis::all(0),
                       Axis::all(1),
                       Axis::all(33),
                       Axis::all(1000),
                       Axis::all(100000),
                       Axis::rows(0, 7),
                       Axis::rows(31, 257),
                       Axis::rows(1000, 1),
                       Axis::rows(257, 65),
                       Axis::columns(0, 7),
                       Axis::columns(257, 31),
                       Axis::columns(5, 0),
                       Axis::columns(1, 1000),
                       Axis::columns(65, 1),
                       Axis::columns(64, 3),
                       Axis::columns(200, 15),
                       Axis::columns(63, 17),
                       Axis::columns(65, 64),
                       Axis::columns(3, 65),
                       Axis::rows(9000, 3),
                       {2, 8193, 2},
                       {3, 33, 5},
                       {10, 31, 257},
                       {2, 0, 3},
                       {0, 3, 3},
                       {257, 1, 1}};
  for (const Device device : test::devices())
    for (const DType from : kFloating)
      for (const DType to : kFloating)
        for (const Axis& axis : axes)
          for (const Write write : {Write::set, Write::add}) {
            if (from == DType::f64 && to == DType::f32) continue;  // not offered
            const Tensor x = sample_tensor({axis.outer * axis.count * axis.inner}, from, device, -1, 2, 1);
            const Tensor y = sample_tensor({axis.outer * axis.inner}, to, device, -2, 2, 2);
            std::vector<double> expected = naive_sum(to_doubles(x), axis, -0.25);
            const std::vector<double> before = to_doubles(y);
            if (write == Write::add)
              for (size_t i = 0; i < before.size(); ++i) expected[i] += before[i];
            sum(x, y, axis, -0.25, write);
            EXPECT_LE(distance(to_doubles(y), expected), tolerance_of(from))
                << axis.outer << " x " << axis.count << " x " << axis.inner << " " << name_of(from) << " to "
                << name_of(to) << " on " << device.str();
          }
}

TEST(Naive, sum_bwd) {
  const Axis axes[] = {Axis::all(0),     Axis::all(33),       Axis::rows(31, 257),    Axis::rows(1000, 1),
                       Axis::rows(0, 7), Axis::columns(0, 7), Axis::columns(257, 31), Axis::columns(5, 0),
                       {3, 33, 5},       {10, 31, 257}};
  for (const Device device : test::devices())
    for (const DType dtype : kFloating)
      for (const Axis& axis : axes)
        for (const Write write : {Write::set, Write::add}) {
          const Tensor dy = sample_tensor({axis.outer, axis.inner}, dtype, device, -1, 2, 1);
          const Tensor dx = sample_tensor({axis.outer, axis.count, axis.inner}, dtype, device, -2, 2, 2);
          std::vector<double> expected = to_doubles(dx);
          if (write == Write::set) std::fill(expected.begin(), expected.end(), 0.0);
          for (int64_t o = 0; o < axis.outer; ++o)
            for (int64_t k = 0; k < axis.count; ++k)
              for (int64_t i = 0; i < axis.inner; ++i)
                expected[static_cast<size_t>((o * axis.count + k) * axis.inner + i)] +=
                    -0.25 * to_doubles(dy)[static_cast<size_t>(o * axis.inner + i)];
          sum_bwd(dy, dx, axis, -0.25, write);
          EXPECT_LE(distance(to_doubles(dx), expected), tolerance_of(dtype))
              << axis.outer << " x " << axis.count << " x " << axis.inner << " on " << device.str();
        }
}

/// Positions of a row in descending order of value, NaN counting as -inf, of equals the first in front.
std::vector<int64_t> sorted(const double* row, int64_t n) {
  std::vector<int64_t> order(static_cast<size_t>(n));
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
  const auto key = [row](int64_t i) { return std::isnan(row[i]) ? -HUGE_VAL : row[i]; };
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return key(a) > key(b); });
  return order;
}

/// Equal, NaN to NaN.
bool same_numbers(const std::vector<double>& a, const std::vector<double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); });
}

TEST(Naive, top_k) {
  for (const Device device : test::devices())
    for (const DType dtype : kFloating)
      for (const int64_t rows : {0, 1, 31, 65})
        for (const int64_t n : {1, 2, 17, 33, 64, 65, 3000})
          for (const int64_t k : {1, 5, 33, 64}) {
            if (k > n) continue;
            std::vector<double> x(static_cast<size_t>(rows * n));
            for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i * 7919 % 13);  // many ties
            if (rows && n > 2) x[0] = std::nan(""), x[1] = -HUGE_VAL, x[2] = HUGE_VAL;
            if (rows > 1 && n > 2)
              std::fill_n(x.begin() + n, n, -HUGE_VAL), x[static_cast<size_t>(n)] = std::nan("");
            const Tensor values = Tensor::empty({rows, k}, dtype, device),
                         index = Tensor::empty({rows, k}, DType::i64, device);
            top_k(test::tensor_of(x, {rows, n}, dtype, device), values, index);
            std::vector<double> expected, expected_index;
            for (int64_t r = 0; r < rows; ++r) {
              const std::vector<int64_t> order = sorted(x.data() + r * n, n);
              for (int64_t j = 0; j < k; ++j) {
                expected_index.push_back(static_cast<double>(order[static_cast<size_t>(j)]));
                expected.push_back(x[static_cast<size_t>(r * n + order[static_cast<size_t>(j)])]);
              }
            }
            EXPECT_EQ(to_doubles(index), expected_index) << rows << " x " << n << ", " << k << " of them";
            EXPECT_TRUE(same_numbers(to_doubles(values), expected));
          }
}

TEST(Reduce, SumsOfManyNumbersKeepTheirDigits) {
  // 2^24 ones: summed one by one in f32 they would stop growing; 10^7 times 0.1 would be off by percents.
  for (const Device device : test::devices()) {
    const Tensor x = Tensor::empty({(1 << 24) + 4097}, DType::f32, device);
    const Tensor y = Tensor::empty({}, DType::f32, device), squares = Tensor::empty({}, DType::f64, device);
    fill(x, 0.1);
    sum(x, y, Axis::all(x.numel()), 1, Write::set);
    const double exact = static_cast<double>(x.numel()) * static_cast<double>(0.1f);
    // At most 256 equal terms are summed in f32, each rounded by 3e-8 in the same direction.
    EXPECT_LE(std::abs(y.item() / exact - 1), 8e-6);
    sum_squares(x, squares);
    EXPECT_LE(std::abs(squares.item() / (exact * static_cast<double>(0.1f)) - 1), 8e-6);
  }
}

TEST(Naive, column_sums) {
  for (const Device device : test::devices())
    for (const DType dtype : kFloating) {
      std::vector<ColumnSum> sums;
      std::vector<std::vector<double>> expected;
      for (int i = 0; i < 20; ++i) {  // more than a launch takes, some of them taller than a part
        const int64_t m = (i % 5) * (i % 5) * 71, n = 1 + i * 7;
        const auto stream = static_cast<uint64_t>(2 * i);
        const Tensor x = sample_tensor({m, n}, dtype, device, -1, 1, stream);
        const Tensor y = sample_tensor({n}, dtype, device, -1, 1, stream + 1);
        sums.push_back({x, y, i % 3 ? Write::set : Write::add});
        std::vector<double>& e = expected.emplace_back(to_doubles(y));
        if (sums.back().write == Write::set) std::ranges::fill(e, 0);
        const std::vector<double> values = to_doubles(x);
        for (size_t j = 0; j < values.size(); ++j) e[j % e.size()] += values[j];
      }
      column_sums(sums);
      for (size_t i = 0; i < sums.size(); ++i)
        EXPECT_LE(distance(to_doubles(sums[i].y), expected[i]), tolerance_of(dtype))
            << sums[i].x.str() << " into " << sums[i].y.str();
    }
}

TEST(Naive, sum_squares) {
  for (const Device device : test::devices())
    for (const DType dtype : kFloating)
      for (const int64_t n : {0, 1, 31, 33, 257, 1000, 100000}) {
        const Tensor x = sample_tensor({n}, dtype, device), y = Tensor::empty({}, DType::f64, device);
        sum_squares(x, y);
        long double expected = 0;
        for (const double v : to_doubles(x)) expected += v * v;
        EXPECT_LE(distance(to_doubles(y), {static_cast<double>(expected)}), tolerance_of(dtype));
      }
}

TEST(Naive, argmax) {
  for (const Device device : test::devices())
    for (const DType dtype : kFloating)
      for (const int64_t rows : {0, 1, 33, 64, 65, 200})
        for (const int64_t n : {1, 2, 3, 10, 15, 16, 17, 31, 64, 65, 257, 1000}) {
          std::vector<double> values = test::sample(rows * n, -3, 3);
          for (double& v : values) v = std::round(v);  // many equals
          if (rows > 1 && n > 1)
            values[0] = values[static_cast<size_t>(n) + 1] = std::nan("");  // first and later
          const Tensor y = Tensor::empty({rows}, DType::i64, device);
          argmax(test::tensor_of(values, {rows, n}, dtype, device), y);
          std::vector<double> expected;
          for (int64_t r = 0; r < rows; ++r) {
            int64_t best = 0;
            for (int64_t c = 1; c < n; ++c)
              if (values[static_cast<size_t>(r * n + c)] > values[static_cast<size_t>(r * n + best)])
                best = c;
            expected.push_back(static_cast<double>(best));
          }
          EXPECT_EQ(to_doubles(y), expected);
        }
}

struct Rows {
  int64_t rows, n;
};
constexpr Rows kRows[] = {{0, 10},  {5, 0},   {1, 1},    {65, 1}, {31, 10}, {200, 10}, {64, 15}, {63, 16},
                          {65, 17}, {33, 31}, {129, 33}, {3, 64}, {2, 65},  {33, 257}, {2, 1000}};

/// Softmax of each row and its logarithm.
std::vector<double> naive_softmax(const std::vector<double>& x, int64_t n, bool logarithm) {
  std::vector<double> y;
  for (size_t begin = 0; begin < x.size(); begin += static_cast<size_t>(n)) {
    double total = 0;
    for (size_t c = 0; c < static_cast<size_t>(n); ++c) total += std::exp(x[begin + c]);
    for (size_t c = 0; c < static_cast<size_t>(n); ++c)
      y.push_back(logarithm ? x[begin + c] - std::log(total) : std::exp(x[begin + c]) / total);
  }
  return y;
}

void check_forward(const Kernel<In, Out>& kernel, bool logarithm) {
  for (const Device device : test::devices())
    for (const DType dtype : kFloating)
      for (const Rows& s : kRows) {
        const Tensor x = sample_tensor({s.rows, s.n}, dtype, device, -8, 8), y = x.clone();
        kernel(x, y);
        EXPECT_LE(distance(to_doubles(y), naive_softmax(to_doubles(x), s.n, logarithm)), tolerance_of(dtype));
      }
}

/// dx_i = sum_j dy_j dy_j/dx_i from the Jacobian: softmax y_j (d_ij - y_i), log-softmax d_ij - y_i.
void check_backward(const Kernel<In, In, Out, Write>& kernel, bool logarithm) {
  for (const Device device : test::devices())
    for (const DType dtype : kFloating)
      for (const Rows& s : kRows)
        for (const Write write : {Write::set, Write::add}) {
          const Shape shape{s.rows, s.n};
          const Tensor x = sample_tensor(shape, dtype, device, -8, 8, 1), y = x.clone();
          (logarithm ? log_softmax_fwd : softmax_fwd)(x, y);
          const Tensor dy = sample_tensor(shape, dtype, device, -2, 2, 2);
          const Tensor dx = sample_tensor(shape, dtype, device, -2, 2, 3);
          const std::vector<double> g = to_doubles(dy), p = naive_softmax(to_doubles(x), s.n, false);
          std::vector<double> expected = to_doubles(dx);
          const auto n = static_cast<size_t>(s.n);
          for (size_t i = 0; i < expected.size(); ++i) {
            if (write == Write::set) expected[i] = 0;
            for (size_t j = i / n * n; j < (i / n + 1) * n; ++j)
              expected[i] += g[j] * (logarithm ? 1 : p[j]) * ((i == j) - p[i]);
          }
          kernel(dy, y, dx, write);
          EXPECT_LE(distance(to_doubles(dx), expected), 4 * tolerance_of(dtype));
        }
}

TEST(Naive, softmax_fwd) { check_forward(softmax_fwd, false); }
TEST(Naive, log_softmax_fwd) { check_forward(log_softmax_fwd, true); }
TEST(Naive, softmax_bwd) { check_backward(softmax_bwd, false); }
TEST(Naive, log_softmax_bwd) { check_backward(log_softmax_bwd, true); }

TEST(Softmax, ExtremeLogitsAndNan) {
  for (const Device device : test::devices())
    for (const DType dtype : kFloating) {
      const Tensor x = test::tensor_of({1e4, -1e4, 0, 90, 90, -90, -1e4, -1e4, -1e4}, {3, 3}, dtype, device);
      const Tensor y = x.clone();
      softmax_fwd(x, y);
      EXPECT_LE(distance(to_doubles(y), {1, 0, 0, 0.5, 0.5, 0, 1. / 3, 1. / 3, 1. / 3}), 1e-7);
      log_softmax_fwd(x, y);
      const double ln2 = std::log(2.), ln3 = std::log(3.);
      EXPECT_LE(distance(to_doubles(y), {0, -2e4, -1e4, -ln2, -ln2, -180 - ln2, -ln3, -ln3, -ln3}), 1e-7);
      for (const int64_t n : {3, 70})  // a row with NaN among others, which keep their numbers
        for (const auto* kernel : {&softmax_fwd, &log_softmax_fwd}) {
          std::vector<double> values(static_cast<size_t>(5 * n), 0.5);
          values[static_cast<size_t>(2 * n + 1)] = std::nan("");
          const Tensor bad = test::tensor_of(values, {5, n}, dtype, device), out = bad.clone();
          (*kernel)(bad, out);
          const std::vector<double> result = to_doubles(out);
          for (int64_t i = 0; i < 5 * n; ++i)
            EXPECT_EQ(std::isnan(result[static_cast<size_t>(i)]), i / n == 2) << i << " of rows of " << n;
        }
    }
}

}  // namespace vae::kernels::reduce_test
