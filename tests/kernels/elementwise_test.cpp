// The elementwise kernels against plain loops over the same structs in f64, and at extreme values.
#include <gtest/gtest.h>

#include "kernels/elementwise/call.h"
#include "tests/numeric.h"

namespace vae::kernels::elementwise_test {

using test::distance;
using test::sample_tensor;

constexpr Map kAllMaps[] = {
#define VAE_MAP(type, name) Map::name,
#include "kernels/elementwise/list.h"
#undef VAE_MAP
};

/// Constants that suit every function: a slope, an interval [a, b].
constexpr Params kParams{0.25, 1.5};

/// f or, with wrt >= 0, its partial derivative, in f64 at one point.
double value_at(Map op, int wrt, const double* x) {
  return dispatch_map(op, [&](auto f) -> double {
    using F = decltype(f);
    const Constants<double> k{kParams.a, kParams.b};
    if constexpr (F::arity == 1) {
      const double y = F::fwd(x[0], k);
      return wrt < 0 ? y : F::d0(x[0], y, k);
    } else if constexpr (F::arity == 2) {
      const double y = F::fwd(x[0], x[1], k);
      return wrt < 0 ? y : wrt == 0 ? F::d0(x[0], x[1], y, k) : F::d1(x[0], x[1], y, k);
    } else {
      const double y = F::fwd(x[0], x[1], x[2], k);
      return wrt < 0    ? y
             : wrt == 0 ? F::d0(x[0], x[1], x[2], y, k)
             : wrt == 1 ? F::d1(x[0], x[1], x[2], y, k)
                        : F::d2(x[0], x[1], x[2], y, k);
    }
  });
}

/// Element (r, c) of an operand that broadcasts.
double element(const std::vector<double>& x, int64_t columns, int64_t rows, int64_t r, int64_t c) {
  const auto n = static_cast<int64_t>(x.size());
  if (n == 1) return x[0];
  if (n == rows && columns != 1) return x[static_cast<size_t>(r)];
  return x[static_cast<size_t>((r * columns + c) % n)];
}

std::vector<double> naive(Map op, int wrt, const std::vector<Tensor>& x, int64_t rows, int64_t columns) {
  std::vector<std::vector<double>> operands;
  for (const Tensor& t : x) operands.push_back(to_doubles(t));
  std::vector<double> y;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) {
      double at[3] = {};
      for (size_t i = 0; i < x.size(); ++i) at[i] = element(operands[i], columns, rows, r, c);
      y.push_back(value_at(op, wrt, at));
    }
  return y;
}

struct Sizes {
  int64_t rows, columns;
};
constexpr Sizes kSizes[] = {{0, 3}, {1, 1}, {1, 31}, {33, 1}, {4, 257}, {1, 1000}, {50, 1000}};

/// Operands of a function inside its domain: the first full, the second (where `broadcast`) a row, the third
/// a column.
std::vector<Tensor> operands(Map op, Sizes s, DType dtype, Device device, bool broadcast) {
  return dispatch_map(op, [&](auto f) {
    std::vector<Tensor> x;
    for (int i = 0; i < f.arity; ++i) {
      Shape shape{s.rows, s.columns};
      if (broadcast && i == 1) shape = {s.columns};
      if (broadcast && i == 2) shape = {s.rows, 1};
      x.push_back(sample_tensor(shape, dtype, device, f.domain[i][0], f.domain[i][1], uint64_t(i) + 1));
    }
    return x;
  });
}

/// Calls body(op, sizes, operands, tolerance) for everything. Vector functions are off by up to 4 units.
template <class Body>
void for_all(const Body& body) {
  for (const Device device : test::devices())
    for (const DType dtype : {DType::f32, DType::f64})
      for (const Map op : kAllMaps)
        for (const Sizes s : kSizes)
          for (const bool broadcast : {false, true}) {
            SCOPED_TRACE(fmt::format("{} {}x{} in {} on {}{}", name_of(op), s.rows, s.columns, name_of(dtype),
                                     device.str(), broadcast ? ", broadcast" : ""));
            if (!broadcast || arity_of(op) > 1)
              body(op, s, operands(op, s, dtype, device, broadcast), dtype == DType::f32 ? 2e-6 : 1e-14);
          }
}

TEST(Naive, map_fwd) {
  for_all([](Map op, Sizes s, const std::vector<Tensor>& x, double tolerance) {
    const Tensor y = Tensor::empty({s.rows, s.columns}, x[0].dtype(), x[0].device());
    map_fwd(op, kParams, x, y);
    EXPECT_LE(distance(to_doubles(y), naive(op, -1, x, s.rows, s.columns)), tolerance);
  });
}

