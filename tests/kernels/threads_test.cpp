// Results do not depend on the number of threads. Kernels that no differentiable function calls stand here;
// the others are covered case by case in tests/autograd/catalogue_test.cpp.
#include <gtest/gtest.h>

#include <functional>

#include "tests/numeric.h"

namespace vae::kernels::threads_test {

using test::sample_tensor;

constexpr RandomKey kKey = RandomKey::named(5, "threads");

/// Runs `body` with one, two and three threads and compares the bits of what it returns.
void expect_same(const std::string& what, const std::function<std::vector<Tensor>()>& body) {
  std::vector<std::vector<Tensor>> results;
  for (const int threads : {1, 2, 3}) {
    const ThreadsScope scope(threads);
    results.push_back(body());
  }
  for (size_t i = 0; i < results[0].size(); ++i)
    for (const int other : {1, 2})
      EXPECT_TRUE(test::same_bits(results[0][i], results[other][i]))
          << what << ", " << other + 1 << " threads";
}

TEST(Threads, RandomNumbers) {
  for (const DType dtype : {DType::f32, DType::f64})
    expect_same("random", [&] {
      const Tensor uniform = Tensor::empty({50001}, dtype), normal = Tensor::empty({50001}, dtype);
      random_uniform(uniform, kKey, Tensor::scalar(int64_t{2}), {});
      random_normal(normal, kKey, Tensor::scalar(int64_t{2}), {});
      return std::vector<Tensor>{uniform, normal};
    });
}

TEST(Threads, Sums) {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const Axis& axis :
         {Axis::all(300007), Axis::rows(1000, 321), Axis::columns(321, 1000), Axis{3, 700, 130}})
      expect_same("sum", [&] {
        const Tensor x = sample_tensor({axis.outer * axis.count * axis.inner}, dtype);
        const Tensor y = Tensor::empty({axis.outer * axis.inner}, dtype),
                     squares = Tensor::empty({}, DType::f64);
        sum(x, y, axis, 1, Write::set);
        sum_squares(x, squares);
        return std::vector<Tensor>{y, squares};
      });
}

struct Product {
  int64_t m, n, k;
};

Tensor product(const Product& s, bool ta, bool tb, DType dtype) {
  const Tensor a = sample_tensor(ta ? Shape{s.k, s.m} : Shape{s.m, s.k}, dtype, kCpu, -1, 1, 1);
  const Tensor b = sample_tensor(tb ? Shape{s.n, s.k} : Shape{s.k, s.n}, dtype, kCpu, -1, 1, 2);
  const Tensor c = Tensor::empty({s.m, s.n}, dtype);
  gemm(a, ta ? Transpose::yes : Transpose::no, b, tb ? Transpose::yes : Transpose::no, c, 1, 0);
  return c;
}

// The layers of M2: forward, gradient of the input, gradient of the weight.
TEST(Threads, Gemm) {
  for (const Product& s :
       {Product{100, 500, 784}, {1000, 784, 500}, {500, 784, 1000}, {500, 10, 100}, {50, 500, 1000}})
    for (const bool ta : {false, true})
      for (const bool tb : {false, true}) {
        const std::string what =
            fmt::format("{} x {} x {}{}{}", s.m, s.n, s.k, ta ? " ta" : "", tb ? " tb" : "");
        expect_same("gemm f64 " + what, [&] { return std::vector<Tensor>{product(s, ta, tb, DType::f64)}; });
        // oneDNN may divide the inner dimension among the threads: the last bits of f32 depend on their
        // number. For a given number they repeat.
        std::vector<Tensor> results;
        for (const int threads : {1, 2, 3, 3}) {
          const ThreadsScope scope(threads);
          results.push_back(product(s, ta, tb, DType::f32));
        }
        EXPECT_TRUE(test::same_bits(results[2], results[3])) << what;
        for (const Tensor& result : results)
          EXPECT_LE(test::distance(to_doubles(result), to_doubles(results[0])), 1e-6) << what;
      }
}

TEST(Threads, Optimizers) {
  for (const DType dtype : {DType::f32, DType::f64})
    expect_same("optimiser", [&] {
      const Shape n{70001};
      const Tensor p = sample_tensor(n, dtype, kCpu, -1, 1, 1), g = sample_tensor(n, dtype, kCpu, -1, 1, 2);
      const Tensor m = Tensor::zeros(n, dtype), v = Tensor::zeros(n, dtype), rate = Tensor::scalar(0.1);
      adam(alone(AdamStep{p, g, m, v, Tensor::scalar(int64_t{1}), rate, Tensor::scalar(9.0), 1, 0, {}}));
      const Tensor q = p.clone(), velocity = Tensor::zeros(n, dtype);
      sgd(alone(SgdStep{q, g, velocity, rate, Tensor::scalar(9.0), 1, 0, {0.9, 0.1, true}}));
      return std::vector<Tensor>{p, m, v, q, velocity};
    });
}

/// Those that take Winograd's algorithm, by blocks of tiles and by points.
TEST(Threads, WinogradConvolutions) {
  struct Layer {
    Shape x;
    int64_t channels;
    Window window;
  };
  for (const Layer& l :
       {Layer{{12, 32, 32, 32}, 32, Window(3, 1, 1)}, Layer{{3, 8, 8, 64}, 64, Window(3, 1, 1)},
        Layer{{40, 16, 16, 32}, 64, Window(4, 2, 1)}, Layer{{9, 16, 16, 16}, 32, Window(4, 2, 1)}})
    expect_same(l.x.str() + " under " + l.window.str(), [&] {
      const Tensor x = sample_tensor(l.x, DType::f32, kCpu, -1, 1, 1),
                   w = sample_tensor({l.channels, l.window.h.kernel, l.window.w.kernel, l.x[3]}, DType::f32,
                                     kCpu, -1, 1, 2),
                   y = Tensor::empty(l.window.output("threads", l.x, l.channels)), dx = Tensor::empty(l.x),
                   dw = Tensor::empty(w.shape());
      conv2d_fwd(x, w, {}, y, l.window, {});
      conv2d_bwd_input(y, w, dx, l.window, Write::set);
      conv2d_bwd_weight(y, x, dw, l.window, Write::set);
      return std::vector<Tensor>{y, dx, dw};
    });
}

}  // namespace vae::kernels::threads_test
