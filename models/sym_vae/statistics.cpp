#include "models/sym_vae/statistics.h"

#include "autograd/ops.h"

namespace vae::sym_vae {
namespace {

constexpr double kDecay = 0.99, kWeakening = 1e-6;
constexpr double kLongest = 1000;  // iterations of which a running average is the plain mean

}  // namespace

Tensor number(const nn::Module& module, double value) {
  const Tensor x = Tensor::empty({}, module.options().dtype, module.options().device);
  kernels::fill(x, value);
  return x;
}

BitStatistics::BitStatistics(Module* parent, const std::string& name, int64_t bits)
    : Module(parent, ""),
      mean(buffer(name, {bits}, 0.5)),
      information(buffer(name + "_mi", {bits})),
      half_(number(*this, 0.5)) {}

void BitStatistics::add(const Var& logits, train::Share batch, const train::Step& step) const {
  const Var p = autograd::sigmoid(logits);
  const auto mean_of_rows = [&](const Var& x) {
    const kernels::Axis rows = kernels::Axis::rows(batch.rows, x.shape()[1]);
    return step.total(autograd::scaled_sum(x, rows, 1.0 / static_cast<double>(batch.total)));
  };
  const auto information_of = [this](const Var& p) {  // divergence from fair bits, log 2 - H(p)
    return autograd::map(kernels::Map::bernoulli_kl, {p, Var(half_)}, {kWeakening, 0});
  };
  kernels::moving_average(mean_of_rows(p).value(), mean, kDecay);
  const Var told = mean_of_rows(information_of(p)) - information_of(Var(mean));
  kernels::moving_average(told.value(), information, kDecay);
}

CodeStatistics::CodeStatistics(Module* parent, int64_t nz0, int64_t nz1)
    : Module(parent, ""), q_z0(this, "z0_q", nz0), p_z1(this, "z1_p", nz1), q_z1(this, "z1_q", nz1) {}

RunningAverage::RunningAverage(Module* parent, const std::string& name)
    : Module(parent, ""), value_(buffer(name, Shape{})) {}

Var RunningAverage::length(const train::Step& step) {
  return step.number("running", kernels::Schedule::rise(kLongest, 1));
}

void RunningAverage::add(const Var& number, const Var& length, double scale) const {
  const Tensor terms[] = {value_, number.value(), length.value()};
  kernels::map_fwd(kernels::Map::running_mean, {scale, 0}, terms, value_);
}

}  // namespace vae::sym_vae
