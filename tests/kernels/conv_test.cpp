// Convolutions against plain loops in f64: the layers of all families at a small batch, and odd ones.
#include <gtest/gtest.h>

#include <functional>

#include "tensor/allocator.h"
#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::kernels::conv_test {

using test::distance;

struct Layer {
  int64_t n, h, w, in, out;
  Window window;
  Shape image() const { return {n, h, w, in}; }
  Shape weights() const { return {out, window.h.kernel, window.w.kernel, in}; }
  Shape result() const { return window.output("layer", image(), out); }
};

const Layer kLayers[] = {
    // Wide residual net: stem, blocks, halving, shortcuts.
    {2, 32, 32, 3, 16, Window(3, 1, 1)},
    {2, 32, 32, 16, 32, Window(3, 1, 1)},
    {2, 32, 32, 32, 32, Window(3, 1, 1)},
    {2, 32, 32, 32, 64, Window(3, 2, 1)},
    {2, 16, 16, 64, 64, Window(3, 1, 1)},
    {2, 16, 16, 64, 128, Window(3, 2, 1)},
    {2, 8, 8, 128, 128, Window(3, 1, 1)},
    {2, 16, 16, 16, 32, Window(1)},
    {2, 16, 16, 32, 64, Window(1, 2)},
    {3, 64, 64, 4, 8, Window(1, 2)},
    // Its decoder, as the adjoint: images of twice the extent onto the layer's input.
    {3, 1, 1, 64, 138, Window(1)},
    {3, 2, 2, 64, 128, Window(4, 2, 1)},
    {2, 8, 8, 128, 256, Window(4, 2, 1)},
    {2, 32, 32, 3, 64, Window(4, 2, 1)},
    {2, 32, 32, 1, 32, Window(4, 2, 1)},
    {2, 32, 32, 3, 64, Window(7, 2, 3)},
    // Trunk and image decoder of the symmetric models.
    {2, 28, 28, 1, 32, Window(3, 1, 1)},
    {2, 28, 28, 32, 32, Window(2)},
    {2, 27, 27, 32, 64, Window(3, 2)},
    {2, 13, 13, 64, 64, Window(3)},
    {2, 11, 11, 64, 64, Window(3)},
    {2, 9, 9, 64, 128, Window(3, 2)},
    {5, 4, 4, 128, 600, Window(4)},
    {5, 4, 4, 128, 100, Window(4)},
    {2, 28, 28, 32, 1, Window(3, 1, 1)},
    // Convolutional classifier; Inception's kernels.
    {2, 28, 28, 1, 64, Window(3)},
    {2, 6, 6, 64, 32, Window(3)},
    {1, 35, 35, 48, 64, Window(5, 1, 2)},
    {1, 17, 17, 32, 48, {{1, 1, 0}, {7, 1, 3}}},
    {1, 17, 17, 32, 48, {{7, 1, 3}, {1, 1, 0}}},
    {1, 8, 8, 40, 48, {{1, 1, 0}, {3, 1, 1}}},
    {1, 33, 33, 8, 96, Window(3, 2)},
    // Odd ones.
    {2, 9, 8, 5, 7, {{3, 2, 0}, {5, 1, 0}}},
    {2, 9, 8, 5, 7, {{3, 2, 2}, {5, 1, 4}}},
    {1, 3, 2, 2, 3, {{1, 3, 4}, {2, 1, 3}}},
    {2, 7, 7, 3, 1, {{3, 1, 1}, {3, 2, 1}}},
    {2, 7, 7, 3, 1, Window(3, 1, 3)},
    {2, 6, 7, 1, 1, Window(3, 1, 1)},
    {1, 1, 1, 1, 1, Window(1)},
    {2, 2, 3, 4, 5, Window(5, 2, 2)},
    {7, 3, 3, 17, 33, Window(3, 1, 1)},
    {3, 7, 9, 32, 48, Window(3, 1, 1)},  // tiles of Winograd's algorithm that hang over the edges
    {2, 5, 6, 48, 32, {{3, 1, 0}, {3, 1, 1}}},
    {2, 3, 10, 32, 64, {{3, 1, 2}, {3, 1, 0}}},
    {2, 9, 9, 32, 48, Window(3, 1, 1)},
    {2, 7, 11, 48, 32, {{3, 1, 2}, {3, 1, 0}}},
    {3, 6, 7, 32, 48, {{2, 1, 1}, {2, 1, 0}}},
    {11, 30, 29, 32, 32, Window(3, 1, 1)},  // several blocks of them
    {11, 30, 29, 32, 32, Window(2)},
    {9, 16, 16, 32, 48, Window(4, 2, 1)},  // four phases of two taps
    {9, 9, 12, 16, 32, {{4, 2, 3}, {4, 2, 0}}},
    {17, 13, 10, 48, 16, {{4, 2, 0}, {4, 2, 2}}},
    {40, 9, 8, 16, 32, {{3, 2, 1}, {4, 2, 1}}},  // phases of fewer taps than others
    {40, 16, 16, 16, 16, Window(3, 2, 1)},
    {34, 9, 9, 32, 48, Window(3, 2)},
    {40, 8, 15, 48, 16, {{3, 2, 2}, {3, 2, 0}}},
    {40, 14, 14, 16, 32, Window(5, 2, 2)},
    {33, 9, 13, 32, 16, {{5, 2, 1}, {6, 2, 3}}},
    {5, 12, 9, 16, 16, Window(3, 1, 1)},
    {0, 5, 5, 3, 2, Window(3)},
    {2, 5, 5, 0, 2, Window(3)},
    {2, 5, 5, 3, 0, Window(3)},
    {16, 4, 4, 64, 80, Window(4, 2, 1)},  // few windows
    {17, 3, 5, 64, 64, {{2, 2, 1}, {3, 2, 0}}},
    {300, 4, 4, 16, 16, Window(3, 1, 1)},  // more than one block of columns in f64
};

