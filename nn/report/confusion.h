#pragma once
// Confusion matrix of a classifier: counts, rates, and three ways to show them.
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "nn/report/classes.h"
#include "nn/report/figure.h"

namespace vae::report {

class Confusion {
 public:
  /// Counts pairs of true and predicted class, each in [0, classes); classes without a name show their
  /// number. Throws Error(internal) naming the first value that is not, different lengths, or no class.
  Confusion(std::span<const int64_t> labels, std::span<const int64_t> predictions, int classes,
            std::vector<std::string> class_names = {});

  int classes() const { return classes_; }
  int64_t count(int label, int prediction) const;
  /// Samples of a class.
  int64_t samples(int label) const { return row_sums_[label]; }
  /// Share of right predictions; NaN without samples.
  double accuracy() const;
  /// Of the samples of a class (recall) or predicted as a class (precision), the share that is right; NaN if
  /// there are none.
  double recall(int label) const;
  double precision(int prediction) const;

  /// Aligned columns: counts with one row per true class, its recall at the end, the precisions below. Of
  /// more than kMostMatrixClasses classes a list instead: rates, and the class that most errors name; of more
  /// than kMostTableClasses the first ones, and how many more there are.
  static constexpr int kMostMatrixClasses = 20;
  std::string text() const;
  /// {"accuracy", "classes", "counts" [true][predicted], "precision" [], "recall" []}; NaN becomes null.
  nlohmann::ordered_json json() const;
  /// Heat map: right predictions blue, errors red, deeper with the square root of their share in the row; of
  /// the first kMostTableClasses classes.
  Figure figure(const std::string& title = "Confusion matrix") const;

  std::string name(int label, size_t most = 24) const { return class_name(class_names_, label, most); }
  bool has_names() const { return !class_names_.empty(); }

 private:
  std::string matrix() const;
  std::string list() const;
  /// "CLASS (COUNT)", the most frequent wrong prediction of a class; empty where there is none.
  std::string mostly_taken_for(int label) const;

  int classes_;
  std::vector<std::string> class_names_;
  std::map<std::pair<int, int>, int64_t> counts_;  // of pairs that occur, true class first
  std::vector<int64_t> row_sums_, column_sums_;
};

}  // namespace vae::report
