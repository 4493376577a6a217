// Convolutions and pooling of the image models: WideResNet-28-2 on 32 x 32 images, and the nets of sym-vae.
#include "tools/bench/case.h"

namespace vae::bench {
namespace {

using namespace kernels;

struct Layer {
  const char* name;
  int64_t batch, size, in, out, kernel, stride;
  int64_t padding() const { return kernel / 2; }
  int64_t out_size() const { return (size + 2 * padding() - kernel) / stride + 1; }
  Window window() const { return {{kernel, stride, padding()}, {kernel, stride, padding()}}; }
};

constexpr double kTolerance = 1e-3, kTf32 = 1e-2;

void add_layer(std::vector<Case>& cases, const Layer& l) {
  const int64_t o = l.out_size();
  const Shape xs{l.batch, l.size, l.size, l.in}, ws{l.out, l.kernel, l.kernel, l.in},
      ys{l.batch, o, o, l.out};
  const double bytes = 4.0 * static_cast<double>(xs.numel() + ws.numel() + ys.numel());
  const double flops = 2.0 * static_cast<double>(ys.numel() * l.kernel * l.kernel * l.in);
  const double tolerance = precision() == Precision::tf32 ? kTf32 : kTolerance;
  const std::string shape = fmt::format("{} {}x{}x{}x{} -> {}, {}/{}", l.name, l.batch, l.size, l.size, l.in,
                                        l.out, l.kernel, l.stride);
  const Window window = l.window();
  cases.push_back({"conv2d_fwd", shape, bytes, flops,
                   [=](Operands in) {
                     const Tensor x = in.uniform(xs), w = in.uniform(ws), y = in.zeros(ys);
                     return Call{[=] { conv2d_fwd(x, w, Tensor{}, y, window); }, y};
                   },
                   tolerance});
  cases.push_back({"conv2d_bwd_input", shape, bytes, flops,
                   [=](Operands in) {
                     const Tensor dy = in.uniform(ys), w = in.uniform(ws), dx = in.zeros(xs);
                     return Call{[=] { conv2d_bwd_input(dy, w, dx, window, Write::set); }, dx};
                   },
                   tolerance});
  cases.push_back({"conv2d_bwd_weight", shape, bytes, flops,
                   [=](Operands in) {
                     const Tensor dy = in.uniform(ys), x = in.uniform(xs), dw = in.zeros(ws);
                     return Call{[=] { conv2d_bwd_weight(dy, x, dw, window, Write::set); }, dw};
                   },
                   tolerance});
}

/// The images of a layer as columns, and back.
void add_columns(std::vector<Case>& cases, const Layer& l) {
  const Shape xs{l.batch, l.size, l.size, l.in};
  const Shape columns{l.batch * l.out_size() * l.out_size(), l.kernel * l.kernel * l.in};
  const std::string shape =
      fmt::format("{} {}x{}x{}x{}, {}/{}", l.name, l.batch, l.size, l.size, l.in, l.kernel, l.stride);
  const auto image = 4.0 * static_cast<double>(xs.numel()),
             moved = 4.0 * static_cast<double>(columns.numel());
  const Window window = l.window();
  cases.push_back({"unfold", shape, image + moved, 0, [=](Operands in) {
                     const Tensor x = in.uniform(xs), y = in.zeros(columns);
                     return Call{[=] { unfold(x, y, window, 0); }, y};
                   }});
  cases.push_back({"fold", shape, 2 * image + moved, 0, [=](Operands in) {
                     const Tensor x = in.uniform(columns), y = in.zeros(xs);
                     return Call{[=] { fold(x, y, window, 0); }, y};
                   }});
}

void add_pools(std::vector<Case>& cases) {
  const Shape xs{200, 32, 32, 32}, ys{200, 16, 16, 32}, maps{200, 8, 8, 128}, means{200, 1, 1, 128};
  const Window half{{2, 2, 0}, {2, 2, 0}}, global{{8, 1, 0}, {8, 1, 0}};
  const auto floats = [](const Shape& a, const Shape& b) {
    return 4.0 * static_cast<double>(a.numel() + b.numel());
  };
  cases.push_back({"max_pool_fwd", "200x32x32x32 2/2", floats(xs, ys) + 4.0 * static_cast<double>(ys.numel()),
                   0, [=](Operands in) {
                     const Tensor x = in.uniform(xs), y = in.zeros(ys), index = in.zeros(ys, DType::i32);
                     return Call{[=] { max_pool_fwd(x, y, index, half); }, y};
                   }});
  cases.push_back({"max_pool_bwd", "200x32x32x32 2/2", floats(xs, ys) + 4.0 * static_cast<double>(ys.numel()),
                   0, [=](Operands in) {
                     const Tensor x = in.uniform(xs), y = in.zeros(ys), index = in.zeros(ys, DType::i32),
                                  dx = in.zeros(xs);
                     max_pool_fwd(x, y, index, half);
                     return Call{[=] { max_pool_bwd(y, index, dx, half, Write::set); }, dx};
                   }});
  cases.push_back({"avg_pool_fwd", "200x8x8x128 global", floats(maps, means), 0, [=](Operands in) {
                     const Tensor x = in.uniform(maps), y = in.zeros(means);
                     return Call{[=] { avg_pool_fwd(x, y, global, Divisor::window); }, y};
                   }});
  cases.push_back({"avg_pool_bwd", "200x8x8x128 global", floats(maps, means), 0, [=](Operands in) {
                     const Tensor dy = in.uniform(means), dx = in.zeros(maps);
                     return Call{[=] { avg_pool_bwd(dy, dx, global, Divisor::window, Write::set); }, dx};
                   }});
}

}  // namespace

void add_conv(std::vector<Case>& cases) {
  for (const Layer& l : {Layer{"wrn stem", 100, 32, 3, 16, 3, 1},
                         {"wrn", 100, 32, 32, 32, 3, 1},
                         {"wrn", 100, 32, 32, 64, 3, 2},
                         {"wrn", 100, 16, 64, 64, 3, 1},
                         {"wrn", 100, 16, 64, 128, 3, 2},
                         {"wrn", 100, 8, 128, 128, 3, 1},
                         {"wrn skip", 100, 32, 32, 64, 1, 2},
                         {"sym-vae", 100, 28, 1, 32, 5, 2},
                         {"sym-vae", 100, 14, 32, 64, 5, 2}})
    add_layer(cases, l);
  for (const Layer& l : {Layer{"sym-vae", 100, 28, 1, 32, 5, 2}, {"wrn", 100, 16, 64, 64, 3, 1}})
    add_columns(cases, l);
  add_pools(cases);
}

}  // namespace vae::bench
