// What counts operations: matrix products of the families' linear layers, and convolutions of the image
// models (WideResNet-28-2 on 32 x 32 images, and the nets of sym-vae); beside them, pooling.
#include "tools/bench/case.h"

namespace vae::bench {
namespace {

using namespace kernels;

struct Linear {
  const char* name;
  int64_t rows, in, out;
};

constexpr Linear kLinears[] = {
    {"m2 decoder", 1000, 500, 784}, {"m2 encoder", 100, 784, 500},  {"m2 heads", 1000, 500, 50},
    {"m1 hidden", 100, 600, 600},   {"adgm first", 1000, 826, 256}, {"adgm second", 1000, 256, 128},
    {"ml-vae", 64, 784, 500},       {"sym-vae", 100, 600, 600},     {"wrn 1x1", 51200, 32, 64},
};

/// A layer with its bias, and the products of its passes.
void add_linear(Cases& cases, const Linear& l) {
  constexpr Transpose no = Transpose::no, yes = Transpose::yes;
  const Shape x{l.rows, l.in}, w{l.out, l.in}, y{l.rows, l.out};
  const double flops = 2.0 * static_cast<double>(y.numel() * l.in);
  const std::string shape = fmt::format("{} {}", l.name, text({l.rows, l.out, l.in})),
                    dx = fmt::format("{} dx {}", l.name, text({l.rows, l.in, l.out})),
                    dw = fmt::format("{} dw {}", l.name, text({l.out, l.in, l.rows}));
  cases.add(gemm, shape, uniform(x), no, uniform(w), yes, output(y), 1, 0).flops = flops;
  cases.add(linear_fwd, shape, uniform(x), uniform(w), uniform({l.out}), output(y)).flops = flops;
  cases.add(gemm, dx, uniform(y), no, uniform(w), no, output(x), 1, 0).flops = flops;
  cases.add(gemm, dw, uniform(y), yes, uniform(x), no, output(w), 1, 0).flops = flops;
}

struct Conv {
  const char* name;
  int64_t size, in, out, kernel, stride;
  bool columns = false;  ///< time the images as columns, too
};

constexpr Conv kConvs[] = {
    {"wrn stem", 32, 3, 16, 3, 1},   {"wrn", 32, 32, 32, 3, 1},          {"wrn", 32, 32, 64, 3, 2},
    {"wrn", 16, 64, 64, 3, 1, true}, {"wrn", 16, 64, 128, 3, 2},         {"wrn", 8, 128, 128, 3, 1},
    {"wrn skip", 32, 32, 64, 1, 2},  {"sym-vae", 28, 1, 32, 5, 2, true}, {"sym-vae", 14, 32, 64, 5, 2},
};

void add_conv(Cases& cases, const Conv& l) {
  const Window window = Window::square(l.kernel, l.stride, l.kernel / 2);
  const Shape x{100, l.size, l.size, l.in}, w{l.out, l.kernel, l.kernel, l.in};
  const Shape y = window.output("bench_kernels", x, l.out);
  const std::string images = fmt::format("{} {}", l.name, text(x)),
                    shape = fmt::format("{} -> {}, {}/{}", images, l.out, l.kernel, l.stride);
  const int64_t taps = l.kernel * l.kernel * l.in;
  const double flops = 2.0 * static_cast<double>(y.numel() * taps);
  cases.add(conv2d_fwd, shape, uniform(x), uniform(w), Tensor{}, output(y), window).flops = flops;
  cases.add(conv2d_bwd_input, shape, uniform(y), uniform(w), output(x), window, Write::set).flops = flops;
  cases.add(conv2d_bwd_weight, shape, uniform(y), uniform(x), output(w), window, Write::set).flops = flops;
  if (!l.columns) return;
  const Shape columns{y.numel() / l.out, taps};
  const std::string windows = fmt::format("{}, {}/{}", images, l.kernel, l.stride);
  cases.add(unfold, windows, uniform(x), output(columns), window, 0);
  cases.add(fold, windows, uniform(columns), in_place(zeros(x)), window, 0);
}

void add_pools(Cases& cases) {
  const Shape x{200, 32, 32, 32}, y{200, 16, 16, 32}, maps{200, 8, 8, 128}, means{200, 1, 1, 128};
  const Window half = Window::square(2, 2), global = Window::square(8);
  cases.add(max_pool_fwd, "200x32x32x32 2/2", uniform(x), output(y), zeros(y, DType::i32), half);
  cases.add("max_pool_bwd", "200x32x32x32 2/2", floats(x) + 2 * floats(y), [=](Maker& make) {
    const Tensor pooled = make(zeros(y)), index = make(zeros(y, DType::i32)), dx = make(output(x));
    max_pool_fwd(make(uniform(x)), pooled, index, half);
    return [=] { max_pool_bwd(pooled, index, dx, half, Write::set); };
  });
  cases.add(avg_pool_fwd, "200x8x8x128 global", uniform(maps), output(means), global, Divisor::window);
  cases.add(avg_pool_bwd, "200x8x8x128 global", uniform(means), output(maps), global, Divisor::window,
            Write::set);
}
}  // namespace

void add_products(Cases& cases) {
  for (const Linear& l : kLinears) add_linear(cases, l);
  for (const Conv& l : kConvs) add_conv(cases, l);
  add_pools(cases);
}

}  // namespace vae::bench