/// Calls body(image offset, weight offset, result offset) for every product of a convolution.
template <class Body>
void for_products(const Layer& l, const Body& body) {
  const auto& [vertical, horizontal] = l.window;
  const Shape y = l.result();
  for (int64_t n = 0; n < l.n; ++n)
    for (int64_t oh = 0; oh < y[1]; ++oh)
      for (int64_t ow = 0; ow < y[2]; ++ow)
        for (int64_t kh = 0; kh < vertical.kernel; ++kh)
          for (int64_t kw = 0; kw < horizontal.kernel; ++kw) {
            const int64_t ih = oh * vertical.stride + kh - vertical.padding;
            const int64_t iw = ow * horizontal.stride + kw - horizontal.padding;
            if (ih < 0 || ih >= l.h || iw < 0 || iw >= l.w) continue;
            for (int64_t o = 0; o < l.out; ++o)
              for (int64_t c = 0; c < l.in; ++c)
                body(static_cast<size_t>(((n * l.h + ih) * l.w + iw) * l.in + c),
                     static_cast<size_t>(((o * vertical.kernel + kh) * horizontal.kernel + kw) * l.in + c),
                     static_cast<size_t>(((n * y[1] + oh) * y[2] + ow) * l.out + o));
          }
}

struct Operands {
  Tensor x, w, bias, dy;
};

/// Calls body(layer, operands, tolerance) for all layers, dtypes and devices. Sums of up to 2300 products of
/// numbers below one: f32 rounds by 6e-8 of the largest partial sum, some tens of them deep.
template <class Body>
void for_all(const Body& body) {
  for (const Device device : test::devices()) {
    for (const DType dtype : {DType::f32, DType::f64})
      for (const Layer& l : kLayers) {
        if (device.type == DeviceType::simt && l.image().numel() * l.window.h.kernel > 10000)
          continue;  // slow
        SCOPED_TRACE(fmt::format("{} -> {} under {}, {} on {}", l.image().str(), l.out, l.window.str(),
                                 name_of(dtype), device.str()));
        const auto tensor = [&](Shape shape, uint64_t stream) {
          return test::sample_tensor(shape, dtype, device, -1, 1, stream);
        };
        body(
            l,
            Operands{tensor(l.image(), 1), tensor(l.weights(), 2), tensor({l.out}, 3), tensor(l.result(), 4)},
            dtype == DType::f32 ? 1e-5 : 1e-13);
      }
  }
}

