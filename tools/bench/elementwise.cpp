// Elementwise functions, row sums of them, filling and random numbers, all beyond the caches.
#include "kernels/elementwise/call.h"
#include "tools/bench/case.h"

namespace vae::bench {
namespace {

using namespace kernels;

constexpr double kFloat = 4;

/// Operands in the domain of a function.
std::vector<Tensor> operands_of(Map op, Operands& in, Shape shape) {
  return dispatch_map(op, [&](auto f) {
    std::vector<Tensor> x;
    for (const auto& [low, high] : f.domain) x.push_back(in.uniform(shape, low, high));
    return x;
  });
}

void add_map(std::vector<Case>& cases, Map op) {
  const std::string name = fmt::format("{} {}", name_of(op), kLarge);
  const double arity = arity_of(op), n = kLarge;
  constexpr Params params{0.5, 1};
  cases.push_back({"map_fwd", name, (arity + 1) * n * kFloat, 0, [=](Operands in) {
                     const auto x = operands_of(op, in, {kLarge});
                     const Tensor y = in.zeros({kLarge});
                     return Call{[=] { map_fwd(op, params, x, y); }, y};
                   }});
  cases.push_back({"map_bwd", name, (arity + 3) * n * kFloat, 0, [=](Operands in) {
                     const auto x = operands_of(op, in, {kLarge});
                     const Tensor y = in.zeros({kLarge}), dy = in.uniform({kLarge}), dx = in.zeros({kLarge});
                     map_fwd(op, params, x, y);
                     return Call{[=] { map_bwd(op, params, 0, dy, x, y, dx, Write::set); }, dx};
                   }});
}

void add_rowsum(std::vector<Case>& cases, Map op, int64_t rows, int64_t columns) {
  cases.push_back({"rowsum_fwd", fmt::format("{} {}x{}", name_of(op), rows, columns),
                   kFloat * static_cast<double>(rows * (columns * arity_of(op) + 1)), 0, [=](Operands in) {
                     const auto x = operands_of(op, in, {rows, columns});
                     const Tensor y = in.zeros({rows});
                     return Call{[=] { rowsum_fwd(op, {}, x, y); }, y};
                   }});
}

template <class Kernel>
void add_random(std::vector<Case>& cases, const Kernel& kernel) {
  cases.push_back({kernel.name(), fmt::format("{}", kLarge), kFloat * kLarge, 0, [&kernel](Operands in) {
                     const Tensor y = in.zeros({kLarge}), step = in.scalar(int64_t{1});
                     return Call{[=, &kernel] { kernel(y, {1, 2}, step); }, y};
                   }});
}

}  // namespace

void add_elementwise(std::vector<Case>& cases) {
  for (int i = 0; i < kMaps; ++i) add_map(cases, static_cast<Map>(i));
  add_rowsum(cases, Map::bce_logits, 1000, 784);  // M2: all classes of a batch
  add_rowsum(cases, Map::bce_logits, 16384, 784);
  add_rowsum(cases, Map::kl_standard_normal, 1000, 50);
  cases.push_back({"fill", fmt::format("{}", kLarge), kFloat * kLarge, 0, [](Operands in) {
                     const Tensor y = in.zeros({kLarge});
                     return Call{[=] { fill(y, 2); }, y};
                   }});
  cases.push_back({"cast", fmt::format("u8 {}", kLarge), 5.0 * kLarge, 0, [](Operands in) {
                     const Tensor x = in.bytes({kLarge}), y = in.zeros({kLarge});
                     return Call{[=] { cast(x, y); }, y};
                   }});
  add_random(cases, random_normal);
  add_random(cases, random_uniform);
}

}  // namespace vae::bench
