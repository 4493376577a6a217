#pragma once
// What a classifier says of a labelled set of images.
#include <vector>

#include "nn/report/reliability.h"
#include "tensor/tensor.h"

namespace vae::eval {

/// Kinds of scores of classes. Logits may lack any constant of a row: log-probabilities are logits, too. A
/// probability below 1e-12 counts as that in the log-likelihood.
enum class Scores { logits, probabilities };

/// Accuracies, log-likelihood and calibration of images that come in batches. Among equal scores the first
/// class is the more probable one. Means are 0 of no images, those of a class NaN.
class Classification {
 public:
  explicit Classification(int64_t classes);
  /// Scores [n, classes] and labels [n] in [0, classes) of further images. Throws Error(numeric) naming a
  /// score that is not finite, Error(usage) where probabilities are none.
  void add(const Tensor& scores, const Tensor& labels, Scores kind = Scores::logits);

  /// Adds what the other ranks that are current have been given; images stand in the order of the ranks.
  void gather();

  int64_t images() const { return std::ssize(labels_); }
  double accuracy() const { return top_accuracy(1); }
  /// Share of images whose label is among the k most probable classes; 1 where there are no more than k.
  double top_accuracy(int64_t k) const;
  double class_accuracy(int64_t label) const;
  /// Mean of -log p(label), nats.
  double nll() const;
  /// Predictions by confidence, in bins of equal width.
  std::vector<report::ReliabilityBin> bins(int64_t count = 15) const;
  double calibration_error(int64_t count = 15) const { return report::calibration_error(bins(count)); }
  /// What report::add_predictions() takes beside labels and predictions.
  report::ClassScores scores() const { return {nll(), top_accuracy(5), bins()}; }

  const std::vector<int64_t>& labels() const { return labels_; }
  const std::vector<int64_t>& predictions() const { return predictions_; }

 private:
  double share(int64_t count) const;
  int64_t classes_;
  std::vector<int64_t> labels_, predictions_, ranks_;  // ranks of the labels
  std::vector<double> confidences_;
  double log_likelihood_ = 0;
};

}  // namespace vae::eval
