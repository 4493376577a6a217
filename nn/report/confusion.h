#pragma once
// Confusion matrix of a classifier: counts, rates, and three ways to show them.
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "nn/report/figure.h"

namespace vae::report {

class Confusion {
 public:
  /// Counts pairs of true and predicted class, each in [0, classes). Throws Error(internal) naming the first
  /// value that is not, different lengths, or classes outside 1..1000.
  Confusion(std::span<const int64_t> labels, std::span<const int64_t> predictions, int classes);

  int classes() const { return classes_; }
  int64_t count(int label, int prediction) const {
    return counts_[size_t{1} * label * classes_ + prediction];
  }
  /// Share of right predictions; NaN without samples.
  double accuracy() const;
  /// Of the samples of a class (recall) or predicted as a class (precision), the share that is right; NaN if
  /// there are none.
  double recall(int label) const;
  double precision(int prediction) const;

  /// Aligned columns: counts with one row per true class, its recall at the end, the precisions below.
  std::string text() const;
  /// {"accuracy", "classes", "counts" [true][predicted], "precision" [], "recall" []}; NaN becomes null.
  nlohmann::ordered_json json() const;
  /// Heat map: right predictions blue, errors red, deeper with the square root of their share in the row.
  Figure figure(const std::string& title = "Confusion matrix") const;

 private:
  int64_t row_sum(int label) const;
  int64_t column_sum(int prediction) const;

  int classes_;
  std::vector<int64_t> counts_;  // [true, predicted]
};

}  // namespace vae::report