TEST(Naive, rowsum_fwd) {
  for_all([](Map op, Sizes s, const std::vector<Tensor>& x, double tolerance) {
    const Tensor y = Tensor::empty({s.rows}, x[0].dtype(), x[0].device());
    rowsum_fwd(op, {kParams.a, kParams.b, -0.75}, x, y);
    const std::vector<double> terms = naive(op, -1, x, s.rows, s.columns);
    std::vector<double> sums(static_cast<size_t>(s.rows));
    double magnitude = 1;
    for (size_t i = 0; i < terms.size(); ++i) {
      sums[i / static_cast<size_t>(s.columns)] -= 0.75 * terms[i];
      magnitude = std::max(magnitude, std::abs(terms[i]) * static_cast<double>(s.columns));
    }
    double scale = 1;
    for (const double sum : sums) scale = std::max(scale, std::abs(sum));
    // Terms of both signs: the error is relative to the sum of magnitudes.
    EXPECT_LE(distance(to_doubles(y), sums) * scale, tolerance * magnitude);
  });
}

TEST(Naive, map_bwd) {
  for_all([](Map op, Sizes s, const std::vector<Tensor>& x, double tolerance) {
    const Shape full{s.rows, s.columns};
    const Tensor y = Tensor::empty(full, x[0].dtype(), x[0].device());
    map_fwd(op, kParams, x, y);
    for (int wrt = 0; wrt < arity_of(op); ++wrt) {
      const std::vector<double> slopes = naive(op, wrt, x, s.rows, s.columns);
      for (const Shape& dy_shape : {full, Shape{s.rows, 1}, Shape{}})
        for (const bool with_y : {false, true})
          for (const Write write : {Write::set, Write::add}) {
            const Tensor dy = sample_tensor(dy_shape, x[0].dtype(), x[0].device(), -2, 2, 9);
            const Tensor dx = sample_tensor(full, x[0].dtype(), x[0].device(), -1, 1, 10);
            std::vector<double> expected = slopes;
            const std::vector<double> before = to_doubles(dx), g = to_doubles(dy);
            for (int64_t i = 0; i < full.numel(); ++i) {
              double& e = expected[static_cast<size_t>(i)];
              e *= -0.75 * element(g, s.columns, s.rows, i / s.columns, i % s.columns);
              if (write == Write::add) e += before[static_cast<size_t>(i)];
            }
            map_bwd(op, {kParams.a, kParams.b, -0.75}, wrt, dy, x, with_y ? y : Tensor{}, dx, write);
            EXPECT_LE(distance(to_doubles(dx), expected), tolerance)
                << "operand " << wrt << " dy " << dy_shape.str() << (with_y ? " y" : "");
          }
    }
  });
}

TEST(Naive, map_gradients) {
  for_all([](Map op, Sizes s, const std::vector<Tensor>& x, double tolerance) {
    const Shape full{s.rows, s.columns};
    for (const Shape& dy_shape : {full, Shape{s.rows, 1}}) {
      const Tensor dy = sample_tensor(dy_shape, x[0].dtype(), x[0].device(), -2, 2, 9);
      std::vector<MapGradient> gradients;
      std::vector<std::vector<double>> before;
      for (int wrt = arity_of(op); wrt-- > 0;) {
        const Tensor dx =
            sample_tensor(full, x[0].dtype(), x[0].device(), -1, 1, 10 + static_cast<uint64_t>(wrt));
        gradients.push_back({wrt, dx, wrt == 1 ? Write::add : Write::set});
        before.push_back(to_doubles(dx));
      }
      map_gradients(op, {kParams.a, kParams.b, -0.75}, dy, x, {}, gradients);
      const std::vector<double> g = to_doubles(dy);
      for (size_t i = 0; i < gradients.size(); ++i) {
        std::vector<double> expected = naive(op, gradients[i].wrt, x, s.rows, s.columns);
        for (int64_t j = 0; j < full.numel(); ++j) {
          double& e = expected[static_cast<size_t>(j)];
          e *= -0.75 * element(g, s.columns, s.rows, j / s.columns, j % s.columns);
          if (gradients[i].write == Write::add) e += before[i][static_cast<size_t>(j)];
        }
        EXPECT_LE(distance(to_doubles(gradients[i].dx), expected), tolerance)
            << "operand " << gradients[i].wrt << " dy " << dy_shape.str();
      }
    }
  });
}

