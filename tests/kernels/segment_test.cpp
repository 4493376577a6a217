// Columns, groups of rows and log-sum-exp against plain loops.
#include <gtest/gtest.h>

#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::kernels::segment_test {

using test::distance;
using test::sample_tensor;
using test::tensor_of;

constexpr DType kFloating[] = {DType::f32, DType::f64};
constexpr int64_t kLengths[] = {0, 1, 31, 33, 257, 1000};

/// A rounding of results of magnitude one; sums are carried in f64.
double tolerance_of(DType dtype) { return dtype == DType::f32 ? 1e-6 : 1e-14; }

/// Calls body(device, dtype, write).
template <class Body>
void for_all(const Body& body) {
  for (const Device device : test::devices())
    for (const DType dtype : kFloating)
      for (const Write write : {Write::set, Write::add}) body(device, dtype, write);
}

TEST(Naive, copy_columns) {
  for_all([](Device device, DType dtype, Write write) {
    for (const int64_t rows : kLengths)
      for (const int64_t n : {0, 1, 10, 33, 300}) {
        const int64_t from = 3, to = 5, x_columns = from + n + 2, y_columns = to + n;
        const Tensor x = sample_tensor({rows, x_columns}, dtype, device, -2, 2, 1);
        const Tensor y = sample_tensor({rows, y_columns}, dtype, device, -2, 2, 2);
        std::vector<double> expected = to_doubles(y);
        const std::vector<double> values = to_doubles(x);
        for (int64_t r = 0; r < rows; ++r)
          for (int64_t c = 0; c < n; ++c) {
            double& e = expected[static_cast<size_t>(r * y_columns + to + c)];
            e = (write == Write::add ? e : 0) + values[static_cast<size_t>(r * x_columns + from + c)];
          }
        copy_columns(alone(ColumnCopy{x, from, y, to, n, write}));
        EXPECT_LE(distance(to_doubles(y), expected), tolerance_of(dtype)) << rows << " x " << n;
      }
  });
}

