// Elementwise functions, row sums of them, filling and random numbers, all beyond the caches.
#include <algorithm>
#include <set>

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

constexpr Params kParams{0.5, 1};

/// How many of the operands and the value it takes to know the derivative by the first operand: those that
/// change it, if alone, but no more than the operands, which tell the value, too.
int read_by_derivative(Map op) {
  return dispatch_map(op, [&]<class Op>(Op) {
    int count = 0;
    for (int changed = 0; changed <= Op::arity; ++changed) {
      std::set<double> derivatives;
      for (const double place : {0., 0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9, 1.}) {
        double x[3] = {}, y = changed == Op::arity ? 2 * place - 1 : 0.4;
        for (int i = 0; i < Op::arity; ++i) {
          const auto& [low, high] = Op::domain[i];
          x[i] = low + (high - low) * (i == changed ? place : 0.7);
        }
        derivatives.insert(partial<Op, 0>(x[0], x[1], x[2], y, Constants<double>{kParams.a, kParams.b}));
      }
      count += derivatives.size() > 1;
    }
    return std::min(count, Op::arity);
  });
}

void add_map(Cases& cases, Map op, const Shape& shape) {
  const std::string name = text(shape, std::string(name_of(op)));
  const double size = floats(shape);
  cases.add("map_fwd", name, {arity_of(op) * size, size}, [=](Maker& make) {
    const auto x = operands_of(op, make, shape);
    const Tensor y = make(output(shape));
    return [=] { map_fwd(op, kParams, x, y); };
  });
  cases.add("map_bwd", name, {(1 + read_by_derivative(op)) * size, size}, [=](Maker& make) {
    const auto x = operands_of(op, make, shape);
    const Tensor y = make(zeros(shape)), dy = make(uniform(shape)), dx = make(output(shape));
    map_fwd(op, kParams, x, y);
    return [=] { map_bwd(op, kParams, 0, dy, x, y, dx, Write::set); };
  });
}

/// All gradients of a function of several operands.
void add_gradients(Cases& cases, Map op, const Shape& shape) {
  const double size = floats(shape);
  const int arity = arity_of(op);
  cases.add("map_gradients", text(shape, std::string(name_of(op))), {(1 + arity) * size, arity * size},
            [=](Maker& make) {
              const auto x = operands_of(op, make, shape);
              const Tensor dy = make(uniform(shape));
              std::vector<MapGradient> gradients;
              for (int wrt = 0; wrt < arity; ++wrt)
                gradients.push_back({wrt, make(wrt ? zeros(shape) : output(shape))});
              return [=] { map_gradients(op, kParams, dy, x, {}, gradients); };
            });
}

void add_rowsum(Cases& cases, Map op, const Shape& shape) {
  const Operand sums = output({shape[0]});
  cases.add("rowsum_fwd", text(shape, std::string(name_of(op))), {arity_of(op) * floats(shape), sums.bytes()},
            [=](Maker& make) {
              return [op, x = operands_of(op, make, shape), y = make(sums)] { rowsum_fwd(op, {}, x, y); };
            });
}

}  // namespace

void add_maps(Cases& cases, const std::string&, const Sizes& sizes) {
  for (int i = 0; i < kMaps; ++i) add_map(cases, static_cast<Map>(i), Shape(sizes));
}

void add_rowsums(Cases& cases, const std::string&, const Sizes& sizes) {
  for (const Map op : {Map::bce_logits, Map::kl_standard_normal}) add_rowsum(cases, op, Shape(sizes));
}

void add_random(Cases& cases, const std::string& what, const Sizes& sizes) {
  for (const auto& random : {random_normal, random_uniform})
    cases.add(random, text(Shape(sizes), what), output(Shape(sizes)), RandomKey{1, 2}, scalar(int64_t{1}),
              Rows{});
}

void add_elementwise(Cases& cases) {
  add_maps(cases, "", {kLarge});
  add_gradients(cases, Map::reparameterize, {1000, 50});
  add_rowsum(cases, Map::bce_logits, {1000, 784});  // M2: all classes of a batch
  add_rowsum(cases, Map::bce_logits, {16384, 784});
  add_rowsum(cases, Map::kl_standard_normal, {1000, 50});
  const Shape shape{kLarge};
  cases.add(fill, text(shape), output(shape), 2);
  cases.add(cast, "u8 " + text(shape), pixels(shape), output(shape));
  add_random(cases, "", {kLarge});
  for (const auto& random : {random_normal, random_uniform})
    cases.add(random, "64 rows of 256", output({kLarge / 64, 64}), RandomKey{1, 2}, scalar(int64_t{1}),
              Rows{64, 256, 128});
}

}  // namespace vae::bench