/// Whether the mathematics is finite at x in the precision of the dtype: exact or off the representable
/// range.
bool finite_in(double value, DType dtype) {
  return std::isfinite(value) && (dtype == DType::f64 || std::abs(value) < 3e38);
}

// Every function and derivative at all combinations of extreme operands: finite where the same formula is
// finite in long range (f64), close to it, and in f32 too. 9 + 81 + 729 points.
/// The magnitude of the terms that may cancel in a result at x: the result is as exact as they are.
double cancelling_terms(Map op, const std::vector<double>& x) {
  switch (op) {
    case Map::reparameterize:
      return std::abs(x[0]);
    case Map::add_scaled:
      return std::max(std::abs(x[0]), std::abs(kParams.a * x[1]));
    case Map::running_mean:
      return std::max(std::abs(x[0]), std::abs((x[1] - x[0]) / x[2]));
    case Map::lerp:
      return std::max(std::abs(x[2] * x[0]), std::abs((1 - x[2]) * x[1]));
    case Map::bernoulli_kl:  // operands beyond [0, 1] weigh logarithms of both signs
      return std::abs(x[0]);
    case Map::bce_floored:  // targets beyond [0, 1] weigh logarithms of both signs
      return std::abs(x[1]);
    default:
      return 0;
  }
}

TEST(Elementwise, StaysFiniteAtExtremeValues) {
  const std::vector<double> points{0, -0.0, 1e-4, 90, -90, 1e4, -1e4, 1, -1};
  for (const Device device : test::devices())
    for (const DType dtype : {DType::f32, DType::f64})
      for (const Map op : kAllMaps) {
        std::vector<std::vector<double>> columns(static_cast<size_t>(arity_of(op)));
        const auto total = static_cast<size_t>(std::pow(points.size(), columns.size()));
        for (size_t i = 0; i < total; ++i)
          for (size_t k = 0, rest = i; k < columns.size(); ++k, rest /= points.size())
            columns[k].push_back(static_cast<float>(points[rest % points.size()]));
        const auto n = static_cast<int64_t>(total);
        std::vector<Tensor> x;
        for (const auto& column : columns) x.push_back(test::tensor_of(column, {n}, dtype, device));
        const Tensor y = Tensor::empty({n}, dtype, device), one = Tensor::empty({1}, dtype, device);
        fill(one, 1);
        const double tolerance = dtype == DType::f32 ? 1e-5 : 1e-13;
        for (int wrt = -1; wrt < arity_of(op); ++wrt) {
          if (wrt < 0)
            map_fwd(op, kParams, x, y);
          else
            map_bwd(op, kParams, wrt, one, x, {}, y, Write::set);
          const std::vector<double> actual = to_doubles(y), expected = naive(op, wrt, x, 1, n);
          for (size_t i = 0; i < total; ++i) {
            std::vector<double> at;
            for (const std::vector<double>& column : columns) at.push_back(column[i]);
            if (op == Map::zgr_bit && at[1] == 0) continue;  // below the smallest probability of f32
            const double scale = std::max({1.0, std::abs(expected[i]), cancelling_terms(op, at)});
            EXPECT_TRUE(!finite_in(expected[i], dtype) ||
                        std::abs(actual[i] - expected[i]) <= tolerance * scale)
                << name_of(op) << " " << (wrt < 0 ? "value" : "derivative") << " in " << name_of(dtype)
                << " at " << columns[0][i] << ": " << actual[i] << " against " << expected[i];
          }
        }
      }
}

