#include "models/sym_vae/statistics.h"

#include "autograd/ops.h"

namespace vae::sym_vae {
namespace {

constexpr double kDecay = 0.99, kWeakening = 1e-6;
constexpr double kLongest = 1000;  // iterations of which a running average is the plain mean

/// The divergence of bits from fair ones, element by element: log 2 - H(p).
Var information_of(const Var& p) {
  return autograd::map(kernels::Map::bernoulli_kl, {p, Var(filled(p.value(), 0.5))}, {kWeakening, 0});
}

}  // namespace

Tensor filled(const Tensor& like, double value) {
  const Tensor x = Tensor::empty(like.shape(), like.dtype(), like.device());
  kernels::fill(x, value);
  return x;
}

BitStatistics::BitStatistics(Module* parent, const std::string& name, int64_t bits)
    : Module(parent, ""), mean(buffer(name, {bits}, 0.5)), information(buffer(name + "_mi", {bits})) {}

void BitStatistics::add(const Var& logits) const {
  const Var p = autograd::sigmoid(logits);
  const auto mean_of_rows = [rows = p.shape()[0], bits = p.shape()[1]](const Var& x) {
    return autograd::mean(x, kernels::Axis::rows(rows, bits));
  };
  kernels::moving_average(mean_of_rows(p).value(), mean, kDecay);
  const Var told = mean_of_rows(information_of(p)) - information_of(Var(mean));
  kernels::moving_average(told.value(), information, kDecay);
}

CodeStatistics::CodeStatistics(Module* parent, int64_t nz0, int64_t nz1)
    : Module(parent, ""), q_z0(this, "z0_q", nz0), p_z1(this, "z1_p", nz1), q_z1(this, "z1_q", nz1) {}

RunningAverage::RunningAverage(Module* parent, const std::string& name)
    : Module(parent, ""), value_(buffer(name, Shape{})) {}

void RunningAverage::add(const Var& number, const train::Step& step) const {
  const Var n = step.number("running", kernels::Schedule::rise(kLongest, 1)), r(value_);
  value_.copy_from((r + (Var(number.value()) - r) / n).value());
}

}  // namespace vae::sym_vae
