#include "models/common/loss_meter.h"

#include "kernels/kernels.h"

namespace vae::models {

LossMeter::LossMeter(std::vector<std::string> names, Device device)
    : names_(std::move(names)),
      sums_(Tensor::zeros({static_cast<int64_t>(names_.size())}, DType::f64, device)),
      count_(Tensor::scalar(int64_t{0}, device)) {}

void LossMeter::add(std::initializer_list<Tensor> losses) {
  int64_t i = 0;
  for (const Tensor& loss : losses) {
    kernels::sum(loss, sums_.slice(i, i + 1), kernels::Axis::all(1), 1.0, kernels::Write::add);
    ++i;
  }
  kernels::increment(count_);
}

train::Scalars LossMeter::drain() {
  const std::vector<double> sums = sums_.to_vector<double>();
  const double count = count_.item();
  train::Scalars means;
  for (size_t i = 0; i < names_.size(); ++i)
    if (count > 0) means.push_back({names_[i], sums[i] / count});
  sums_.zero();
  count_.zero();
  return means;
}

void LossMeter::add_state(train::StateDict& state) {
  state.add("losses.sums", sums_);
  state.add("losses.count", count_);
}

}  // namespace vae::models
