// Matrix products of the families' linear layers, and of convolutions that are products.
#include "tools/bench/case.h"

namespace vae::bench {
namespace {

using namespace kernels;

struct Layer {
  const char* name;
  int64_t rows, in, out;
};

void add(std::vector<Case>& cases, const std::string& name, int64_t m, int64_t n, int64_t k, Transpose ta,
         Transpose tb) {
  const double bytes = 4.0 * static_cast<double>(m * k + k * n + m * n),
               flops = 2.0 * static_cast<double>(m * n * k);
  cases.push_back({"gemm", fmt::format("{} {}x{}x{}", name, m, n, k), bytes, flops,
                   [=](Operands in) {
                     const Tensor a = ta == Transpose::yes ? in.uniform({k, m}) : in.uniform({m, k});
                     const Tensor b = tb == Transpose::yes ? in.uniform({n, k}) : in.uniform({k, n});
                     const Tensor c = in.zeros({m, n});
                     return Call{[=] { kernels::gemm(a, ta, b, tb, c, 1, 0); }, c};
                   },
                   precision() == Precision::tf32 ? 1e-2 : 1e-3});
}

/// A layer with its bias.
void add_linear(std::vector<Case>& cases, const Layer& l) {
  const auto m = static_cast<double>(l.rows), n = static_cast<double>(l.out), k = static_cast<double>(l.in);
  cases.push_back({"linear_fwd", fmt::format("{} {}x{}x{}", l.name, l.rows, l.out, l.in),
                   4 * (m * k + k * n + n + m * n), 2 * m * n * k,
                   [=](Operands in) {
                     const Tensor x = in.uniform({l.rows, l.in}), w = in.uniform({l.out, l.in}),
                                  bias = in.uniform({l.out}), y = in.zeros({l.rows, l.out});
                     return Call{[=] { linear_fwd(x, w, bias, y); }, y};
                   },
                   precision() == Precision::tf32 ? 1e-2 : 1e-3});
}

}  // namespace

void add_gemm(std::vector<Case>& cases) {
  constexpr Transpose no = Transpose::no, yes = Transpose::yes;
  for (const Layer& l : {Layer{"m2 decoder", 1000, 500, 784},
                         {"m2 encoder", 100, 784, 500},
                         {"m2 heads", 1000, 500, 50},
                         {"m1 hidden", 100, 600, 600},
                         {"adgm first", 1000, 826, 256},
                         {"adgm second", 1000, 256, 128},
                         {"ml-vae", 64, 784, 500},
                         {"sym-vae", 100, 600, 600},
                         {"wrn 1x1", 51200, 32, 64}}) {
    add(cases, l.name, l.rows, l.out, l.in, no, yes);
    add_linear(cases, l);
    add(cases, fmt::format("{} dx", l.name), l.rows, l.in, l.out, no, no);
    add(cases, fmt::format("{} dw", l.name), l.out, l.in, l.rows, yes, no);
  }
}

}  // namespace vae::bench
