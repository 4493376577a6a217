#pragma once
// What evaluations of trained models share: test mode, batches of items, accuracy, importance-weighted means.
#include <algorithm>
#include <vector>

#include "nn/module.h"
#include "tensor/philox.h"

namespace vae::models {

/// Puts a module into test mode for a scope.
class TestMode {
 public:
  explicit TestMode(nn::Module& module) : module_(module), training_(module.training()) {
    module.set_training(false);
  }
  ~TestMode() { module_.set_training(training_); }
  TestMode(const TestMode&) = delete;
  TestMode& operator=(const TestMode&) = delete;

 private:
  nn::Module& module_;
  bool training_;
};

inline constexpr int64_t kEvaluationBatch =
    1000;  // items at a time; test mode has no coupling inside a batch

/// Calls body(batch number, items of the batch) over all items.
template <class Body>
void for_batches(const Tensor& items, const Body& body) {
  for (int64_t begin = 0, number = 0; begin < items.numel(); begin += kEvaluationBatch, ++number)
    body(number, items.slice(begin, std::min(items.numel(), begin + kEvaluationBatch)));
}

/// The elements of a floating tensor on the host.
std::vector<double> to_doubles(const Tensor& x);

/// A stream of its own for every number.
inline RandomKey substream(RandomKey key, uint64_t number) {
  return {key.seed, key.stream + number * 0x9E3779B97F4A7C15u};
}

/// Share of equal entries.
double accuracy(const std::vector<int64_t>& predictions, const std::vector<int64_t>& labels);

/// log of the mean of weights given by their logarithms, added one draw at a time, per row.
class LogMean {
 public:
  explicit LogMean(size_t rows);
  void add(const std::vector<double>& log_weights);
  double get(size_t row) const;

 private:
  std::vector<double> top_, total_;
  int64_t draws_ = 0;
};

}  // namespace vae::models
