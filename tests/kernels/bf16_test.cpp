// bf16: its rounding, and products and convolutions of bf16 factors against f64 on the same factors.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "kernels/conv_onednn.h"
#include "kernels/gemm_onednn.h"
#include "tests/numeric.h"

namespace vae::kernels {
namespace {

using test::sample_tensor;

Tensor to_f32(const Tensor& x) {
  const Tensor y = Tensor::empty(x.shape(), DType::f32, x.device());
  cast(x, y);
  return y;
}

Tensor to_bf16(const Tensor& x) {
  const Tensor y = Tensor::empty(x.shape(), DType::bf16, x.device());
  cast(x, y);
  return y;
}

/// Random factors of bf16.
Tensor factor(Shape shape, Device device, uint64_t stream) {
  return to_bf16(sample_tensor(shape, DType::f32, device, -1, 1, stream));
}

/// The same numbers in f64 on the CPU.
Tensor exact(const Tensor& x) {
  return test::tensor_of(to_doubles(x.dtype() == DType::bf16 ? to_f32(x) : x), x.shape(), DType::f64);
}

/// By the definition: the nearest multiple of the last place at the size of x, of two the even one.
float nearest(float x) {
  if (!std::isfinite(x) || x == 0) return x;
  const double place = std::ldexp(1.0, std::max(std::ilogb(x), -126) - 7);
  const double rounded = std::nearbyint(x / place) * place;
  return std::abs(rounded) >= 0x1p128 ? std::copysign(INFINITY, x) : static_cast<float>(rounded);
}

std::vector<uint16_t> all_patterns() {
  std::vector<uint16_t> all(65536);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint16_t>(i);
  return all;
}

TEST(Bf16, AllNumbersGoToF32AndBack) {
  std::vector<bf16> all;
  for (const uint16_t bits : all_patterns()) all.push_back(std::bit_cast<bf16>(bits));
  for (const Device device : test::devices()) {
    const Tensor x = Tensor::from(all, {65536}, device), wide = to_f32(x);
    const auto values = wide.to_vector<float>();
    const auto back = to_bf16(wide).to_vector<bf16>();
    for (size_t i = 0; i < all.size(); ++i) {
      ASSERT_EQ(std::bit_cast<uint32_t>(values[i]), static_cast<uint32_t>(i) << 16) << device.str();
      if (std::isnan(values[i])) {
        ASSERT_TRUE(std::isnan(static_cast<float>(back[i]))) << i << " on " << device.str();
      } else {
        ASSERT_EQ(back[i].bits, i) << device.str();
      }
    }
  }
}

TEST(Bf16, RoundsToTheNearestAndToEven) {
  std::vector<float> values;  // around the middle between any two neighbours, infinities and NaN among them
  for (const uint32_t upper : all_patterns())
    for (const uint32_t lower : {0u, 1u, 0x7FFFu, 0x8000u, 0x8001u, 0xFFFFu})
      values.push_back(std::bit_cast<float>(upper << 16 | lower));
  const auto n = static_cast<int64_t>(values.size());
  for (const Device device : test::devices()) {
    const auto rounded = to_f32(to_bf16(Tensor::from(values, {n}, device))).to_vector<float>();
    for (size_t i = 0; i < values.size(); ++i) {
      if (std::isnan(values[i])) {
        ASSERT_TRUE(std::isnan(rounded[i])) << device.str();
      } else {
        ASSERT_EQ(std::bit_cast<uint32_t>(rounded[i]), std::bit_cast<uint32_t>(nearest(values[i])))
            << values[i] << " on " << device.str();
      }
    }
  }
}

struct Sizes {
  int64_t m, n, k;
};
constexpr Sizes kSizes[] = {{1, 1, 1},     {0, 3, 4},  {3, 0, 4},  {3, 4, 0},
                            {31, 33, 257}, {1, 33, 7}, {64, 1, 5}, {33, 128, 64}};

TEST(Bf16, Products) {
  for (const Device device : test::devices())
    for (const Sizes& s : kSizes)
      for (const Transpose ta : {Transpose::no, Transpose::yes})
        for (const Transpose tb : {Transpose::no, Transpose::yes})
          for (const auto& [alpha, beta] : {std::pair{1.0, 0.0}, {1.0, 1.0}, {-0.5, 0.25}}) {
            const Tensor a = factor(ta == Transpose::yes ? Shape{s.k, s.m} : Shape{s.m, s.k}, device, 1),
                         b = factor(tb == Transpose::yes ? Shape{s.n, s.k} : Shape{s.k, s.n}, device, 2),
                         c = sample_tensor({s.m, s.n}, DType::f32, device, -1, 1, 3), expected = exact(c);
            gemm(exact(a), ta, exact(b), tb, expected, alpha, beta);
            if (beta == 0) fill(c, std::nan(""));  // what is overwritten must not be read
            gemm(a, ta, b, tb, c, alpha, beta);
            EXPECT_LE(test::distance(to_doubles(c), to_doubles(expected)), 3e-6)
                << s.m << " x " << s.n << " x " << s.k << " alpha " << alpha << " on " << device.str();
          }
}

TEST(Bf16, Linear) {
  for (const Device device : test::devices())
    for (const Sizes& s : kSizes)
      for (const int64_t rows : {int64_t{0}, int64_t{1}, s.m}) {  // of the bias
        const Tensor x = factor({s.m, s.k}, device, 1), w = factor({s.n, s.k}, device, 2),
                     bias = rows ? sample_tensor({rows, s.n}, DType::f32, device, -1, 1, 3) : Tensor{},
                     y = sample_tensor({s.m, s.n}, DType::f32, device),
                     expected = Tensor::empty({s.m, s.n}, DType::f64);
        linear_fwd(exact(x), exact(w), rows ? exact(bias) : Tensor{}, expected);
        linear_fwd(x, w, bias, y);
        EXPECT_LE(test::distance(to_doubles(y), to_doubles(expected)), 3e-6)
            << s.m << " x " << s.n << " x " << s.k << ", " << rows << " rows on " << device.str();
      }
}

struct Layer {
  Shape image;
  int64_t out;
  Window window;
};

TEST(Bf16, Convolutions) {
  const Layer layers[] = {
      {{
           2,
           9,
           9,
           32,
       },
       48,
       Window(3, 1, 1)},  // Winograd's algorithm on the CPU
      {{2, 8, 8, 16}, 32, Window(4, 2, 1)},
      {{2, 9, 8, 5}, 7, {{3, 2, 0}, {5, 1, 0}}},
      {{2, 8, 8, 16}, 32, Window(1, 2)},
      {{2, 6, 5, 16}, 24, Window(1)},   // a product
      {{16, 4, 4, 64}, 64, Window(4)},  // one window
      {{2, 7, 7, 3}, 1, Window(3, 1, 1)},
      {{2, 7, 7, 1}, 4, Window(3, 1, 1)},
      {{1, 3, 3, 2}, 40, Window(3, 1, 1)},  // more weights than pixels
      {{0, 5, 5, 3}, 2, Window(3)},
      {{2, 5, 5, 0}, 2, Window(3)},
      {{2, 5, 5, 3}, 0, Window(3)},
  };
  for (const Device device : test::devices())
    for (const Layer& l : layers) {
      SCOPED_TRACE(
          fmt::format("{} -> {} under {} on {}", l.image.str(), l.out, l.window.str(), device.str()));
      const Shape shape_w{l.out, l.window.h.kernel, l.window.w.kernel, l.image[3]},
          shape_y = l.window.output("layer", l.image, l.out);
      const Tensor x = factor(l.image, device, 1), w = factor(shape_w, device, 2),
                   dy = factor(shape_y, device, 3),
                   bias = sample_tensor({l.out}, DType::f32, device, -1, 1, 4);
      const auto check = [&](Shape shape, const auto& compute) {
        const Tensor result = sample_tensor(shape, DType::f32, device, -1, 1, 5), expected = exact(result);
        compute(result, [](const Tensor& t) { return t; });
        compute(expected, exact);
        EXPECT_LE(test::distance(to_doubles(result), to_doubles(expected)), 1e-5);
      };
      const Activation tanh = activation(Map::tanh);
      check(shape_y, [&](Out y, const auto& of) { conv2d_fwd(of(x), of(w), of(bias), y, l.window, tanh); });
      for (const Write write : {Write::set, Write::add}) {
        check(l.image, [&](Out dx, const auto& of) { conv2d_bwd_input(of(dy), of(w), dx, l.window, write); });
        check(shape_w,
              [&](Out dw, const auto& of) { conv2d_bwd_weight(of(dy), of(x), dw, l.window, write); });
      }
    }
}

/// What oneDNN is asked for, whichever processor: f32 has primitives everywhere, and is described like bf16.
template <class Body>
void for_dtypes(const Body& body) {
  for (const DType dtype : {DType::f32, DType::bf16})
    body(dtype, [dtype](Shape shape, uint64_t stream) {
      const Tensor x = factor(shape, kCpu, stream);
      return dtype == DType::f32 ? to_f32(x) : x;
    });
}

void expect_close(bool done, DType dtype, const Tensor& result, const Tensor& expected) {
  EXPECT_TRUE(done || dtype == DType::bf16);
  const double error = done ? test::distance(to_doubles(result), to_doubles(expected)) : 0;
  EXPECT_LE(error, 1e-5) << name_of(dtype);
}

TEST(Bf16, PrimitivesOfProducts) {
  for_dtypes([](DType dtype, const auto& made) {
    for (const Sizes& s : {Sizes{31, 33, 257}, {1, 33, 7}, {64, 1, 5}})
      for (const Transpose ta : {Transpose::no, Transpose::yes})
        for (const Transpose tb : {Transpose::no, Transpose::yes})
          for (const double beta : {0.0, 1.0, 0.25}) {
            const Tensor a = made(ta == Transpose::yes ? Shape{s.k, s.m} : Shape{s.m, s.k}, 1),
                         b = made(tb == Transpose::yes ? Shape{s.n, s.k} : Shape{s.k, s.n}, 2),
                         c = sample_tensor({s.m, s.n}, DType::f32, kCpu, -1, 1, 3), expected = exact(c);
            gemm(exact(a), ta, exact(b), tb, expected, 1, beta);
            const bool done = cpu::onednn::gemm(gemm_sizes(a, ta, b, tb, c), a, ta, b, tb, c, beta);
            expect_close(done, dtype, c, expected);
          }
  });
}

TEST(Bf16, PrimitivesOfConvolutions) {
  for_dtypes([](DType dtype, const auto& made) {
    const Window window(3, 2, 1);
    const Tensor x = made({2, 8, 8, 32}, 1), w = made({48, 3, 3, 32}, 2), dy = made({2, 4, 4, 48}, 3),
                 bias = sample_tensor({48}, DType::f32, kCpu, -1, 1, 4);
    const auto check = [&](Shape shape, const auto& compute, const auto& compute_exact) {
      const Tensor result = Tensor::empty(shape), expected = Tensor::empty(shape, DType::f64);
      compute_exact(expected);
      expect_close(compute(result), dtype, result, expected);
    };
    const ConvSizes s = conv_sizes("test", x, w, Tensor::empty({2, 4, 4, 48}), window);
    using namespace cpu;
    check(
        dy.shape(), [&](Out y) { return onednn::conv2d_fwd(s, x, w, bias, y); },
        [&](Out y) { kernels::conv2d_fwd(exact(x), exact(w), exact(bias), y, window, {}); });
    check(
        x.shape(), [&](Out dx) { return onednn::conv2d_bwd_input(s, dy, w, dx); },
        [&](Out dx) { kernels::conv2d_bwd_input(exact(dy), exact(w), dx, window, Write::set); });
    check(
        w.shape(), [&](Out dw) { return onednn::conv2d_bwd_weight(s, dy, x, dw); },
        [&](Out dw) { kernels::conv2d_bwd_weight(exact(dy), exact(x), dw, window, Write::set); });
  });
}

}  // namespace
}  // namespace vae::kernels
