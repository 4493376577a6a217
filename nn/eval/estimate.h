#pragma once
// What evaluations of trained models share: batches of items, accuracy, importance-weighted means.
#include <algorithm>
#include <vector>

#include "tensor/communicator.h"
#include "tensor/compare.h"
#include "tensor/philox.h"

namespace vae::eval {

inline constexpr int64_t kBatch = 1000;  // items at a time; test mode has no coupling inside a batch

/// Calls body(batch number, items of the batch) over all items. Where several ranks are current each takes
/// some of the batches, alone; what they find is to be brought together (sum_over_ranks).
template <class Body>
void for_batches(const Tensor& items, const Body& body, int64_t batch = kBatch) {
  const parallel::Communicator& ranks = parallel::current();
  const int64_t size = ranks.size(), rank = ranks.rank();
  const parallel::Alone alone;
  for (int64_t begin = 0, number = 0; begin < items.numel(); begin += batch, ++number)
    if (number % size == rank) body(number, items.slice(begin, std::min(items.numel(), begin + batch)));
}

/// What the ranks have found, element by element.
void sum_over_ranks(std::vector<double>& values);
void sum_over_ranks(std::vector<int64_t>& values);

/// A number for each item, in order: those that body(batch number, items of the batch) returns.
template <class Body>
std::vector<int64_t> for_items(const Tensor& items, const Body& body, int64_t batch = kBatch) {
  std::vector<int64_t> values(static_cast<size_t>(items.numel()));
  const auto of_batch = [&](int64_t number, const Tensor& part) {
    const std::vector<int64_t> found = body(number, part);
    std::ranges::copy(found, values.begin() + number * batch);
  };
  for_batches(items, of_batch, batch);
  sum_over_ranks(values);
  return values;
}

/// The mean over items of a loss that body(batch number, items of the batch) gives as the mean of its batch;
/// 0 of none.
template <class Body>
double mean_loss(const Tensor& items, int64_t batch, const Body& body) {
  std::vector<double> total{0};
  const auto add = [&](int64_t number, const Tensor& part) {
    total[0] += body(number, part) * static_cast<double>(part.numel());
  };
  for_batches(items, add, batch);
  sum_over_ranks(total);
  return total[0] / static_cast<double>(std::max<int64_t>(1, items.numel()));
}

/// A stream of its own for every number.
inline RandomKey substream(RandomKey key, uint64_t number) {
  return {key.seed, key.stream + number * 0x9E3779B97F4A7C15u};
}

/// Share of equal entries.
double accuracy(const std::vector<int64_t>& predictions, const std::vector<int64_t>& labels);

/// One class per row, drawn from probabilities [N, K] by inversion of uniform noise: i64 [N], on their
/// device.
Tensor sample_classes(const Tensor& probabilities, RandomKey key);

/// log of the mean of weights given by their logarithms, added one draw at a time, per row.
class LogMean {
 public:
  explicit LogMean(size_t rows);
  void add(const std::vector<double>& log_weights);
  double get(size_t row) const;
  /// Sum over the rows.
  double sum() const;

 private:
  std::vector<double> top_, total_;
  int64_t draws_ = 0;
};

/// The mean over items of the importance-weighted estimate of -log p(x), nats (arXiv:1509.00519):
/// body(batch number, items, estimate) adds the log weights of a batch.
template <class Body>
double importance_nll(const Tensor& items, int64_t batch, const Body& body) {
  return mean_loss(items, batch, [&](int64_t number, const Tensor& part) {
    LogMean estimate(static_cast<size_t>(part.numel()));
    body(number, part, estimate);
    return -estimate.sum() / static_cast<double>(part.numel());
  });
}

/// Counts the latent variables whose posterior mean varies over a data set by more than 0.01
/// (arXiv:1509.00519).
class ActiveUnits {
 public:
  /// Posterior means [N, D] of further images.
  void add(const Tensor& means);
  size_t active() const;
  size_t all() const { return sum_.size(); }

 private:
  std::vector<double> sum_, squares_;
  double rows_ = 0;
};

}  // namespace vae::eval
