#include "models/sym_vae/statistics.h"

#include "autograd/ops.h"
#include "tensor/compare.h"

namespace vae::sym_vae {
namespace {

constexpr double kDecay = 0.99;
constexpr double kLongest = 1000;  // iterations of which a running average is the plain mean

}  // namespace

Tensor number(const nn::Module& module, double value) {
  const Tensor x = Tensor::empty({}, module.options().dtype, module.options().device);
  kernels::fill(x, value);
  return x;
}

CodeStatistics::CodeStatistics(Module* parent, int64_t nz0, int64_t nz1)
    : Module(parent, ""),
      all{Tensor::empty({nz0 + 2 * nz1}, options().dtype, options().device),
          Tensor::zeros({nz0 + 2 * nz1}, options().dtype, options().device)},
      q_z0(part("z0_q", 0, nz0)),
      p_z1(part("z1_p", nz0, nz1)),
      q_z1(part("z1_q", nz0 + nz1, nz1)),
      half_(number(*this, 0.5)) {
  kernels::fill(all.mean, 0.5);
}

BitStatistics CodeStatistics::part(const std::string& name, int64_t begin, int64_t bits) {
  return {buffer(name, all.mean.slice(begin, begin + bits)),
          buffer(name + "_mi", all.information.slice(begin, begin + bits))};
}

void CodeStatistics::add(const Var& logits_q_z0, const Var& logits_p_z1, const Var& logits_q_z1,
                         train::Share batch, const train::Step& step) const {
  const Var p = autograd::sigmoid(autograd::concat({logits_q_z0, logits_p_z1, logits_q_z1}));
  const auto mean_of_rows = [&](const Var& x) {
    const kernels::Axis rows = kernels::Axis::rows(batch.rows, x.shape()[1]);
    return step.total(autograd::scaled_sum(x, rows, 1.0 / static_cast<double>(batch.total)));
  };
  const auto information_of = [this](const Var& p) {  // divergence from fair bits, log 2 - H(p)
    return autograd::map(kernels::Map::bernoulli_kl, {p, Var(half_)}, {kWeakening, 0});
  };
  kernels::moving_average(mean_of_rows(p).value(), all.mean, kDecay);
  const Var told = mean_of_rows(information_of(p)) - information_of(Var(all.mean));
  kernels::moving_average(told.value(), all.information, kDecay);
}

RunningAverages::RunningAverages(Module* parent, const std::vector<std::string>& names)
    : Module(parent, ""), values_(Tensor::zeros({std::ssize(names)}, options().dtype, options().device)) {
  for (int64_t i = 0; const std::string& name : names) {
    buffer(name, values_.slice(i, i + 1).reshape(Shape{}));
    ++i;
  }
}

void RunningAverages::add(const std::vector<Var>& numbers, const train::Step& step) const {
  std::vector<Var> columns;
  for (const Var& number : numbers) columns.push_back(autograd::reshape(Var(number.value()), {1}));
  const Var all = step.total(autograd::concat(columns));
  const Var length = step.number("running", kernels::Schedule::rise(kLongest, 1));
  const Tensor terms[] = {values_, all.value(), length.value()};
  kernels::map_fwd(kernels::Map::running_mean, {}, terms, values_);
}

std::vector<double> RunningAverages::values() const { return to_doubles(values_); }

}  // namespace vae::sym_vae