const std::pair<Map, double (*)(double)> kActivations[] = {
    {Map::tanh, [](double x) { return std::tanh(x); }},
    {Map::relu, [](double x) { return std::max(x, 0.); }},
    {Map::softplus, [](double x) { return std::log1p(std::exp(x)); }}};

Tensor filled_like(const Tensor& like, uint64_t stream) {
  return test::sample_tensor(like.shape(), like.dtype(), like.device(), -1, 1, stream);
}

TEST(Naive, conv2d_fwd) {
  for_all([](const Layer& l, const Operands& v, double tolerance) {
    const std::vector<double> x = to_doubles(v.x), w = to_doubles(v.w), bias = to_doubles(v.bias);
    std::vector<double> plain(static_cast<size_t>(l.result().numel())), with_bias(plain.size());
    for_products(l, [&](size_t i, size_t k, size_t o) { plain[o] += x[i] * w[k]; });
    for (size_t i = 0; i < plain.size(); ++i) with_bias[i] = plain[i] + bias[i % bias.size()];
    const Tensor y = filled_like(v.dy, 5);
    conv2d_fwd(v.x, v.w, {}, y, l.window, {});
    EXPECT_LE(distance(to_doubles(y), plain), tolerance);
    conv2d_fwd(v.x, v.w, v.bias, y, l.window, {});
    EXPECT_LE(distance(to_doubles(y), with_bias), tolerance) << "with bias";
    // No activation is steeper than one, so that errors are at most those of its operand.
    double largest = 1;
    for (const double value : with_bias) largest = std::max(largest, std::abs(value));
    for (const auto& [function, f] : kActivations) {
      std::vector<double> expected = with_bias;
      std::ranges::transform(expected, expected.begin(), f);
      conv2d_fwd(v.x, v.w, v.bias, y, l.window, activation(function));
      EXPECT_LE(distance(to_doubles(y), expected), tolerance * largest) << name_of(function);
    }
  });
}

/// Compares `kernel(to, write)` with `expected`, set and added to numbers already there.
void expect_written(const Tensor& to, const std::vector<double>& expected, double tolerance,
                    const std::function<void(Write)>& kernel) {
  kernel(Write::set);
  EXPECT_LE(distance(to_doubles(to), expected), tolerance);
  std::vector<double> sum = to_doubles(to);
  for (size_t i = 0; i < sum.size(); ++i) sum[i] += expected[i];
  kernel(Write::add);
  EXPECT_LE(distance(to_doubles(to), sum), tolerance) << "added";
}

TEST(Naive, conv2d_bwd_input) {
  for_all([](const Layer& l, const Operands& v, double tolerance) {
    const std::vector<double> dy = to_doubles(v.dy), w = to_doubles(v.w);
    std::vector<double> dx(static_cast<size_t>(l.image().numel()));
    for_products(l, [&](size_t i, size_t k, size_t o) { dx[i] += dy[o] * w[k]; });
    const Tensor to = filled_like(v.x, 5);
    expect_written(to, dx, tolerance, [&](Write write) { conv2d_bwd_input(v.dy, v.w, to, l.window, write); });
  });
}

TEST(Naive, conv2d_bwd_weight) {
  for_all([](const Layer& l, const Operands& v, double tolerance) {
    const std::vector<double> dy = to_doubles(v.dy), x = to_doubles(v.x);
    std::vector<double> dw(static_cast<size_t>(l.weights().numel()));
    for_products(l, [&](size_t i, size_t k, size_t o) { dw[k] += dy[o] * x[i]; });
    const Tensor to = filled_like(v.w, 5);
    expect_written(to, dw, tolerance,
                   [&](Write write) { conv2d_bwd_weight(v.dy, v.x, to, l.window, write); });
  });
}

