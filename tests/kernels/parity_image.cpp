// Convolutions and pooling of images.
#include "tests/kernels/parity.h"

namespace vae::test {
namespace {

using namespace kernels;

struct Convolution {
  int64_t n, h, w, in, out;
  Window window;
};

const Convolution kConvolutions[] = {
    {2, 9, 8, 3, 5, Window(3, 1, 1)},
    {2, 9, 8, 33, 31, Window(3, 2, 1)},
    {3, 5, 5, 4, 6, Window(1)},
    {2, 4, 4, 5, 7, Window(4)},
    {2, 2, 2, 4, 3, Window(4, 2, 1)},
    {2, 8, 8, 1, 4, Window(3, 1, 1)},
    {2, 8, 8, 4, 1, Window(3, 1, 1)},
    {1, 8, 9, 2, 3, {{3, 2, 2}, {5, 1, 4}}},
    {1, 3, 2, 2, 3, {{1, 3, 4}, {2, 1, 3}}},
    {0, 5, 5, 3, 2, Window(3)},
    {2, 5, 5, 0, 2, Window(3)},
    {15, 12, 12, 16, 65, Window(3, 1, 1)},
    {16, 10, 9, 16, 32, Window(4, 2, 1)},
    {16, 3, 4, 64, 64, Window(3, 2, 1)},
};

using ConvCase =
    std::function<Outputs(Operands&, const Convolution&, const Tensor& x, const Tensor& w, const Tensor& y)>;

/// One call on every geometry; x, w and y hold numbers.
std::function<Outputs(Operands)> on_images(ConvCase call) {
  return [call](Operands in) {
    Outputs out;
    for (const Convolution& g : kConvolutions) {
      const Tensor x = in.uniform({g.n, g.h, g.w, g.in}, -1, 1),
                   w = in.uniform({g.out, g.window.h.kernel, g.window.w.kernel, g.in}, -1, 1),
                   y = in.uniform(g.window.output("parity", x.shape(), g.out), -1, 1);
      for (const Tensor& result : call(in, g, x, w, y)) out.push_back(result);
    }
    return out;
  };
}

struct Pooled {
  int64_t n, h, w, c;
  Window window;
};

const Pooled kPooled[] = {
    {2, 8, 8, 31, Window(2, 2)}, {2, 7, 9, 33, Window(3, 2)},          {1, 9, 9, 257, Window(3, 1, 1)},
    {3, 6, 6, 1, Window(6)},     {1, 5, 6, 5, {{2, 1, 1}, {3, 2, 0}}}, {0, 4, 4, 3, Window(2)},
    {2, 4, 4, 0, Window(2)},     {3, 20, 20, 40, Window(3, 2, 1)}};

using PoolCase = std::function<Outputs(Operands&, const Window&, const Tensor& x, const Tensor& y)>;

std::function<Outputs(Operands)> on_pools(PoolCase call) {
  return [call](Operands in) {
    Outputs out;
    for (const Pooled& g : kPooled) {
      const Tensor x = in.uniform({g.n, g.h, g.w, g.c}),
                   y = in.uniform(g.window.output("parity", x.shape(), g.c));
      for (const Tensor& result : call(in, g.window, x, y)) out.push_back(result);
    }
    return out;
  };
}

void add_convolutions(std::vector<ParityCase>& cases) {
  for (const bool with_bias : {true, false})
    cases.push_back({"conv2d_fwd", with_bias ? "bias" : "no bias",
                     on_images([=](Operands& in, const Convolution& g, auto& x, auto& w, auto& y) {
                       conv2d_fwd(x, w, with_bias ? in.uniform({g.out}) : Tensor{}, y, g.window, {});
                       return Outputs{y};
                     })});
  cases.push_back(
      {"conv2d_fwd", "tanh", on_images([=](Operands& in, const Convolution& g, auto& x, auto& w, auto& y) {
         conv2d_fwd(x, w, in.uniform({g.out}), y, g.window, activation(Map::tanh));
         return Outputs{y};
       })});
  for (const Write write : {Write::set, Write::add}) {
    const std::string what = write == Write::set ? "set" : "add";
    cases.push_back(
        {"conv2d_bwd_input", what, on_images([=](auto&, const Convolution& g, auto& x, auto& w, auto& y) {
           conv2d_bwd_input(y, w, x, g.window, write);
           return Outputs{x};
         })});
    cases.push_back(
        {"conv2d_bwd_weight", what, on_images([=](auto&, const Convolution& g, auto& x, auto& w, auto& y) {
           conv2d_bwd_weight(y, x, w, g.window, write);
           return Outputs{w};
         })});
  }
  const auto block = [](Operands& in, const Tensor& w, const Tensor& y) {
    const int64_t windows = y.size(0) * y.size(1) * y.size(2),
                  taps = w.numel() / std::max<int64_t>(w.size(0), 1);
    return std::pair{in.uniform({windows - windows / 3, taps}), windows / 3};
  };
  cases.push_back({"unfold", "all but the first third",
                   on_images([=](Operands& in, const Convolution& g, auto& x, auto& w, auto& y) {
                     const auto [columns, first] = block(in, w, y);
                     unfold(x, columns, g.window, first);
                     return Outputs{columns};
                   }),
                   kExact});
  cases.push_back({"fold", "all but the first third",
                   on_images([=](Operands& in, const Convolution& g, auto& x, auto& w, auto& y) {
                     const auto [columns, first] = block(in, w, y);
                     fold(columns, x, g.window, first);
                     return Outputs{x};
                   })});
}

void add_pooling(std::vector<ParityCase>& cases) {
  const auto index_of = [](const Tensor& y) { return Tensor::zeros(y.shape(), DType::i32, y.device()); };
  cases.push_back({"max_pool_fwd", "values and index",
                   on_pools([=](auto&, const Window& window, auto& x, auto& y) {
                     const Tensor index = index_of(y);
                     max_pool_fwd(x, y, index, window);
                     return Outputs{y, index};
                   }),
                   kExact});
  for (const Write write : {Write::set, Write::add}) {
    const std::string what = write == Write::set ? "set" : "add";
    cases.push_back(
        {"max_pool_bwd", what, on_pools([=](Operands& in, const Window& window, auto& x, auto& y) {
           const Tensor index = index_of(y), dx = in.uniform(x.shape());
           max_pool_fwd(x, y, index, window);
           max_pool_bwd(in.uniform(y.shape()), index, dx, window, write);
           return Outputs{dx};
         })});
    for (const Divisor divisor : {Divisor::window, Divisor::pixels})
      cases.push_back({"avg_pool_bwd", what, on_pools([=](auto&, const Window& window, auto& x, auto& y) {
                         avg_pool_bwd(y, x, window, divisor, write);
                         return Outputs{x};
                       })});
  }
  for (const Divisor divisor : {Divisor::window, Divisor::pixels})
    cases.push_back({"avg_pool_fwd", divisor == Divisor::window ? "window" : "pixels",
                     on_pools([=](auto&, const Window& window, auto& x, auto& y) {
                       avg_pool_fwd(x, y, window, divisor);
                       return Outputs{y};
                     })});
}

void add_bias_activations(std::vector<ParityCase>& cases) {
  const Shape shapes[] = {{0, 3}, {7, 1}, {31, 33}, {3, 300}, {5000, 4}};
  std::vector<Activation> all{{}};
  for (const std::string_view name : activation_names()) all.push_back(parse_activation(name));
  for (const Activation& f : all) {
    for (const bool with_bias : {true, false})
      cases.push_back({"bias_activation_fwd", fmt::format("{}{}", name_of(f), with_bias ? " bias" : ""),
                       [=](Operands in) {
                         Outputs out;
                         for (const Shape& shape : shapes) {
                           out.push_back(in.uniform(shape));
                           bias_activation_fwd(with_bias ? in.uniform({shape[1]}) : Tensor{}, out.back(), f);
                         }
                         return out;
                       }});
    if (!has_slope_of_value(f)) continue;
    for (const Write write : {Write::set, Write::add})
      cases.push_back({"bias_activation_bwd",
                       fmt::format("{} {}", name_of(f), write == Write::set ? "set" : "add"),
                       [=](Operands in) {
                         Outputs out;
                         for (const Shape& shape : shapes) {
                           const Tensor dy = in.uniform(shape), y = in.uniform(shape), dx = in.uniform(shape),
                                        dbias = in.uniform({shape[1]});
                           bias_activation_bwd(dy, y, dx, dbias, f, write);
                           const Tensor without_bias = in.uniform(shape);
                           bias_activation_bwd(dy, y, without_bias, {}, f, write);
                           out.insert(out.end(), {dx, dbias, without_bias});
                         }
                         return out;
                       }});
  }
}

}  // namespace

void add_image_cases(std::vector<ParityCase>& cases) {
  add_convolutions(cases);
  add_bias_activations(cases);
  add_pooling(cases);
}

}  // namespace vae::test