TEST(Elementwise, NoDifferenceCostsNothingUnderEveryVariance) {
  const Params unlimited{-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  const std::vector<double> log_var{0, 90, -90, 1e4, -1e4};
  for (const Device device : test::devices())
    for (const DType dtype : {DType::f32, DType::f64}) {
      const Tensor mean = test::tensor_of(std::vector<double>(5, 3), {5}, dtype, device),
                   y = Tensor::empty({5}, dtype, device), one = Tensor::empty({1}, dtype, device);
      fill(one, 1);
      const Tensor x[] = {mean, mean, test::tensor_of(log_var, {5}, dtype, device)};
      map_fwd(Map::kl_means, {}, x, y);
      EXPECT_EQ(to_doubles(y), std::vector<double>(5, 0));
      map_fwd(Map::gaussian_nll, unlimited, x, y);
      for (size_t i = 0; i < 5; ++i)
        EXPECT_NEAR(to_doubles(y)[i], (kLog2Pi + log_var[i]) / 2, 1e-7 * std::abs(log_var[i]) + 1e-6);
      for (const Map op : {Map::kl_means, Map::gaussian_nll})
        for (int wrt = 0; wrt < 3; ++wrt) {
          map_bwd(op, unlimited, wrt, one, x, {}, y, Write::set);
          const double slope = op == Map::gaussian_nll && wrt == 2 ? 0.5 : 0;
          EXPECT_EQ(to_doubles(y), std::vector<double>(5, slope)) << name_of(op) << ", operand " << wrt;
        }
    }
}

// The terms of the divergence of almost equal bits cancel: they are off by roundings of what the bits differ
// by, not of the bits.
TEST(Elementwise, DivergencesOfCloseBitsKeepTheirDigits) {
  const Constants<double> exact{1e-6, 0};
  const Constants<float> single{1e-6F, 0};
  for (const double q : {0.5, 0.3, 0.9, 0.01})
    for (const double part : {-0.4, -0.02, -1e-3, 1e-3, 0.02, 0.4}) {
      const auto x0 = static_cast<float>(q * (1 + part)), x1 = static_cast<float>(q);
      if (x0 >= 1) continue;
      const double p0 = x0, p1 = x1;  // the same numbers
      const auto expect_close = [&](float value, double expected) {
        EXPECT_NEAR(value, expected, 1e-6 * std::abs(expected) + 2e-7 * std::abs(p0 - p1)) << x0 << " " << x1;
      };
      expect_close(BernoulliKl::fwd(x0, x1, single), BernoulliKl::fwd(p0, p1, exact));
      expect_close(BernoulliKl::d0(x0, x1, 0.0F, single), BernoulliKl::d0(p0, p1, 0.0, exact));
      expect_close(BernoulliKl::d1(x0, x1, 0.0F, single), BernoulliKl::d1(p0, p1, 0.0, exact));
      const auto kl = [&](double p) { return p * std::log(p / p1) + (1 - p) * std::log((1 - p) / (1 - p1)); };
      EXPECT_NEAR(BernoulliKl::fwd(p0, p1, Constants<double>{0, 0}), kl(p0), 1e-14);
    }
}

TEST(Elementwise, NonlinearFunctionsAreFiniteEverywhere) {
  // Those without a pole must be finite at every finite operand of this size.
  for (const DType dtype : {DType::f32, DType::f64})
    for (const Map op :
         {Map::tanh, Map::sigmoid, Map::softplus, Map::relu, Map::leaky_relu, Map::elu, Map::clip}) {
      const Tensor x = test::tensor_of({0, 90, -90, 1e4, -1e4}, {5}, dtype), y = Tensor::empty({5}, dtype);
      map_fwd(op, kParams, {&x, 1}, y);
      for (const double v : to_doubles(y)) EXPECT_TRUE(std::isfinite(v)) << name_of(op);
      map_bwd(op, kParams, 0, x, {&x, 1}, {}, y, Write::set);
      for (const double v : to_doubles(y)) EXPECT_TRUE(std::isfinite(v)) << name_of(op) << " derivative";
    }
  for (const DType dtype : {DType::f32, DType::f64}) {  // BCE from logits: 0 or |logit|
    const Tensor x[] = {test::tensor_of({90, -90, 1e4, -1e4, 1e4}, {5}, dtype),
                        test::tensor_of({1, 0, 1, 0, 0}, {5}, dtype)};
    const Tensor y = Tensor::empty({5}, dtype);
    map_fwd(Map::bce_logits, {}, x, y);
    EXPECT_LE(distance(to_doubles(y), {0, 0, 0, 0, 1e4}), 1e-7);
  }
}

TEST(Elementwise, NanPassesThrough) {
  for (const Device device : test::devices())
    for (const DType dtype : {DType::f32, DType::f64})
      for (const Map op : kAllMaps)
        for (int position = 0; position < arity_of(op); ++position)
          for (const int64_t n : {1, 37}) {
            std::vector<Tensor> x = operands(op, {1, n}, dtype, device, false);
            fill(x[static_cast<size_t>(position)].reshape({n}).slice(n - 1, n), std::nan(""));
            const Tensor y = Tensor::empty({1, n}, dtype, device), sum = Tensor::empty({1}, dtype, device);
            map_fwd(op, kParams, x, y);
            EXPECT_TRUE(std::isnan(to_doubles(y).back())) << name_of(op) << " operand " << position;
            EXPECT_TRUE(n == 1 || !std::isnan(to_doubles(y).front())) << name_of(op);
            rowsum_fwd(op, kParams, x, sum);
            EXPECT_TRUE(std::isnan(sum.item())) << name_of(op) << " row sum, operand " << position;
          }
}

}  // namespace vae::kernels::elementwise_test
