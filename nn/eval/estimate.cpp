#include "nn/eval/estimate.h"

#include <cmath>

#include "kernels/kernels.h"

namespace vae::eval {

namespace {

template <class T>
void sum_on_ranks(std::vector<T>& values) {
  parallel::Communicator& ranks = parallel::current();
  if (ranks.alone()) return;
  const Tensor sums = Tensor::from(values, {static_cast<int64_t>(values.size())});
  ranks.all_reduce(sums);
  values = sums.to_vector<T>();
}

}  // namespace

void sum_over_ranks(std::vector<double>& values) { sum_on_ranks(values); }
void sum_over_ranks(std::vector<int64_t>& values) { sum_on_ranks(values); }

double accuracy(const std::vector<int64_t>& predictions, const std::vector<int64_t>& labels) {
  VAE_CHECK(predictions.size() == labels.size(), "{} predictions for {} labels", predictions.size(),
            labels.size());
  int64_t right = 0;
  for (size_t i = 0; i < labels.size(); ++i) right += predictions[i] == labels[i];
  return labels.empty() ? 0 : static_cast<double>(right) / static_cast<double>(labels.size());
}

Tensor sample_classes(const Tensor& probabilities, RandomKey key) {
  const int64_t rows = probabilities.size(0), classes = probabilities.size(1);
  const std::vector<double> p = to_doubles(probabilities);
  std::vector<int64_t> drawn(static_cast<size_t>(rows));
  for (int64_t r = 0; r < rows; ++r) {
    double left = uniform01(random_block(key, 0, static_cast<uint64_t>(r)).v[0]);
    int64_t c = 0;
    while (c + 1 < classes && left >= p[r * classes + c]) left -= p[r * classes + c++];
    drawn[r] = c;
  }
  return Tensor::from(drawn, {rows}, probabilities.device());
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

double LogMean::sum() const {
  double sum = 0;
  for (size_t row = 0; row < top_.size(); ++row) sum += get(row);
  return sum;
}

void ActiveUnits::add(const Tensor& means) {
  const std::vector<double> values = to_doubles(means);
  const auto width = static_cast<size_t>(means.size(1));
  sum_.resize(width), squares_.resize(width);
  for (size_t i = 0; i < values.size(); ++i)
    sum_[i % width] += values[i], squares_[i % width] += values[i] * values[i];
  rows_ += static_cast<double>(means.size(0));
}

size_t ActiveUnits::active() const {
  size_t active = 0;
  for (size_t i = 0; i < sum_.size(); ++i)
    active += squares_[i] / rows_ - std::pow(sum_[i] / rows_, 2) > 0.01;
  return active;
}

}  // namespace vae::eval
