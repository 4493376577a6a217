// Elementwise functions, row sums of them, filling and random numbers, all beyond the caches.
#include "kernels/elementwise/call.h"
#include "tools/bench/case.h"

namespace vae::bench {
namespace {

using namespace kernels;

/// Operands in the domain of a function.
std::vector<Tensor> operands_of(Map op, Maker& make, Shape shape) {
  return dispatch_map(op, [&](auto f) {
    std::vector<Tensor> x;
    for (const auto& [low, high] : f.domain) x.push_back(make(uniform(shape, low, high)));
    return x;
  });
}

void add_map(Cases& cases, Map op) {
  const Shape shape{kLarge};
  const std::string name = fmt::format("{} {}", name_of(op), kLarge);
  constexpr Params params{0.5, 1};
  cases.add("map_fwd", name, (arity_of(op) + 1) * floats(shape), [=](Maker& make) {
    const auto x = operands_of(op, make, shape);
    const Tensor y = make(output(shape));
    return [=] { map_fwd(op, params, x, y); };
  });
  cases.add("map_bwd", name, (arity_of(op) + 3) * floats(shape), [=](Maker& make) {
    const auto x = operands_of(op, make, shape);
    const Tensor y = make(zeros(shape)), dy = make(uniform(shape)), dx = make(output(shape));
    map_fwd(op, params, x, y);
    return [=] { map_bwd(op, params, 0, dy, x, y, dx, Write::set); };
  });
}

void add_rowsum(Cases& cases, Map op, const Shape& shape) {
  const Operand sums = output({shape[0]});
  const double bytes = arity_of(op) * floats(shape) + sums.bytes();
  cases.add("rowsum_fwd", fmt::format("{} {}", name_of(op), text(shape)), bytes, [=](Maker& make) {
    return [op, x = operands_of(op, make, shape), y = make(sums)] { rowsum_fwd(op, {}, x, y); };
  });
}

}  // namespace

void add_elementwise(Cases& cases) {
  for (int i = 0; i < kMaps; ++i) add_map(cases, static_cast<Map>(i));
  add_rowsum(cases, Map::bce_logits, {1000, 784});  // M2: all classes of a batch
  add_rowsum(cases, Map::bce_logits, {16384, 784});
  add_rowsum(cases, Map::kl_standard_normal, {1000, 50});
  const Shape shape{kLarge};
  cases.add(fill, text(shape), output(shape), 2);
  cases.add(cast, "u8 " + text(shape), pixels(shape), output(shape));
  for (const auto& random : {random_normal, random_uniform}) {
    const auto [key, step] = std::pair{RandomKey{1, 2}, scalar(int64_t{1})};
    cases.add(random, text(shape), output(shape), key, step, Rows{});
    cases.add(random, "64 rows of 256", output({kLarge / 64, 64}), key, step, Rows{64, 256, 128});
  }
}

}  // namespace vae::bench