/// The columns of the windows [begin, end) and the adjoint, for pieces that cut images and rows.
template <class Body>
void for_pieces(const Body& body) {
  for (const Device device : test::devices())
    for (const DType dtype : {DType::f32, DType::f64})
      for (const Layer& l : kLayers) {
        const Shape y = l.result();
        const int64_t windows = y[0] * y[1] * y[2], taps = l.weights().numel() / std::max<int64_t>(l.out, 1);
        if (l.n > 3 || l.in > 8 || l.out == 0) continue;  // the small ones
        for (const auto& [begin, end] :
             {std::pair<int64_t, int64_t>{0, windows}, {windows / 5, windows / 2}}) {
          SCOPED_TRACE(fmt::format("{} under {}, windows {} to {}, {} on {}", l.image().str(), l.window.str(),
                                   begin, end, name_of(dtype), device.str()));
          body(l, test::sample_tensor(l.image(), dtype, device), taps, begin, end);
        }
      }
}

/// Calls body(image offset, column offset) for the taps on pixels of the windows [begin, end).
template <class Body>
void for_taps(const Layer& l, int64_t taps, int64_t begin, int64_t end, const Body& body) {
  Layer one = l;
  one.out = 1;
  for_products(one, [&](size_t i, size_t k, size_t o) {
    const auto window = static_cast<int64_t>(o);
    if (window >= begin && window < end) body(i, static_cast<size_t>((window - begin) * taps) + k);
  });
}

TEST(Naive, unfold) {
  for_pieces([](const Layer& l, const Tensor& x, int64_t taps, int64_t begin, int64_t end) {
    const Tensor columns = test::sample_tensor({end - begin, taps}, x.dtype(), x.device());
    const std::vector<double> values = to_doubles(x);
    std::vector<double> expected(static_cast<size_t>(columns.numel()));
    for_taps(l, taps, begin, end, [&](size_t i, size_t k) { expected[k] = values[i]; });
    unfold(x, columns, l.window, begin);
    EXPECT_EQ(to_doubles(columns), expected);
  });
}

TEST(Naive, fold) {
  for_pieces([](const Layer& l, const Tensor& x, int64_t taps, int64_t begin, int64_t end) {
    const Tensor columns = test::sample_tensor({end - begin, taps}, x.dtype(), x.device());
    const std::vector<double> values = to_doubles(columns);
    std::vector<double> expected = to_doubles(x);
    for_taps(l, taps, begin, end, [&](size_t i, size_t k) { expected[i] += values[k]; });
    fold(columns, x, l.window, begin);
    EXPECT_LE(distance(to_doubles(x), expected), x.dtype() == DType::f32 ? 1e-6 : 1e-14);
  });
}

/// Every path that the CPU may take gives what the columns give.
TEST(Conv2d, ColumnsServeEveryGeometry) {
  for_all([](const Layer& l, const Operands& v, double tolerance) {
    const Tensor y = filled_like(v.dy, 5), other = filled_like(v.dy, 6);
    conv2d_fwd(v.x, v.w, v.bias, y, l.window, {});
    columns::conv2d_fwd(v.x, v.w, v.bias, other, l.window, {});
    EXPECT_LE(distance(to_doubles(other), to_doubles(y)), tolerance);
    const Tensor dw = filled_like(v.w, 7), other_dw = filled_like(v.w, 8);
    conv2d_bwd_weight(v.dy, v.x, dw, l.window, Write::set);
    columns::conv2d_bwd_weight(v.dy, v.x, other_dw, l.window, Write::set);
    EXPECT_LE(distance(to_doubles(other_dw), to_doubles(dw)), tolerance);
  });
}

/// Large for plain loops: kernels of many channels, which meet the tiles of Winograd's algorithm in several
/// goes.
TEST(Conv2d, LargeKernelsAgreeWithThoseOfF64) {
  const Layer l{17, 16, 16, 256, 256, Window(3, 1, 1)};
  const auto results = [&](DType dtype) {
    const Tensor x = test::sample_tensor(l.image(), DType::f32, kCpu, -1, 1, 1),
                 w = test::sample_tensor(l.weights(), DType::f32, kCpu, -1, 1, 2),
                 dy = test::sample_tensor(l.result(), DType::f32, kCpu, -1, 1, 3);
    const Tensor x_of = converted(x, dtype), w_of = converted(w, dtype), dy_of = converted(dy, dtype),
                 y = Tensor::empty(l.result(), dtype), dx = Tensor::empty(l.image(), dtype),
                 dw = Tensor::empty(l.weights(), dtype);
    conv2d_fwd(x_of, w_of, {}, y, l.window, {});
    conv2d_bwd_input(dy_of, w_of, dx, l.window, Write::set);
    conv2d_bwd_weight(dy_of, x_of, dw, l.window, Write::set);
    return std::vector<Tensor>{y, dx, dw};
  };
  const auto fast = results(DType::f32), exact = results(DType::f64);
  for (size_t i = 0; i < fast.size(); ++i)
    EXPECT_LE(distance(to_doubles(fast[i]), to_doubles(exact[i])), 1e-5);
}

