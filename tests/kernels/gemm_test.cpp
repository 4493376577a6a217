#include <gtest/gtest.h>

#include "tests/numeric.h"

namespace vae::kernels::gemm_test {

using test::sample_tensor;

struct Sizes {
  int64_t m, n, k;
};

double at(const std::vector<double>& x, bool transposed, int64_t r, int64_t c, int64_t rows,
          int64_t columns) {
  return x[static_cast<size_t>(transposed ? c * rows + r : r * columns + c)];
}

TEST(Naive, gemm) {
  for (const Device device : test::devices())
    for (const DType dtype : {DType::f32, DType::f64})
      for (const Sizes& s : {Sizes{1, 1, 1},
                             {0, 3, 4},
                             {3, 0, 4},
                             {3, 4, 0},
                             {31, 33, 257},
                             {1, 1000, 33},
                             {257, 1, 31},
                             {33, 31, 1},
                             {4, 5, 1000}})
        for (const bool ta : {false, true})
          for (const bool tb : {false, true})
            for (const double alpha : {1.0, -0.5})
              for (const double beta : {0.0, 1.0, 0.25}) {
                const Tensor a =
                    sample_tensor(ta ? Shape{s.k, s.m} : Shape{s.m, s.k}, dtype, device, -1, 1, 1);
                const Tensor b =
                    sample_tensor(tb ? Shape{s.n, s.k} : Shape{s.k, s.n}, dtype, device, -1, 1, 2);
                const Tensor c = sample_tensor({s.m, s.n}, dtype, device, -1, 1, 3);
                const std::vector<double> av = to_doubles(a), bv = to_doubles(b), before = to_doubles(c);
                if (beta == 0) fill(c, std::nan(""));  // what is overwritten must not be read
                std::vector<double> expected;
                for (int64_t i = 0; i < s.m; ++i)
                  for (int64_t j = 0; j < s.n; ++j) {
                    double total = 0;
                    for (int64_t k = 0; k < s.k; ++k)
                      total += at(av, ta, i, k, s.m, s.k) * at(bv, tb, k, j, s.k, s.n);
                    expected.push_back(alpha * total +
                                       (beta == 0 ? 0 : beta * before[static_cast<size_t>(i * s.n + j)]));
                  }
                gemm(a, ta ? Transpose::yes : Transpose::no, b, tb ? Transpose::yes : Transpose::no, c, alpha,
                     beta);
                EXPECT_LE(test::distance(to_doubles(c), expected), dtype == DType::f32 ? 3e-6 : 1e-14)
                    << s.m << " x " << s.n << " x " << s.k << (ta ? " ta" : "") << (tb ? " tb" : "")
                    << " alpha " << alpha << " beta " << beta << " " << name_of(dtype) << " " << device.str();
              }
}

TEST(Naive, linear_fwd) {
  for (const Device device : test::devices())
    for (const DType dtype : {DType::f32, DType::f64})
      for (const Sizes& s :
           {Sizes{1, 1, 1}, {0, 3, 4}, {4, 0, 4}, {4, 4, 0}, {31, 33, 257}, {4, 4, 33}, {32, 1, 31}})
        for (const int64_t rows : {int64_t{0}, int64_t{1}, s.m / 2, s.m}) {  // of the bias
          if (s.m && rows && s.m % rows) continue;
          const Tensor x = sample_tensor({s.m, s.k}, dtype, device, -1, 1, 1),
                       w = sample_tensor({s.n, s.k}, dtype, device, -1, 1, 2),
                       bias = sample_tensor({rows, s.n}, dtype, device, -1, 1, 3),
                       y = Tensor::empty({s.m, s.n}, dtype, device);
          fill(y, std::nan(""));
          const std::vector<double> xv = to_doubles(x), wv = to_doubles(w), bv = to_doubles(bias);
          std::vector<double> expected;
          for (int64_t i = 0; i < s.m; ++i)
            for (int64_t j = 0; j < s.n; ++j) {
              double total = rows ? bv[static_cast<size_t>(i % rows * s.n + j)] : 0;
              for (int64_t k = 0; k < s.k; ++k)
                total += at(xv, false, i, k, s.m, s.k) * at(wv, false, j, k, s.n, s.k);
              expected.push_back(total);
            }
          linear_fwd(x, w, rows ? bias : Tensor{}, y);
          EXPECT_LE(test::distance(to_doubles(y), expected), dtype == DType::f32 ? 3e-6 : 1e-14)
              << s.m << " x " << s.n << " x " << s.k << ", bias of " << rows << " rows, " << name_of(dtype)
              << " " << device.str();
        }
}

TEST(Gemm, TakesTensorsOfAnyRankAsRows) {
  const Tensor a = sample_tensor({2, 3, 4}, DType::f64),
               b = sample_tensor({4, 5}, DType::f64, kCpu, -2, 2, 1);
  const Tensor c = Tensor::empty({2, 3, 5}, DType::f64), flat = Tensor::empty({6, 5}, DType::f64);
  gemm(a, Transpose::no, b, Transpose::no, c, 1, 0);
  gemm(a.reshape({6, 4}), Transpose::no, b, Transpose::no, flat, 1, 0);
  EXPECT_EQ(to_doubles(c), to_doubles(flat));
}

}  // namespace vae::kernels::gemm_test
