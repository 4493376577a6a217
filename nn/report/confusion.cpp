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

Confusion::Confusion(std::span<const int64_t> labels, std::span<const int64_t> predictions, int classes,
                     std::vector<std::string> class_names)
    : classes_(classes), class_names_(std::move(class_names)) {
  VAE_CHECK(classes >= 1, "confusion matrix of {} classes", classes);
  VAE_CHECK(labels.size() == predictions.size(), "confusion matrix: {} labels, {} predictions", labels.size(),
            predictions.size());
  row_sums_.resize(classes), column_sums_.resize(classes);
  const auto checked = [&](const char* what, int64_t value, size_t i) {
    VAE_CHECK(value >= 0 && value < classes, "confusion matrix: {} {} at {} is not in [0, {})", what, value,
              i, classes);
    return static_cast<int>(value);
  };
  for (size_t i = 0; i < labels.size(); ++i) {
    const int label = checked("label", labels[i], i), prediction = checked("prediction", predictions[i], i);
    ++counts_[{label, prediction}];
    ++row_sums_[label], ++column_sums_[prediction];
  }
}

int64_t Confusion::count(int label, int prediction) const {
  const auto found = counts_.find({label, prediction});
  return found == counts_.end() ? 0 : found->second;
}

double Confusion::accuracy() const {
  int64_t right = 0, all = 0;
  for (int k = 0; k < classes_; ++k) right += count(k, k), all += row_sums_[k];
  return share(right, all);
}

double Confusion::recall(int label) const { return share(count(label, label), row_sums_[label]); }
double Confusion::precision(int prediction) const {
  return share(count(prediction, prediction), column_sums_[prediction]);
}

std::string Confusion::text() const { return classes_ <= kMostMatrixClasses ? matrix() : list(); }

std::string Confusion::matrix() const {
  size_t digits = 6, letters = 9;
  for (const auto& [pair, count] : counts_) digits = std::max(digits, fmt::to_string(count).size());
  for (int k = 0; has_names() && k < classes_; ++k) letters = std::max(letters, name(k).size());
  const size_t width = digits + 1, head = std::min<size_t>(letters, 24);
  std::string text = fmt::format("{:>{}}", "true\\pred", head);
  for (int k = 0; k < classes_; ++k) text += fmt::format("{:>{}}", name(k, digits), width);
  text += fmt::format("{:>9}\n", "recall");
  for (int label = 0; label < classes_; ++label) {
    text += fmt::format("{:>{}}", name(label), head);
    for (int k = 0; k < classes_; ++k) text += fmt::format("{:>{}}", count(label, k), width);
    text += fmt::format("{:>9}\n", percent(recall(label)));
  }
  text += fmt::format("{:>{}}", "precision", head);
  for (int k = 0; k < classes_; ++k) text += fmt::format("{:>{}}", percent(precision(k)), width);
  return text + fmt::format("{:>9}\n", percent(accuracy()));
}

std::string Confusion::list() const {
  const int shown = std::min<int>(classes_, kMostTableClasses);
  std::string text =
      fmt::format("{:>24}{:>9}{:>9}{:>11}  mostly taken for\n", "class", "images", "recall", "precision");
  for (int k = 0; k < shown; ++k) {
    text += fmt::format("{:>24}{:>9}{:>9}{:>11}", name(k), row_sums_[k], percent(recall(k)),
                        percent(precision(k)));
    const std::string other = mostly_taken_for(k);
    text += other.empty() ? "\n" : "  " + other + "\n";
  }
  if (shown < classes_) text += fmt::format("and {} further classes\n", classes_ - shown);
  return text;
}

std::string Confusion::mostly_taken_for(int label) const {
  int other = -1;
  int64_t most = 0;
  for (auto it = counts_.lower_bound({label, 0}); it != counts_.end() && it->first.first == label; ++it)
    if (it->first.second != label && it->second > most) other = it->first.second, most = it->second;
  return other < 0 ? "" : fmt::format("{} ({})", name(other), most);
}

nlohmann::ordered_json Confusion::json() const {
  const auto number = [](double value) {
    return std::isnan(value) ? nlohmann::ordered_json() : nlohmann::ordered_json(value);
  };
  nlohmann::ordered_json counts = nlohmann::json::array(), precisions = counts, recalls = counts;
  for (int label = 0; label < classes_; ++label) {
    std::vector<int64_t> row;
    for (int k = 0; k < classes_; ++k) row.push_back(count(label, k));
    counts.push_back(row);
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
