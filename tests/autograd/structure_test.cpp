// The functions that move, gather and reduce: values against plain loops, refusals. Their gradients are
// checked by the catalogue.
#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "tests/numeric.h"

namespace vae::autograd::structure_test {

using kernels::Axis;
using kernels::Transpose;
using test::distance;

Var sample(Shape shape, uint64_t stream = 0) {
  return Var(test::sample_tensor(shape, DType::f64, kCpu, -2, 2, stream));
}

Tensor ids(const std::vector<int64_t>& values) {
  return Tensor::from(values, {static_cast<int64_t>(values.size())});
}

TEST(Structure, ConcatAndSliceAreInverse) {
  const Var a = sample({2, 3, 4}, 1), b = sample({2, 3, 1}, 2), c = sample({2, 3, 2}, 3);
  const Var y = concat({a, b, c});
  EXPECT_EQ(y.shape(), (Shape{2, 3, 7}));
  const std::vector<double> all = to_doubles(y.value());
  for (size_t r = 0; r < 6; ++r) {
    for (size_t k = 0; k < 4; ++k) EXPECT_EQ(all[r * 7 + k], to_doubles(a.value())[r * 4 + k]);
    EXPECT_EQ(all[r * 7 + 4], to_doubles(b.value())[r]);
    for (size_t k = 0; k < 2; ++k) EXPECT_EQ(all[r * 7 + 5 + k], to_doubles(c.value())[r * 2 + k]);
  }
  EXPECT_TRUE(test::same_bits(slice_columns(y, 0, 4).value(), a.value()));
  EXPECT_TRUE(test::same_bits(slice_columns(y, 4, 5).value(), b.value()));
  EXPECT_TRUE(test::same_bits(slice_columns(y, 5, 7).value(), c.value()));
}

TEST(Structure, GroupsOfRows) {
  const Var x(test::tensor_of({1, 10, 2, 20, 3, 30, 4, 40}, {4, 2}, DType::f64));
  const Tensor group = ids({2, 0, 2, 2});
  EXPECT_EQ(to_doubles(segment_sum(x, group, 4).value()), (std::vector<double>{2, 20, 0, 0, 8, 80, 0, 0}));
  EXPECT_EQ(to_doubles(gather_rows(segment_sum(x, group, 4), group).value()),
            (std::vector<double>{8, 80, 2, 20, 8, 80, 8, 80}));
}

// Precision-weighted mean of a group, the evidence of a product of Gaussians, in the order it is used.
TEST(Structure, GroupEvidence) {
  const Var mu = sample({6, 3}, 1), log_var = sample({6, 3}, 2);
  const std::vector<int64_t> group{1, 0, 1, 2, 0, 1};
  const Var precision = reciprocal(exp(log_var));
  const Var total = segment_sum(precision, ids(group), 3);
  const Var mean = segment_sum(mu * precision, ids(group), 3) / total;
  const std::vector<double> m = to_doubles(mu.value()), l = to_doubles(log_var.value());
  std::vector<double> expected;
  for (int64_t g = 0; g < 3; ++g)
    for (size_t d = 0; d < 3; ++d) {
      double weight = 0, sum = 0;
      for (size_t r = 0; r < 6; ++r)
        if (group[r] == g) weight += std::exp(-l[r * 3 + d]), sum += m[r * 3 + d] * std::exp(-l[r * 3 + d]);
      expected.push_back(sum / weight);
    }
  EXPECT_LE(distance(to_doubles(mean.value()), expected), 1e-14);
}

TEST(Structure, MixesRows) {
  const Var x(test::tensor_of({1, 2, 10, 20, 100, 200}, {3, 1, 2}, DType::f64));
  const Tensor index = ids({2, 0, 1});
  const Var half(test::tensor_of({0.25}, {}, DType::f64)),
      each(test::tensor_of({1, 0, 0.5}, {3}, DType::f64));
  const Var y = mix_rows(x, index, half);
  EXPECT_EQ(y.shape(), x.shape());
  EXPECT_EQ(to_doubles(y.value()), (std::vector<double>{75.25, 150.5, 3.25, 6.5, 32.5, 65}));
  EXPECT_EQ(to_doubles(mix_rows(x, index, each).value()), (std::vector<double>{1, 2, 1, 2, 55, 110}));
}

TEST(Structure, EnumeratesLabels) {
  const Tensor y = enumerate_labels(3, 2, DType::f64, kCpu);
  EXPECT_EQ(to_doubles(y), (std::vector<double>{1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1}));
  EXPECT_EQ(enumerate_labels(3, 0, DType::f32, kCpu).shape(), (Shape{0, 3}));
}

TEST(Structure, Axes) {
  const Var x = sample({4, 5, 6});
  const std::vector<double> v = to_doubles(x.value());
  std::vector<double> middle(24), leading(30), last(20);
  for (size_t o = 0; o < 4; ++o)
    for (size_t k = 0; k < 5; ++k)
      for (size_t i = 0; i < 6; ++i) {
        middle[o * 6 + i] += v[(o * 5 + k) * 6 + i];
        leading[k * 6 + i] += v[(o * 5 + k) * 6 + i];
        last[o * 5 + k] += v[(o * 5 + k) * 6 + i] / 6;
      }
  EXPECT_EQ(sum(x, {4, 5, 6}).shape(), (Shape{4, 6}));
  EXPECT_LE(distance(to_doubles(sum(x, {4, 5, 6}).value()), middle), 1e-14);
  EXPECT_LE(distance(to_doubles(sum(x, Axis::rows(4, 30)).value()), leading), 1e-14);
  EXPECT_LE(distance(to_doubles(mean(x, Axis::columns(20, 6)).value()), last), 1e-14);
}

// mean over m of log(mean over i of e^(w - max) + eps) + max for weights [m, i, row].
TEST(Structure, ImportanceWeightedBound) {
  constexpr int64_t kDraws = 2, kWeights = 3, kRows = 5;
  const Var w = sample({kDraws, kWeights, kRows});
  const double eps = 1e-2;
  const Var bound = mean(log_mean_exp(w, {kDraws, kWeights, kRows}, eps), Axis::rows(kDraws, kRows));
  const std::vector<double> v = to_doubles(w.value());
  std::vector<double> expected(kRows);
  for (size_t m = 0; m < kDraws; ++m)
    for (size_t r = 0; r < kRows; ++r) {
      const double a = v[(m * 3 + 0) * 5 + r], b = v[(m * 3 + 1) * 5 + r], c = v[(m * 3 + 2) * 5 + r];
      const double top = std::max({a, b, c});
      expected[r] +=
          (std::log((std::exp(a - top) + std::exp(b - top) + std::exp(c - top)) / 3 + eps) + top) / kDraws;
    }
  EXPECT_LE(distance(to_doubles(bound.value()), expected), 1e-14);
}

TEST(Structure, Products) {
  for (const Transpose ta : {Transpose::no, Transpose::yes})
    for (const Transpose tb : {Transpose::no, Transpose::yes}) {
      const Var a = sample(ta == Transpose::no ? Shape{4, 5} : Shape{5, 4}, 1);
      const Var b = sample(tb == Transpose::no ? Shape{5, 6} : Shape{6, 5}, 2);
      const std::vector<double> av = to_doubles(a.value()), bv = to_doubles(b.value());
      std::vector<double> expected;
      for (size_t i = 0; i < 4; ++i)
        for (size_t j = 0; j < 6; ++j) {
          double dot = 0;
          for (size_t k = 0; k < 5; ++k)
            dot += av[ta == Transpose::no ? i * 5 + k : k * 4 + i] *
                   bv[tb == Transpose::no ? k * 6 + j : j * 5 + k];
          expected.push_back(dot);
        }
      EXPECT_LE(distance(to_doubles(matmul(a, ta, b, tb).value()), expected), 1e-14);
    }
}

}  // namespace vae::autograd::structure_test
