// Batch norm against the textbook formulas, column by column.
#include <gtest/gtest.h>

#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::kernels {
namespace {

using test::distance;
using test::sample_tensor;

struct Sample {
  int64_t m, n;
  DType dtype;
  Device device;
  BatchNormRule rule;
  double tolerance;
};

/// Calls body for all sizes, dtypes, rules and devices.
template <class Body>
void for_all(const Body& body) {
  const BatchNormRule textbook{}, chainer{2e-5, 0.1, true};
  for (const Device device : test::devices())
    for (const DType dtype : {DType::f32, DType::f64})
      for (const auto& [m, n] :
           {std::pair<int64_t, int64_t>{1, 3}, {2, 1}, {31, 33}, {33, 65}, {257, 5}, {100, 1000}})
        for (const BatchNormRule& rule : {textbook, chainer}) {
          SCOPED_TRACE(fmt::format("{}x{} {} on {}", m, n, name_of(dtype), device.str()));
          // A column of one row has variance zero: rstd is 300, and magnifies nothing but zeros.
          body(Sample{m, n, dtype, device, rule, dtype == DType::f32 ? 1e-5 : 1e-12});
        }
}

struct Statistics {
  std::vector<double> mean, var;  // biased
};

Statistics statistics(const std::vector<double>& x, int64_t m, int64_t n) {
  Statistics s{std::vector<double>(static_cast<size_t>(n)), std::vector<double>(static_cast<size_t>(n))};
  for (size_t c = 0; c < s.mean.size(); ++c) {
    for (int64_t r = 0; r < m; ++r) s.mean[c] += x[static_cast<size_t>(r * n) + c] / static_cast<double>(m);
    for (int64_t r = 0; r < m; ++r) {
      const double d = x[static_cast<size_t>(r * n) + c] - s.mean[c];
      s.var[c] += d * d / static_cast<double>(m);
    }
  }
  return s;
}

BatchNormForward make_forward(const Sample& s) {
  const auto vector = [&](double low, double high, uint64_t stream) {
    return sample_tensor({s.n}, s.dtype, s.device, low, high, stream);
  };
  return {.x = sample_tensor({s.m, s.n}, s.dtype, s.device, -1, 4, 1),
          .gamma = vector(0.5, 1.5, 2),
          .beta = vector(-1, 1, 3),
          .y = Tensor::empty({s.m, s.n}, s.dtype, s.device),
          .mean = vector(0, 0, 4),
          .rstd = vector(0, 0, 5),
          .running_mean = vector(-1, 1, 6),
          .running_var = vector(0.5, 2, 7),
          .rule = s.rule};
}

TEST(Naive, batch_norm_fwd) {
  for_all([](const Sample& s) {
    const BatchNormForward f = make_forward(s);
    const std::vector<double> x = to_doubles(f.x), gamma = to_doubles(f.gamma), beta = to_doubles(f.beta);
    std::vector<double> running_mean = to_doubles(f.running_mean), running_var = to_doubles(f.running_var);
    const Statistics stats = statistics(x, s.m, s.n);
    std::vector<double> y(x.size()), rstd;
    const double unbias = s.m > 1 ? static_cast<double>(s.m) / static_cast<double>(s.m - 1) : 1;
    for (size_t c = 0; c < stats.mean.size(); ++c) {
      rstd.push_back(1 / std::sqrt(stats.var[c] + s.rule.eps));
      const double kept = stats.var[c] + (s.rule.running_var_includes_eps ? s.rule.eps : 0);
      running_mean[c] += s.rule.momentum * (stats.mean[c] - running_mean[c]);
      running_var[c] += s.rule.momentum * (unbias * kept - running_var[c]);
    }
    for (size_t i = 0; i < x.size(); ++i) {
      const size_t c = i % stats.mean.size();
      y[i] = gamma[c] * (x[i] - stats.mean[c]) * rstd[c] + beta[c];
    }
    batch_norm_fwd(f);
    EXPECT_LE(distance(to_doubles(f.y), y), s.tolerance);
    EXPECT_LE(distance(to_doubles(f.mean), stats.mean), s.tolerance);
    EXPECT_LE(distance(to_doubles(f.rstd), rstd), s.tolerance);
    EXPECT_LE(distance(to_doubles(f.running_mean), running_mean), s.tolerance);
    EXPECT_LE(distance(to_doubles(f.running_var), running_var), s.tolerance);
  });
}

/// x [m, n] beside columns of other values.
Tensor widened(const Tensor& x, int64_t columns) {
  const int64_t m = x.size(0), n = x.size(1);
  const Tensor wide = sample_tensor({m, columns}, x.dtype(), x.device(), 5, 9, 20);
  copy_columns(alone(ColumnCopy{x, 0, wide, 0, n}));
  return wide;
}

TEST(BatchNorm, OfTheFirstColumnsIsThatOfTheseAlone) {
  for_all([](const Sample& s) {
    const BatchNormForward alone = make_forward(s);
    BatchNormForward first = make_forward(s);
    first.x = widened(alone.x, s.n + 3);
    for (const BatchNormForward& f : {alone, first}) {
      BatchNormForward call = f;
      call.activation = activation(Map::leaky_relu);
      batch_norm_fwd(call);
    }
    for (const auto member : {&BatchNormForward::y, &BatchNormForward::mean, &BatchNormForward::rstd,
                              &BatchNormForward::running_mean, &BatchNormForward::running_var})
      EXPECT_TRUE(test::same_bits(first.*member, alone.*member));
    for (const Write write : {Write::set, Write::add}) {
      const Shape full{s.m, s.n};
      BatchNormBackward b{.dy = sample_tensor(full, s.dtype, s.device, -1, 1, 8),
                          .x = alone.x,
                          .gamma = alone.gamma,
                          .mean = alone.mean,
                          .rstd = alone.rstd,
                          .dx = sample_tensor(full, s.dtype, s.device, -1, 1, 9),
                          .dgamma = sample_tensor({s.n}, s.dtype, s.device, -1, 1, 10),
                          .dbeta = sample_tensor({s.n}, s.dtype, s.device, -1, 1, 11),
                          .write_x = write,
                          .beta = alone.beta,
                          .y = alone.y,
                          .activation = activation(Map::leaky_relu)};
      BatchNormBackward of_first = b;
      of_first.x = first.x, of_first.dx = widened(b.dx, s.n + 3);
      of_first.dgamma = b.dgamma.clone(), of_first.dbeta = b.dbeta.clone();
      batch_norm_bwd(b), batch_norm_bwd(of_first);
      EXPECT_TRUE(test::same_bits(of_first.dgamma, b.dgamma));
      EXPECT_TRUE(test::same_bits(of_first.dbeta, b.dbeta));
      EXPECT_TRUE(test::same_bits(of_first.dx, widened(b.dx, s.n + 3))) << "the other columns stay";
    }
  });
}

TEST(Naive, batch_norm_bwd) {
  for_all([](const Sample& s) {
    const BatchNormForward f = make_forward(s);
    batch_norm_fwd(f);
    const Shape full{s.m, s.n};
    for (const Write write : {Write::set, Write::add})
      for (const bool with_dx : {true, false}) {
        const BatchNormBackward b{.dy = sample_tensor(full, s.dtype, s.device, -1, 1, 8),
                                  .x = f.x,
                                  .gamma = f.gamma,
                                  .mean = f.mean,
                                  .rstd = f.rstd,
                                  .dx = with_dx ? sample_tensor(full, s.dtype, s.device, -1, 1, 9) : Tensor{},
                                  .dgamma = sample_tensor({s.n}, s.dtype, s.device, -1, 1, 10),
                                  .dbeta = sample_tensor({s.n}, s.dtype, s.device, -1, 1, 11),
                                  .write_x = write,
                                  .write_gamma = write,
                                  .write_beta = write};
        const bool add = write == Write::add;
        const auto before = [&](const Tensor& t) {
          return add ? to_doubles(t) : std::vector<double>(static_cast<size_t>(t.numel()));
        };
        std::vector<double> dgamma = before(b.dgamma), dbeta = before(b.dbeta), dx = before(b.dx);
        const std::vector<double> x = to_doubles(f.x), dy = to_doubles(b.dy), gamma = to_doubles(f.gamma);
        const Statistics stats = statistics(x, s.m, s.n);
        const auto n = static_cast<size_t>(s.n), m = static_cast<size_t>(s.m);
        for (size_t c = 0; c < n; ++c) {
          // d loss/d var and d loss/d mean first, then the chain rule as in the paper, section 3.
          const double deviation2 = stats.var[c] + s.rule.eps;
          double by_var = 0, by_mean = 0;
          for (size_t i = c; i < x.size(); i += n) {
            const double centred = x[i] - stats.mean[c];
            dgamma[c] += dy[i] * centred / std::sqrt(deviation2);
            dbeta[c] += dy[i];
            by_var += dy[i] * gamma[c] * centred * -0.5 * std::pow(deviation2, -1.5);
            by_mean -= dy[i] * gamma[c] / std::sqrt(deviation2);
          }
          for (size_t i = c; with_dx && i < x.size(); i += n)
            dx[i] += dy[i] * gamma[c] / std::sqrt(deviation2) +
                     by_var * 2 * (x[i] - stats.mean[c]) / static_cast<double>(m) +
                     by_mean / static_cast<double>(m);
        }
        batch_norm_bwd(b);
        EXPECT_LE(distance(to_doubles(b.dgamma), dgamma), 4 * s.tolerance);
        EXPECT_LE(distance(to_doubles(b.dbeta), dbeta), 4 * s.tolerance);
        if (with_dx) {
          EXPECT_LE(distance(to_doubles(b.dx), dx), 4 * s.tolerance);
        }
      }
  });
}

TEST(BatchNorm, ActivationIsThatOfTheElementwiseList) {
  for (const std::string_view name : activation_names())
    for_all([&](const Sample& s) {
      const Activation activation = parse_activation(name);
      BatchNormForward f = make_forward(s);
      batch_norm_fwd(f);
      const Tensor expected = Tensor::empty({s.m, s.n}, s.dtype, s.device);
      map_fwd(*activation.function, activation.params, {&f.y, 1}, expected);
      f.activation = activation;
      batch_norm_fwd(f);
      EXPECT_LE(distance(to_doubles(f.y), to_doubles(expected)), s.tolerance) << name;
    });
}

/// Gradients of the fused form against those of the two kernels in turn.
TEST(BatchNorm, ActivationGradient) {
  for (const std::string_view name : activation_names())
    for_all([&](const Sample& s) {
      const Activation activation = parse_activation(name);
      BatchNormForward f = make_forward(s);
      batch_norm_fwd(f);
      const Shape full{s.m, s.n};
      const auto sample = [&](Shape shape, uint64_t stream) {
        return sample_tensor(shape, s.dtype, s.device, -1, 1, stream);
      };
      BatchNormBackward b;
      b.x = f.x, b.gamma = f.gamma, b.mean = f.mean, b.rstd = f.rstd;
      b.write_x = b.write_gamma = b.write_beta = Write::add;
      b.dy = Tensor::empty(full, s.dtype, s.device);
      const std::vector<Tensor> u{f.y};
      const Tensor dy = sample(full, 8);
      map_bwd(*activation.function, activation.params, 0, dy, u, {}, b.dy, Write::set);
      b.dx = sample(full, 9), b.dgamma = sample({s.n}, 10), b.dbeta = sample({s.n}, 11);
      batch_norm_bwd(b);
      f.activation = activation;
      f.y = Tensor::empty(full, s.dtype, s.device);
      batch_norm_fwd(f);
      BatchNormBackward fused = b;
      fused.dy = dy, fused.y = f.y, fused.beta = f.beta, fused.activation = activation;
      fused.dx = sample(full, 9), fused.dgamma = sample({s.n}, 10), fused.dbeta = sample({s.n}, 11);
      batch_norm_bwd(fused);
      EXPECT_LE(distance(to_doubles(fused.dx), to_doubles(b.dx)), 4 * s.tolerance) << name;
      EXPECT_LE(distance(to_doubles(fused.dgamma), to_doubles(b.dgamma)), 4 * s.tolerance) << name;
      EXPECT_LE(distance(to_doubles(fused.dbeta), to_doubles(b.dbeta)), 4 * s.tolerance) << name;
    });
}

/// The variance of values far from zero, one of them far from the rest and first.
TEST(BatchNorm, VarianceSurvivesAnOffsetAndAnOutlier) {
  for (const Device device : test::devices()) {
    constexpr int64_t m = 4000;
    std::vector<double> x = test::sample(m, 1000, 1002);
    x[0] = 1100;
    Sample s{m, 1, DType::f32, device, {}, 0};
    BatchNormForward f = make_forward(s);
    f.x = test::tensor_of(x, {m, 1}, DType::f32, device);
    batch_norm_fwd(f);
    const double var = statistics(to_doubles(f.x), m, 1).var[0];
    // In f32 the squared distances of a block of 32 rows from the outlier sum up to 32 times what they leave:
    // 32 roundings of 1.2e-7.
    EXPECT_NEAR(to_doubles(f.rstd)[0] * std::sqrt(var + s.rule.eps), 1, 4e-6);
  }
}

TEST(BatchNorm, RefusesAFunctionThatIsNoActivation) {
  BatchNormForward f = make_forward({4, 3, DType::f32, kCpu, {}, 0});
  f.activation = {Map::exp, {}};
  test::expect_error(ErrorKind::internal, "exp is no activation", [&] { batch_norm_fwd(f); });
}

TEST(BatchNorm, WithoutRunningStatisticsAndWithoutRows) {
  for (const Device device : test::devices()) {
    Sample s{4, 3, DType::f32, device, {}, 0};
    BatchNormForward f = make_forward(s);
    f.running_mean = f.running_var = {};
    batch_norm_fwd(f);
    s.m = 0;
    const BatchNormForward empty = make_forward(s);
    const std::vector<double> mean = to_doubles(empty.running_mean), var = to_doubles(empty.running_var);
    batch_norm_fwd(empty);
    EXPECT_EQ(to_doubles(empty.running_mean), mean) << "no rows say nothing";
    EXPECT_EQ(to_doubles(empty.running_var), var);
  }
}

}  // namespace
}  // namespace vae::kernels
