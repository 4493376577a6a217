// Pooling against plain loops that walk from the windows to the pixels.
#include <gtest/gtest.h>

#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::kernels::pool_test {

using test::distance;

struct Pool {
  int64_t n, h, w, c;
  Window window;
  Shape image() const { return {n, h, w, c}; }
  Shape result() const { return window.output("pool", image(), c); }
};

const Pool kPools[] = {
    {2, 26, 26, 64, Window(4, 4)},
    {2, 4, 4, 32, Window(4, 4)},
    {2, 32, 32, 3, Window(3, 2)},
    {1, 35, 35, 19, Window(3, 1, 1)},
    {2, 16, 16, 48, Window(2, 2)},
    {3, 8, 8, 128, Window(8)},
    {1, 7, 9, 2, {{3, 2, 1}, {5, 1, 2}}},
    {1, 5, 5, 1, Window(1)},
    {2, 6, 5, 1000, Window(2, 3, 1)},
    {0, 4, 4, 3, Window(2)},
    {2, 4, 4, 0, Window(2)},
    {1, 9, 9, 4, Window(2, 3)},
};

/// Calls body(pixel offset, result offset, channels along both) for every pixel under every window.
template <class Body>
void for_pixels(const Pool& p, const Body& body) {
  const auto& [vertical, horizontal] = p.window;
  const Shape y = p.result();
  for (int64_t n = 0; n < p.n; ++n)
    for (int64_t oh = 0; oh < y[1]; ++oh)
      for (int64_t ow = 0; ow < y[2]; ++ow)
        for (int64_t kh = 0; kh < vertical.kernel; ++kh)
          for (int64_t kw = 0; kw < horizontal.kernel; ++kw) {
            const int64_t ih = oh * vertical.stride + kh - vertical.padding;
            const int64_t iw = ow * horizontal.stride + kw - horizontal.padding;
            if (ih < 0 || ih >= p.h || iw < 0 || iw >= p.w) continue;
            for (int64_t c = 0; c < p.c; ++c)
              body(static_cast<size_t>(((n * p.h + ih) * p.w + iw) * p.c + c),
                   static_cast<size_t>(((n * y[1] + oh) * y[2] + ow) * p.c + c));
          }
}

template <class Body>
void for_all(const Body& body) {
  for (const Device device : test::devices())
    for (const DType dtype : {DType::f32, DType::f64})
      for (const Pool& p : kPools) {
        if (device.type == DeviceType::simt && p.image().numel() > 30000) continue;  // slow
        SCOPED_TRACE(fmt::format("{} under {}, {} on {}", p.image().str(), p.window.str(), name_of(dtype),
                                 device.str()));
        // Few distinct values, so that windows have equal pixels.
        std::vector<double> x = test::sample(p.image().numel(), -3, 3, 1);
        for (double& v : x) v = std::round(2 * v) / 2;
        body(p, test::tensor_of(x, p.image(), dtype, device),
             test::sample_tensor(p.result(), dtype, device, -1, 1, 2));
      }
}

Tensor written_before(const Tensor& like) {
  return test::sample_tensor(like.shape(), like.dtype(), like.device(), -1, 1, 3);
}

struct Maxima {
  std::vector<double> values;
  std::vector<size_t> pixels;  // offset of each maximum
};

Maxima maxima(const Pool& p, const std::vector<double>& x) {
  const auto size = static_cast<size_t>(p.result().numel());
  Maxima m{std::vector<double>(size, -HUGE_VAL), std::vector<size_t>(size)};
  for_pixels(p, [&](size_t i, size_t o) {
    if (x[i] > m.values[o]) m.values[o] = x[i], m.pixels[o] = i;
  });
  return m;
}

TEST(Naive, max_pool_fwd) {
  for_all([](const Pool& p, const Tensor& x, const Tensor& dy) {
    const Tensor y = written_before(dy), index = Tensor::zeros(dy.shape(), DType::i32, dy.device());
    max_pool_fwd(x, y, index, p.window);
    const Maxima m = maxima(p, to_doubles(x));
    EXPECT_EQ(to_doubles(y), m.values);
    std::vector<double> positions;
    for (const size_t i : m.pixels)
      positions.push_back(static_cast<double>(static_cast<int64_t>(i) / p.c % (p.h * p.w)));
    EXPECT_EQ(to_doubles(index), positions);
  });
}

/// Each gradient is a sum of at most 25 terms.
double tolerance_of(const Tensor& t) { return t.dtype() == DType::f32 ? 1e-6 : 1e-14; }

