// What counts operations: matrix products of the families' linear layers, and convolutions of the image
// models (WideResNet-28-2 on 32 x 32 images, and the nets of sym-vae); beside them, pooling.
#include "tools/bench/case.h"
#include "tools/bench/work.h"

namespace vae::bench {
namespace {

using namespace kernels;

struct Layer {
  const char* what;
  Sizes sizes;
};

/// Rows, outputs, inputs.
const Layer kLinears[] = {
    {"m2 decoder", {1000, 784, 500}}, {"m2 encoder", {100, 500, 784}},  {"m2 heads", {1000, 50, 500}},
    {"m1 hidden", {100, 600, 600}},   {"adgm first", {1000, 256, 826}}, {"adgm second", {1000, 128, 256}},
    {"ml-vae", {64, 500, 784}},       {"sym-vae", {100, 600, 600}},     {"wrn 1x1", {51200, 64, 32}},
};

/// Images, height, width, channels, output channels, kernel, stride.
const Layer kConvs[] = {
    {"wrn stem", {100, 32, 32, 3, 16, 3, 1}},      {"wrn", {100, 32, 32, 32, 32, 3, 1}},
    {"wrn", {100, 32, 32, 32, 64, 3, 2}},          {"wrn", {100, 16, 16, 64, 64, 3, 1}},
    {"wrn", {100, 16, 16, 64, 128, 3, 2}},         {"wrn", {100, 8, 8, 128, 128, 3, 1}},
    {"wrn skip", {100, 32, 32, 32, 64, 1, 2}},     {"sym-vae", {100, 28, 28, 1, 32, 5, 2}},
    {"sym-vae", {100, 14, 14, 32, 64, 5, 2}},      {"smooth-elbo", {128, 16, 16, 32, 64, 4, 2}},
    {"wrn decoder", {100, 16, 16, 64, 128, 4, 2}},
};

Window window_of(int64_t kernel, int64_t stride) { return Window(kernel, stride, (kernel - 1) / 2); }

/// Images as the columns of a matrix, and back.
void add_columns(Cases& cases, const std::string& what, const Shape& x, int64_t kernel, int64_t stride) {
  const Window window = window_of(kernel, stride);
  const Shape columns{window.output("unfold", x, 1).numel(), kernel * kernel * x[3]};
  const std::string shape = fmt::format("{}, {}/{}", text(x, what), kernel, stride);
  cases.add(unfold, shape, uniform(x), output(columns), window, 0);
  cases.add(fold, shape, uniform(columns), in_place(zeros(x)), window, 0);
}

void add_pools(Cases& cases) {
  const Shape x{200, 32, 32, 32}, y{200, 16, 16, 32}, maps{200, 8, 8, 128}, means{200, 1, 1, 128};
  const Window half = Window(2, 2), global = Window(8);
  cases.add(max_pool_fwd, "200x32x32x32 2/2", uniform(x), output(y), zeros(y, DType::i32), half);
  cases.add("max_pool_bwd", "200x32x32x32 2/2", {2 * floats(y), floats(x)}, [=](Maker& make) {
    const Tensor pooled = make(zeros(y)), index = make(zeros(y, DType::i32)), dx = make(output(x));
    max_pool_fwd(make(uniform(x)), pooled, index, half);
    return [=] { max_pool_bwd(pooled, index, dx, half, Write::set); };
  });
  cases.add(avg_pool_fwd, "200x8x8x128 global", uniform(maps), output(means), global, Divisor::window);
  cases.add(avg_pool_bwd, "200x8x8x128 global", uniform(means), output(maps), global, Divisor::window,
            Write::set);
}

/// What stands behind the first layer of sym-vae.
void add_bias_activation(Cases& cases) {
  const Shape y{100, 28, 28, 32};
  for (const Map function : {Map::tanh, Map::relu}) {
    const std::string shape = fmt::format("{} {}", text(y), name_of(function));
    const Activation f = activation(function);
    cases.add(bias_activation_fwd, shape, uniform({32}), in_place(uniform(y)), f);
    cases.add(bias_activation_bwd, shape, uniform(y), uniform(y), output(y), output({32}), f, Write::set);
  }
}

}  // namespace

/// A layer with its bias, and the products of its passes.
void add_linear(Cases& cases, const std::string& what, const Sizes& sizes) {
  const int64_t m = sizes[0], n = sizes[1], k = sizes[2];
  constexpr Transpose no = Transpose::no, yes = Transpose::yes;
  const Shape x{m, k}, w{n, k}, y{m, n};
  const double flops = product_flops(m, n, k);
  const std::string shape = text({m, n, k}, what), of = what.empty() ? "" : what + " ";
  cases.add(gemm, shape, factor(x), no, factor(w), yes, output(y), 1, 0).computes(flops);
  cases.add(linear_fwd, shape, factor(x), factor(w), uniform({n}), output(y)).computes(flops);
  cases.add(gemm, text({m, k, n}, of + "dx"), factor(y), no, factor(w), no, output(x), 1, 0).computes(flops);
  cases.add(gemm, text({n, k, m}, of + "dw"), factor(y), yes, factor(x), no, output(w), 1, 0).computes(flops);
}

void add_conv(Cases& cases, const std::string& what, const Sizes& sizes) {
  const int64_t channels = sizes[4], kernel = sizes[5], stride = sizes[6];
  const Window window = window_of(kernel, stride);
  const Shape x{sizes[0], sizes[1], sizes[2], sizes[3]}, w{channels, kernel, kernel, sizes[3]},
      y = window.output("conv2d", x, channels);
  const std::string shape = fmt::format("{} -> {}, {}/{}", text(x, what), channels, kernel, stride);
  const double flops = conv_flops(y, w);
  const bool direct = stride == 1 ? kernel == 3 : stride == 2 && kernel >= 3 && kernel <= 6;
  cases.add(conv2d_fwd, shape, factor(x), factor(w), Tensor{}, output(y), window, Activation{})
      .computes(flops, direct);
  cases.add(conv2d_bwd_input, shape, factor(y), factor(w), output(x), window, Write::set)
      .computes(flops, direct);
  cases.add(conv2d_bwd_weight, shape, factor(y), factor(x), output(w), window, Write::set)
      .computes(flops, direct);
}

void add_products(Cases& cases) {
  for (const Layer& l : kLinears) add_linear(cases, l.what, l.sizes);
  for (const Layer& l : kConvs) add_conv(cases, l.what, l.sizes);
  add_columns(cases, "wrn", {100, 16, 16, 64}, 3, 1);
  add_columns(cases, "sym-vae", {100, 28, 28, 1}, 5, 2);
  add_bias_activation(cases);
  add_pools(cases);
}

}  // namespace vae::bench
