// Every elementwise function: value, derivative by each operand, row sum; dense, broadcast and misaligned.
#include "kernels/elementwise/call.h"
#include "tests/kernels/parity.h"

namespace vae::test {
namespace {

using namespace kernels;

constexpr Params kParams{0.2, 1.5};  // sensible for every function that has constants
constexpr Map kMaps[] = {
#define VAE_MAP(type, name) Map::name,
#include "kernels/elementwise/list.h"
#undef VAE_MAP
};

/// How the operands of an output [m, n] are laid out.
enum class Layout { dense, shifted, bias, column, scalar, repeated };
constexpr Layout kLayouts[] = {Layout::dense,  Layout::shifted, Layout::bias,
                               Layout::column, Layout::scalar,  Layout::repeated};

Tensor operand(Operands& in, Map op, int i, Layout layout, int64_t m, int64_t n) {
  const auto [low, high] = dispatch_map(op, [&](auto f) {
    const auto& range = f.domain[i < f.arity ? i : 0];
    return std::pair(range[0], range[1]);
  });
  if (layout == Layout::shifted) return in.uniform_shifted({m, n}, low, high);
  const bool other = i == arity_of(op) - 1 && arity_of(op) > 1;  // the last of several operands broadcasts
  if (other && layout == Layout::bias) return in.uniform({n}, low, high);
  if (other && layout == Layout::column) return in.uniform({m, 1}, low, high);
  if (other && layout == Layout::scalar) return in.uniform({}, low, high);
  if (other && layout == Layout::repeated) return in.uniform({m / 2, n}, low, high);
  return in.uniform({m, n}, low, high);
}

/// Calls body(operands, m, n) for all layouts and sizes.
void for_frames(Operands in, Map op,
                const std::function<void(std::vector<Tensor>, Operands&, int64_t, int64_t)>& body) {
  for (const Layout layout : kLayouts) {
    if (arity_of(op) == 1 && layout > Layout::shifted) continue;
    for (const int64_t n : kSizes) {
      const int64_t m = 6;
      std::vector<Tensor> x;
      for (int i = 0; i < arity_of(op); ++i) x.push_back(operand(in, op, i, layout, m, n));
      body(x, in, m, n);
    }
  }
}

Outputs forward(Operands all, Map op) {
  Outputs out;
  for_frames(all, op, [&](const std::vector<Tensor>& x, Operands& in, int64_t m, int64_t n) {
    out.push_back(in.empty({m, n}));
    map_fwd(op, kParams, x, out.back());
  });
  return out;
}

Outputs row_sums(Operands all, Map op) {
  Outputs out;
  for_frames(all, op, [&](const std::vector<Tensor>& x, Operands& in, int64_t m, int64_t) {
    out.push_back(in.empty({m}));
    rowsum_fwd(op, kParams, x, out.back());
  });
  return out;
}

Outputs backward(Operands all, Map op, int wrt) {
  Outputs out;
  for_frames(all, op, [&](const std::vector<Tensor>& x, Operands& in, int64_t m, int64_t n) {
    const Tensor y = in.empty({m, n});
    map_fwd(op, kParams, x, y);
    for (const Tensor& dy : {in.uniform({m, n}), in.uniform({m, 1})})
      for (const Write write : {Write::set, Write::add}) {
        out.push_back(in.uniform({m, n}));
        map_bwd(op, kParams, wrt, dy, x, write == Write::set ? y : Tensor(), out.back(), write);
      }
  });
  return out;
}

/// Of all operands together, and of all but the second.
Outputs together(Operands all, Map op) {
  Outputs out;
  for_frames(all, op, [&](const std::vector<Tensor>& x, Operands& in, int64_t m, int64_t n) {
    for (const Tensor& dy : {in.uniform({m, n}), in.uniform({m, 1})})
      for (const bool without_second : {false, true}) {
        std::vector<MapGradient> gradients;
        for (int wrt = 0; wrt < arity_of(op); ++wrt) {
          if (without_second && wrt == 1) continue;
          out.push_back(in.uniform({m, n}));
          gradients.push_back({wrt, out.back(), wrt % 2 ? Write::add : Write::set});
        }
        map_gradients(op, kParams, dy, x, {}, gradients);
      }
  });
  return out;
}

Outputs long_rows(Operands in) {
  Outputs out;
  for (const int64_t n : {1025, 3000}) {
    const Tensor x = in.uniform({3, n});
    out.push_back(in.empty({3}));
    rowsum_fwd(Map::exp, {}, {&x, 1}, out.back());
  }
  return out;
}

}  // namespace

void add_elementwise_cases(std::vector<ParityCase>& cases) {
  for (const Map op : kMaps) {
    const std::string name(name_of(op));
    cases.push_back({"map_fwd", name, [=](Operands in) { return forward(in, op); }});
    cases.push_back({"rowsum_fwd", name, [=](Operands in) { return row_sums(in, op); }});
    cases.push_back({"map_gradients", name, [=](Operands in) { return together(in, op); }});
    for (int wrt = 0; wrt < arity_of(op); ++wrt)
      cases.push_back({"map_bwd", fmt::format("{} by operand {}", name, wrt),
                       [=](Operands in) { return backward(in, op, wrt); }});
  }
  cases.push_back({"rowsum_fwd", "long rows", long_rows});
}

}  // namespace vae::test