TEST(Naive, max_pool_bwd) {
  for_all([](const Pool& p, const Tensor& x, const Tensor& dy) {
    const Tensor y = written_before(dy), index = Tensor::zeros(dy.shape(), DType::i32, dy.device());
    max_pool_fwd(x, y, index, p.window);
    const Maxima m = maxima(p, to_doubles(x));
    const std::vector<double> g = to_doubles(dy);
    for (const Write write : {Write::set, Write::add}) {
      const Tensor dx = written_before(x);
      std::vector<double> expected =
          write == Write::add ? to_doubles(dx) : std::vector<double>(static_cast<size_t>(x.numel()));
      for (size_t o = 0; o < g.size(); ++o) expected[m.pixels[o]] += g[o];
      max_pool_bwd(dy, index, dx, p.window, write);
      EXPECT_LE(distance(to_doubles(dx), expected), tolerance_of(dx));
    }
  });
}

/// What each window is divided by.
std::vector<double> divisors(const Pool& p, Divisor divisor) {
  std::vector<double> counts(static_cast<size_t>(p.result().numel()));
  for_pixels(p, [&](size_t, size_t o) { counts[o] += 1; });
  if (divisor == Divisor::window)
    std::fill(counts.begin(), counts.end(), static_cast<double>(p.window.h.kernel * p.window.w.kernel));
  return counts;
}

TEST(Naive, avg_pool_fwd) {
  for_all([](const Pool& p, const Tensor& x, const Tensor& dy) {
    for (const Divisor divisor : {Divisor::window, Divisor::pixels}) {
      const Tensor y = written_before(dy);
      avg_pool_fwd(x, y, p.window, divisor);
      const std::vector<double> count = divisors(p, divisor), values = to_doubles(x);
      std::vector<double> expected(count.size());
      for_pixels(p, [&](size_t i, size_t o) { expected[o] += values[i] / count[o]; });
      EXPECT_LE(distance(to_doubles(y), expected), tolerance_of(y));
    }
  });
}

TEST(Naive, avg_pool_bwd) {
  for_all([](const Pool& p, const Tensor& x, const Tensor& dy) {
    for (const Divisor divisor : {Divisor::window, Divisor::pixels})
      for (const Write write : {Write::set, Write::add}) {
        const Tensor dx = written_before(x);
        const std::vector<double> count = divisors(p, divisor), g = to_doubles(dy);
        std::vector<double> expected =
            write == Write::add ? to_doubles(dx) : std::vector<double>(static_cast<size_t>(x.numel()));
        for_pixels(p, [&](size_t i, size_t o) { expected[i] += g[o] / count[o]; });
        avg_pool_bwd(dy, dx, p.window, divisor, write);
        EXPECT_LE(distance(to_doubles(dx), expected), tolerance_of(dx));
      }
  });
}

TEST(Pool, ANanIsTheMaximumAndInfinitiesAreNumbers) {
  for (const Device device : test::devices()) {
    const double inf = HUGE_VAL, nan = std::nan("");
    for (const auto& [x, expected] : {std::pair<std::vector<double>, double>{{1, nan, 3, 2}, nan},
                                      {{nan, 1, 3, 2}, nan},
                                      {{-inf, -inf, -inf, -inf}, -inf},
                                      {{1, inf, 3, -inf}, inf}}) {
      const Tensor y = Tensor::zeros({1, 1, 1, 1}, DType::f32, device),
                   index = Tensor::zeros({1, 1, 1, 1}, DType::i32, device);
      max_pool_fwd(test::tensor_of(x, {1, 2, 2, 1}, DType::f32, device), y, index, Window(2));
      EXPECT_TRUE(std::isnan(expected) ? std::isnan(y.item()) : y.item() == expected);
      EXPECT_EQ(std::isnan(expected), std::isnan(x[static_cast<size_t>(index.item())]));
    }
  }
}

TEST(Pool, RefusesWhatDoesNotFit) {
  const auto refused = [](const std::string& words, Shape x, Shape y, Window window,
                          DType index = DType::i32) {
    test::expect_error(ErrorKind::internal, words, [&] {
      max_pool_fwd(Tensor::zeros(x), Tensor::zeros(y), Tensor::zeros(y, index), window);
    });
  };
  refused("max_pool_fwd", {4, 4, 2}, {2, 2, 2}, Window(2, 2));
  refused("is not", {1, 4, 4, 2}, {1, 3, 2, 2}, Window(2, 2));
  refused("exceeds the padded images", {1, 2, 2, 2}, {1, 1, 1, 2}, Window(3));
  refused("more than half of it is padding", {1, 4, 4, 2}, {1, 7, 7, 2}, Window(2, 1, 2));
  refused("index", {1, 4, 4, 2}, {1, 2, 2, 2}, Window(2, 2), DType::i64);
}

}  // namespace vae::kernels::pool_test
