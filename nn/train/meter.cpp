#include "nn/train/meter.h"

#include <algorithm>

#include "kernels/kernels.h"

namespace vae::train {

Meter::Meter(std::vector<std::string> names, Device device)
    : names_(std::move(names)),
      sums_(Tensor::zeros({static_cast<int64_t>(names_.size())}, DType::f64, device)),
      count_(Tensor::scalar(int64_t{0}, device)) {}

void Meter::add(const std::string& name, const Tensor& number) {
  const int64_t i = std::find(names_.begin(), names_.end(), name) - names_.begin();
  VAE_CHECK(i < sums_.numel(), "'{}' is no metric of this recipe", name);
  kernels::sum(number, sums_.slice(i, i + 1), kernels::Axis::all(1), 1.0, kernels::Write::add);
}

void Meter::count() { kernels::increment(count_); }

Scalars Meter::drain() {
  const std::vector<double> sums = sums_.to_vector<double>();
  const double count = count_.item();
  Scalars means;
  for (size_t i = 0; i < names_.size(); ++i)
    if (count > 0) means.push_back({names_[i], sums[i] / count});
  sums_.zero();
  count_.zero();
  return means;
}

void Meter::add_state(nn::StateDict& state, const std::string& prefix) const {
  state.add(prefix + ".sums", sums_);
  state.add(prefix + ".count", count_);
}

}  // namespace vae::train
