#include "nn/report/confusion.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "nn/report/statistics.h"
#include "tensor/error.h"

namespace vae::report {
namespace {

double share(int64_t part, int64_t whole) { return whole > 0 ? double(part) / double(whole) : NAN; }

}  // namespace

Confusion::Confusion(std::span<const int64_t> labels, std::span<const int64_t> predictions, int classes)
    : classes_(classes) {
  VAE_CHECK(classes >= 1 && classes <= 1000, "confusion matrix of {} classes: expected 1..1000", classes);
  VAE_CHECK(labels.size() == predictions.size(), "confusion matrix: {} labels, {} predictions", labels.size(),
            predictions.size());
  counts_.assign(size_t{1} * classes * classes, 0);
  const auto check = [&](const char* what, int64_t value, size_t i) {
    VAE_CHECK(value >= 0 && value < classes, "confusion matrix: {} {} at {} is not in [0, {})", what, value,
              i, classes);
  };
  for (size_t i = 0; i < labels.size(); ++i) {
    check("label", labels[i], i);
    check("prediction", predictions[i], i);
    ++counts_[labels[i] * classes + predictions[i]];
  }
}

int64_t Confusion::row_sum(int label) const {
  int64_t sum = 0;
  for (int k = 0; k < classes_; ++k) sum += count(label, k);
  return sum;
}

int64_t Confusion::column_sum(int prediction) const {
  int64_t sum = 0;
  for (int k = 0; k < classes_; ++k) sum += count(k, prediction);
  return sum;
}

double Confusion::accuracy() const {
  int64_t right = 0, all = 0;
  for (int k = 0; k < classes_; ++k) {
    right += count(k, k);
    all += row_sum(k);
  }
  return share(right, all);
}

double Confusion::recall(int label) const { return share(count(label, label), row_sum(label)); }
double Confusion::precision(int prediction) const {
  return share(count(prediction, prediction), column_sum(prediction));
}

std::string Confusion::text() const {
  const int64_t largest = *std::ranges::max_element(counts_);
  const size_t width = std::max<size_t>(6, fmt::to_string(largest).size()) + 1;
  std::string text = fmt::format("{:>9}", "true\\pred");
  for (int k = 0; k < classes_; ++k) text += fmt::format("{:>{}}", k, width);
  text += fmt::format("{:>9}\n", "recall");
  for (int label = 0; label < classes_; ++label) {
    text += fmt::format("{:>9}", label);
    for (int k = 0; k < classes_; ++k) text += fmt::format("{:>{}}", count(label, k), width);
    text += fmt::format("{:>9}\n", percent(recall(label)));
  }
  text += "precision";
  for (int k = 0; k < classes_; ++k) text += fmt::format("{:>{}}", percent(precision(k)), width);
  return text + fmt::format("{:>9}\n", percent(accuracy()));
}

nlohmann::ordered_json Confusion::json() const {
  const auto number = [](double value) {
    return std::isnan(value) ? nlohmann::ordered_json() : nlohmann::ordered_json(value);
  };
  nlohmann::ordered_json counts = nlohmann::json::array(), precisions = counts, recalls = counts;
  for (int label = 0; label < classes_; ++label) {
    const auto row = counts_.begin() + int64_t{label} * classes_;
    counts.push_back(std::vector<int64_t>(row, row + classes_));
    precisions.push_back(number(precision(label)));
    recalls.push_back(number(recall(label)));
  }
  return {{"accuracy", number(accuracy())},
          {"classes", classes_},
          {"counts", counts},
          {"precision", precisions},
          {"recall", recalls}};
}

}  // namespace vae::report