TEST(Conv2d, RepeatsBitForBitAndSettlesInTheAllocator) {
  const Layer l{4, 13, 13, 32, 48, Window(3, 1, 1)};
  const Tensor x = test::sample_tensor(l.image(), DType::f32),
               w = test::sample_tensor(l.weights(), DType::f32),
               dy = test::sample_tensor(l.result(), DType::f32);
  std::vector<Tensor> first;
  size_t raw = 0;
  for (int i = 0; i < 3; ++i) {
    const Tensor y = Tensor::empty(dy.shape()), dx = Tensor::empty(x.shape()), dw = Tensor::empty(w.shape());
    conv2d_fwd(x, w, {}, y, l.window, {});
    conv2d_bwd_input(dy, w, dx, l.window, Write::set);
    conv2d_bwd_weight(dy, x, dw, l.window, Write::set);
    if (i == 0) first = {y, dx, dw};
    EXPECT_TRUE(test::same_bits(y, first[0]) && test::same_bits(dx, first[1]) &&
                test::same_bits(dw, first[2]));
    if (i == 1) raw = allocator(kCpu).stats().raw_allocations;
  }
  EXPECT_EQ(allocator(kCpu).stats().raw_allocations, raw);
}

TEST(Conv2d, RefusesWhatDoesNotFit) {
  const auto refused = [](const std::string& words, Shape x, Shape w, Shape y, Window window,
                          DType dtype = DType::f32) {
    test::expect_error(ErrorKind::internal, words, [&] {
      conv2d_fwd(Tensor::zeros(x), Tensor::zeros(w, dtype), {}, Tensor::zeros(y), window, {});
    });
  };
  const Window three = Window(3);
  refused("do not give", {1, 5, 5, 2}, {4, 3, 3, 3}, {1, 3, 3, 4}, three);
  refused("do not give", {1, 5, 5, 2}, {4, 3, 2, 2}, {1, 3, 3, 4}, three);
  refused("do not give", {1, 5, 5, 2}, {4, 3, 3, 2}, {1, 3, 4, 4}, three);
  refused("conv2d_fwd: images", {1, 5, 5, 2}, {4, 3, 3, 2}, {1, 3, 3, 4}, three, DType::f64);
  refused("not [n, h, w, channels]", {5, 5, 2}, {4, 3, 3, 2}, {1, 3, 3, 4}, three);
  refused("exceeds the padded images", {1, 2, 5, 2}, {4, 3, 3, 2}, {1, 0, 3, 4}, three);
  refused("window 3x3 stride 0x0", {1, 5, 5, 2}, {4, 3, 3, 2}, {1, 3, 3, 4}, Window(3, 0));
  refused("padding -1x-1", {1, 5, 5, 2}, {4, 3, 3, 2}, {1, 1, 1, 4}, Window(3, 1, -1));
  test::expect_error(ErrorKind::internal, "conv2d_fwd: bias", [&] {
    conv2d_fwd(Tensor::zeros({1, 5, 5, 2}), Tensor::zeros({4, 3, 3, 2}), Tensor::zeros({3}),
               Tensor::zeros({1, 3, 3, 4}), three, {});
  });
  test::expect_error(ErrorKind::internal, "unfold: images", [&] {
    unfold(Tensor::zeros({1, 5, 5, 2}), Tensor::zeros({10, 18}), three, 0);
  });
}

}  // namespace vae::kernels::conv_test