TEST(Naive, segment_sum) {
  for_all([](Device device, DType dtype, Write write) {
    for (const int64_t rows : kLengths)
      for (const int64_t groups : {1, 10, 300})
        for (const int64_t columns : {1, 33, 130, 600}) {
          if (rows * columns > 200'000) continue;
          std::vector<double> group;
          for (int64_t r = 0; r < rows; ++r) group.push_back(static_cast<double>(r * r % groups));
          const Tensor x = sample_tensor({rows, columns}, dtype, device, -2, 2, 1);
          const Tensor y = sample_tensor({groups, columns}, dtype, device, -2, 2, 2);
          std::vector<double> expected = to_doubles(y);
          const std::vector<double> values = to_doubles(x);
          if (write == Write::set) std::fill(expected.begin(), expected.end(), 0.0);
          for (int64_t r = 0; r < rows; ++r)
            for (int64_t c = 0; c < columns; ++c)
              expected[static_cast<size_t>(group[static_cast<size_t>(r)]) * static_cast<size_t>(columns) +
                       static_cast<size_t>(c)] += values[static_cast<size_t>(r * columns + c)];
          segment_sum(x, tensor_of(group, {rows}, DType::i64, device), y, write);
          EXPECT_LE(distance(to_doubles(y), expected), tolerance_of(dtype)) << rows << " in " << groups;

          std::vector<double> size =
              write == Write::add ? to_doubles(y) : std::vector<double>(expected.size());
          for (const double g : group)
            for (int64_t c = 0; c < columns; ++c)
              size[static_cast<size_t>(g) * static_cast<size_t>(columns) + static_cast<size_t>(c)] += 1;
          segment_sum({}, tensor_of(group, {rows}, DType::i64, device), y, write);
          EXPECT_LE(distance(to_doubles(y), size), tolerance_of(dtype))
              << "sizes of " << rows << " in " << groups;
        }
  });
}

TEST(Segments, LongGroupsKeepTheirDigits) {
  // A million times 0.1 in one group: added one by one in f32 the sum would be off by a percent.
  for (const Device device : test::devices()) {
    const int64_t rows = 1000000;
    const Tensor x = Tensor::empty({rows, 1}, DType::f32, device),
                 y = Tensor::empty({1, 1}, DType::f32, device);
    const Tensor group = Tensor::zeros({rows}, DType::i64, device);
    fill(x, 0.1);
    segment_sum(x, group, y, Write::set);
    EXPECT_LE(std::abs(y.item() / (1e6 * static_cast<double>(0.1f)) - 1), 1e-7);
  }
}

TEST(Segments, AGroupOutOfRangeIsAnErrorOrNan) {
  for (const int64_t bad : {int64_t{-1}, int64_t{4}, int64_t{1} << 62, INT64_MIN})
    for (const Device device : test::devices()) {
      const Tensor x = sample_tensor({3, 2}, DType::f32, device),
                   y = Tensor::zeros({4, 2}, DType::f32, device);
      const Tensor group = Tensor::from(std::vector<int64_t>{1, bad, 0}, {3}, device);
      if (device.is_cpu()) {
        test::expect_error(ErrorKind::internal, fmt::format("segment_sum: group {} outside [0, 4)", bad),
                           [&] { segment_sum(x, group, y, Write::set); });
      } else {
        segment_sum(x, group, y, Write::set);
        for (const double v : to_doubles(y)) EXPECT_TRUE(std::isnan(v)) << device.str();
      }
    }
}

const Axis kAxes[] = {Axis::all(1),
                      Axis::rows(31, 33),
                      Axis::rows(6, 1000),
                      Axis::rows(1000, 1),
                      Axis::columns(31, 1),
                      Axis::columns(130, 10),
                      Axis::columns(65, 17),
                      Axis::columns(3, 65),
                      Axis::columns(257, 33),
                      Axis::columns(2, 1000),
                      {3, 4, 5},
                      {2, 33, 257},
                      {0, 3, 3},
                      {3, 3, 0}};

size_t at(Axis axis, int64_t o, int64_t k, int64_t i) {
  return static_cast<size_t>((o * axis.count + k) * axis.inner + i);
}

/// Largest element of a line and its first position.
std::pair<double, int64_t> top_of(const std::vector<double>& x, Axis axis, int64_t o, int64_t i) {
  int64_t best = 0;
  for (int64_t k = 1; k < axis.count; ++k)
    if (x[at(axis, o, k, i)] > x[at(axis, o, best, i)]) best = k;
  return {x[at(axis, o, best, i)], best};
}

std::vector<double> naive_log_sum_exp(const std::vector<double>& x, Axis axis, double eps) {
  std::vector<double> y;
  for (int64_t o = 0; o < axis.outer; ++o)
    for (int64_t i = 0; i < axis.inner; ++i) {
      const double top = top_of(x, axis, o, i).first;
      double total = eps;
      for (int64_t k = 0; k < axis.count; ++k) total += std::exp(x[at(axis, o, k, i)] - top);
      y.push_back(top + std::log(total));
    }
  return y;
}

TEST(Naive, log_sum_exp_fwd) {
  for (const Device device : test::devices())
    for (const DType dtype : kFloating)
      for (const Axis& axis : kAxes)
        for (const double eps : {0.0, 1e-8, 0.3}) {
          const Tensor x = sample_tensor({axis.outer, axis.count, axis.inner}, dtype, device, -30, 30, 1);
          const Tensor y = Tensor::empty({axis.outer, axis.inner}, dtype, device);
          log_sum_exp_fwd(x, y, axis, eps);
          EXPECT_LE(distance(to_doubles(y), naive_log_sum_exp(to_doubles(x), axis, eps)), tolerance_of(dtype))
              << axis.outer << " x " << axis.count << " x " << axis.inner << " eps " << eps;
        }
}

TEST(Naive, log_sum_exp_bwd) {
  for_all([](Device device, DType dtype, Write write) {
    for (const Axis& axis : kAxes)
      for (const double eps : {0.0, 0.3}) {
        const Shape full{axis.outer, axis.count, axis.inner}, reduced{axis.outer, axis.inner};
        const Tensor x = sample_tensor(full, dtype, device, -5, 5, 1),
                     y = Tensor::empty(reduced, dtype, device);
        const Tensor dy = sample_tensor(reduced, dtype, device, -2, 2, 2),
                     dx = sample_tensor(full, dtype, device, -2, 2, 3);
        log_sum_exp_fwd(x, y, axis, eps);
        const std::vector<double> values = to_doubles(x), g = to_doubles(dy);
        std::vector<double> expected = to_doubles(dx);
        if (write == Write::set) std::fill(expected.begin(), expected.end(), 0.0);
        for (int64_t o = 0; o < axis.outer; ++o)
          for (int64_t i = 0; i < axis.inner; ++i) {
            const auto [top, first] = top_of(values, axis, o, i);
            double total = eps;
            for (int64_t k = 0; k < axis.count; ++k) total += std::exp(values[at(axis, o, k, i)] - top);
            for (int64_t k = 0; k < axis.count; ++k) {
              const double share =
                  (std::exp(values[at(axis, o, k, i)] - top) + (k == first ? eps : 0)) / total;
              expected[at(axis, o, k, i)] += g[static_cast<size_t>(o * axis.inner + i)] * share;
            }
          }
        log_sum_exp_bwd(dy, x, y, dx, axis, eps, write);
        // e^(x - y): y is rounded to 4e-7 near 5.
        EXPECT_LE(distance(to_doubles(dx), expected), dtype == DType::f32 ? 2e-6 : 1e-14)
            << axis.outer << " x " << axis.count << " x " << axis.inner << " eps " << eps;
      }
  });
}

TEST(LogSumExp, OfEqualsTheFirstHasTheDerivativeOfEps) {
  for (const Device device : test::devices())
    for (const DType dtype : kFloating)
      for (const Axis& axis : {Axis::columns(3, 4), Axis::columns(2, 100), Axis::rows(4, 3)}) {
        const Tensor x = Tensor::zeros({axis.outer, axis.count, axis.inner}, dtype, device), dx = x.clone();
        const Tensor y = Tensor::empty({axis.outer, axis.inner}, dtype, device), dy = y.clone();
        fill(dy, 1);
        log_sum_exp_fwd(x, y, axis, 0.5);
        log_sum_exp_bwd(dy, x, y, dx, axis, 0.5, Write::set);
        const std::vector<double> actual = to_doubles(dx);
        const double share = 1 / (static_cast<double>(axis.count) + 0.5);
        for (int64_t o = 0; o < axis.outer; ++o)
          for (int64_t k = 0; k < axis.count; ++k)
            for (int64_t i = 0; i < axis.inner; ++i)
              EXPECT_NEAR(actual[at(axis, o, k, i)], k == 0 ? 1.5 * share : share, 1e-6) << k;
      }
}

TEST(LogSumExp, ExtremeValues) {
  const double inf = HUGE_VAL;
  for (const Device device : test::devices())
    for (const DType dtype : kFloating) {
      const Tensor x =
          tensor_of({1e4, 1e4, -1e4, -1e4, 90, -90, -inf, -inf, -inf, 3, 0, 0}, {6, 2}, dtype, device);
      const Tensor y = Tensor::empty({6}, dtype, device), dy = Tensor::empty({6}, dtype, device),
                   dx = Tensor::empty({6, 2}, dtype, device);
      fill(dy, 1);
      log_sum_exp_fwd(x, y, Axis::columns(6, 2), 0);
      const double two = std::log(2.0);
      EXPECT_LE(distance(to_doubles(y), {1e4 + two, -1e4 + two, 90, -inf, 3, two}), 1e-7) << device.str();
      log_sum_exp_bwd(dy, x, y, dx, Axis::columns(6, 2), 0, Write::set);
      const std::vector<double> actual = to_doubles(dx);
      const std::vector<double> expected{0.5, 0.5, 0.5, 0.5, 1, 0, 0, 0, 0, 1, 0.5, 0.5};
      for (size_t i = 0; i < expected.size(); ++i) {
        if (i == 6 || i == 7) continue;                  // of nothing but -inf there is no derivative
        EXPECT_NEAR(actual[i], expected[i], 1e-3) << i;  // y near 1e4 is rounded to 1e-3 in f32
      }
    }
}

}  // namespace vae::kernels::segment_test
