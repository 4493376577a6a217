#include "models/common/evaluation.h"

#include <cmath>

#include "kernels/kernels.h"

namespace vae::models {

std::vector<double> to_doubles(const Tensor& x) {
  const Tensor wide = Tensor::empty(x.shape(), DType::f64, x.device());
  kernels::cast(x, wide);
  return wide.to_vector<double>();
}

double accuracy(const std::vector<int64_t>& predictions, const std::vector<int64_t>& labels) {
  VAE_CHECK(predictions.size() == labels.size(), "{} predictions for {} labels", predictions.size(),
            labels.size());
  int64_t right = 0;
  for (size_t i = 0; i < labels.size(); ++i) right += predictions[i] == labels[i];
  return labels.empty() ? 0 : static_cast<double>(right) / static_cast<double>(labels.size());
}

LogMean::LogMean(size_t rows) : top_(rows, -INFINITY), total_(rows, 0) {}

void LogMean::add(const std::vector<double>& log_weights) {
  ++draws_;
  for (size_t r = 0; r < top_.size(); ++r) {
    const double top = std::max(top_[r], log_weights[r]);
    if (top == -INFINITY) continue;
    total_[r] = total_[r] * std::exp(top_[r] - top) + std::exp(log_weights[r] - top);
    top_[r] = top;
  }
}

double LogMean::get(size_t row) const {
  return top_[row] + std::log(total_[row] / static_cast<double>(draws_));
}

}  // namespace vae::models
