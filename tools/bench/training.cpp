// Batch norm and the optimisers.
#include "tools/bench/case.h"

namespace vae::bench {
namespace {

using namespace kernels;

BatchNormForward forward_of(Operands& in, int64_t m, int64_t n) {
  BatchNormForward f;
  f.x = in.uniform({m, n}), f.gamma = in.uniform({n}), f.beta = in.uniform({n});
  f.y = in.zeros({m, n}), f.mean = in.zeros({n}), f.rstd = in.zeros({n});
  return f;
}

void add_batch_norm(std::vector<Case>& cases, const char* what, int64_t m, int64_t n) {
  const std::string shape = fmt::format("{} {}x{}", what, m, n);
  const auto size = static_cast<double>(m * n);
  // x twice: the statistics must be known before the first element is written.
  cases.push_back({"batch_norm_fwd", shape, 12 * size, 0, [=](Operands in) {
                     const BatchNormForward f = forward_of(in, m, n);
                     return Call{[=] { batch_norm_fwd(f); }, f.y};
                   }});
  cases.push_back(
      {"batch_norm_bwd", shape, 20 * size, 0, [=](Operands in) {
         const BatchNormForward f = forward_of(in, m, n);
         batch_norm_fwd(f);
         BatchNormBackward b;
         b.dy = in.uniform({m, n}), b.x = f.x, b.gamma = f.gamma, b.mean = f.mean, b.rstd = f.rstd;
         b.dx = in.zeros({m, n}), b.dgamma = in.zeros({n}), b.dbeta = in.zeros({n});
         b.write_x = b.write_gamma = b.write_beta = Write::set;
         return Call{[=] { batch_norm_bwd(b); }, b.dx};
       }});
}

/// What a step keeps on the device: no more than the time of a launch.
void add_counters(std::vector<Case>& cases) {
  cases.push_back({"increment", "1", 16, 0, [](Operands in) {
                     const Tensor counter = in.scalar(int64_t{41});
                     return Call{[=] { increment(counter); }, counter};
                   }});
  cases.push_back({"scheduled_rate", "1", 16, 0, [](Operands in) {
                     const Tensor iteration = in.scalar(int64_t{300}), rate = in.scalar(0.0);
                     const Schedule schedule{.decay = Decay::cosine, .total = 1000, .warmup = 100};
                     return Call{[=] { scheduled_rate(iteration, rate, 0.1, schedule); }, rate};
                   }});
}

}  // namespace

void add_training(std::vector<Case>& cases) {
  add_batch_norm(cases, "m2", 1000, 500);
  add_batch_norm(cases, "wrn", 200 * 32 * 32, 32);
  add_batch_norm(cases, "wrn", 200 * 8 * 8, 128);
  for (const int64_t n : {int64_t{1} << 20, kLarge}) {
    cases.push_back({"adam", fmt::format("{}", n), 28.0 * static_cast<double>(n), 0, [=](Operands in) {
                       AdamStep s;
                       s.parameter = in.uniform({n}), s.gradient = in.uniform({n}), s.m = in.zeros({n}),
                       s.v = in.zeros({n});
                       s.t = in.scalar(int64_t{1}), s.learning_rate = in.scalar(1e-3);
                       return Call{[=] { kernels::adam(s); }, s.parameter};
                     }});
    cases.push_back({"sgd", fmt::format("{}", n), 20.0 * static_cast<double>(n), 0, [=](Operands in) {
                       SgdStep s;
                       s.parameter = in.uniform({n}), s.gradient = in.uniform({n}),
                       s.velocity = in.zeros({n});
                       s.learning_rate = in.scalar(1e-3), s.rule.momentum = 0.9;
                       return Call{[=] { kernels::sgd(s); }, s.parameter};
                     }});
    cases.push_back({"adagrad", fmt::format("{}", n), 20.0 * static_cast<double>(n), 0, [=](Operands in) {
                       AdagradStep s;
                       s.parameter = in.uniform({n}), s.gradient = in.uniform({n}), s.sum = in.zeros({n});
                       s.learning_rate = in.scalar(1e-2);
                       return Call{[=] { kernels::adagrad(s); }, s.parameter};
                     }});
    cases.push_back(
        {"moving_average", fmt::format("{}", n), 12.0 * static_cast<double>(n), 0, [=](Operands in) {
           const Tensor value = in.uniform({n}), average = in.uniform({n});
           return Call{[=] { moving_average(value, average, 0.999); }, average};
         }});
  }
  add_counters(cases);
}

}  // namespace vae::bench
