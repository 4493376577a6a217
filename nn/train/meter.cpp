#include "nn/train/meter.h"

#include <algorithm>

#include "kernels/kernels.h"
#include "tensor/communicator.h"

namespace vae::train {

Meter::Meter(std::vector<std::string> names, Device device)
    : names_(std::move(names)),
      sums_(Tensor::zeros({static_cast<int64_t>(names_.size())}, DType::f64, device)),
      count_(Tensor::scalar(int64_t{0}, device)),
      numbers_(names_.size()) {
  if (!parallel::current().alone()) parts_ = Tensor::zeros(sums_.shape(), DType::f64, device);
}

void Meter::add(const std::string& name, const Tensor& number) {
  const auto found = std::find(names_.begin(), names_.end(), name);
  VAE_CHECK(found != names_.end(), "'{}' is no metric of this recipe", name);
  Tensor& place = numbers_[static_cast<size_t>(found - names_.begin())];
  VAE_CHECK(!place.defined(), "'{}' is given twice in a step", name);
  place = number;
}

void Meter::count(const Tensor& other) {
  const Tensor counters[] = {count_, other};
  const std::span<const Tensor> counted(counters, other.defined() ? 2 : 1);
  kernels::tally(numbers_, parts_.defined() ? parts_ : sums_, counted);
  std::ranges::fill(numbers_, Tensor{});
  if (!parts_.defined()) return;
  parallel::current().all_reduce(parts_);
  kernels::sum(parts_, sums_, {1, 1, sums_.numel()}, 1.0, kernels::Write::add);
  parts_.zero();
}

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
