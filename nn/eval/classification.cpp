#include "nn/eval/classification.h"

#include <algorithm>
#include <cmath>

#include "tensor/communicator.h"
#include "tensor/compare.h"

namespace vae::eval {
namespace {

constexpr double kLeastProbability = 1e-12;

void check_finite(const std::vector<double>& row, int64_t image) {
  for (size_t k = 0; k < row.size(); ++k)
    if (!std::isfinite(row[k]))
      fail(ErrorKind::numeric, "the score of class {} is {} for image {}", k, row[k], image);
}

double log_sum_exp(const std::vector<double>& row) {
  const double top = *std::ranges::max_element(row);
  double sum = 0;
  for (const double value : row) sum += std::exp(value - top);
  return top + std::log(sum);
}

/// Classes that are more probable.
int64_t rank_of(const std::vector<double>& row, int64_t label) {
  int64_t rank = 0;
  for (int64_t k = 0; k < std::ssize(row); ++k)
    rank += row[k] > row[label] || (row[k] == row[label] && k < label);
  return rank;
}

void check_probabilities(const std::vector<double>& row, int64_t image) {
  double sum = 0, least = 0;
  for (const double p : row) sum += p, least = std::min(least, p);
  if (least < 0 || std::abs(sum - 1) > 1e-3)
    fail(ErrorKind::usage, "Classification: image {} has no probabilities of classes: they sum to {}", image,
         sum);
}

}  // namespace

Classification::Classification(int64_t classes) : classes_(classes) {
  VAE_CHECK(classes >= 1, "classification into {} classes", classes);
}

void Classification::add(const Tensor& scores, const Tensor& labels, Scores kind) {
  VAE_CHECK(scores.rank() == 2 && scores.size(1) == classes_ && labels.numel() == scores.size(0),
            "classification: scores {} of {} classes, labels {}", scores.str(), classes_, labels.str());
  const std::vector<double> values = to_doubles(scores);
  const auto of_images = labels.to_vector<int64_t>();
  for (size_t i = 0; i < of_images.size(); ++i) {
    const int64_t label = of_images[i];
    VAE_CHECK(label >= 0 && label < classes_, "classification: label {} of {} classes", label, classes_);
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(i) * classes_;
    std::vector<double> row(begin, begin + classes_);
    check_finite(row, images());
    if (kind == Scores::probabilities) check_probabilities(row, images());
    const auto top = std::ranges::max_element(row);
    const bool logits = kind == Scores::logits;
    const double normaliser = logits ? log_sum_exp(row) : 0;
    log_likelihood_ += logits ? row[label] - normaliser : std::log(std::max(row[label], kLeastProbability));
    confidences_.push_back(logits ? std::exp(*top - normaliser) : *top);
    predictions_.push_back(top - row.begin());
    ranks_.push_back(rank_of(row, label));
    labels_.push_back(label);
  }
}

namespace {

/// The vectors of all ranks, one behind the other.
template <class T>
void concatenate(std::vector<T>& values, parallel::Communicator& ranks) {
  std::vector<int64_t> sizes(static_cast<size_t>(ranks.size()));
  sizes[static_cast<size_t>(ranks.rank())] = std::ssize(values);
  const Tensor counts = Tensor::from(sizes, {ranks.size()});
  ranks.all_reduce(counts);
  sizes = counts.to_vector<int64_t>();
  int64_t total = 0;
  for (const int64_t size : sizes) total += size;
  const Tensor all = Tensor::empty({total}, dtype_of<T>());
  ranks.all_gather(Tensor::from(values, {std::ssize(values)}), all, sizes);
  values = all.to_vector<T>();
}

}  // namespace

void Classification::gather() {
  parallel::Communicator& ranks = parallel::current();
  if (ranks.alone()) return;
  for (std::vector<int64_t>* of_images : {&labels_, &predictions_, &ranks_}) concatenate(*of_images, ranks);
  concatenate(confidences_, ranks);
  const Tensor sum = Tensor::scalar(log_likelihood_);
  ranks.all_reduce(sum);
  log_likelihood_ = sum.item();
}

double Classification::share(int64_t count) const {
  return static_cast<double>(count) / static_cast<double>(std::max<int64_t>(1, images()));
}

double Classification::top_accuracy(int64_t k) const {
  return share(std::ranges::count_if(ranks_, [&](int64_t rank) { return rank < k; }));
}

double Classification::class_accuracy(int64_t label) const {
  int64_t images = 0, right = 0;
  for (size_t i = 0; i < labels_.size(); ++i)
    if (labels_[i] == label) ++images, right += ranks_[i] == 0;
  return static_cast<double>(right) / static_cast<double>(images);
}

double Classification::nll() const {
  return -log_likelihood_ / static_cast<double>(std::max<int64_t>(1, images()));
}

std::vector<report::ReliabilityBin> Classification::bins(int64_t count) const {
  VAE_CHECK(count >= 1, "{} bins of confidence", count);
  std::vector<report::ReliabilityBin> bins(static_cast<size_t>(count));
  for (size_t i = 0; i < labels_.size(); ++i) {
    const auto above = static_cast<int64_t>(std::ceil(confidences_[i] * static_cast<double>(count)));
    report::ReliabilityBin& bin = bins[std::clamp<int64_t>(above - 1, 0, count - 1)];
    ++bin.images;
    bin.confidence += confidences_[i], bin.accuracy += ranks_[i] == 0;
  }
  for (report::ReliabilityBin& bin : bins)
    if (bin.images > 0)
      bin.confidence /= static_cast<double>(bin.images), bin.accuracy /= static_cast<double>(bin.images);
  return bins;
}

}  // namespace vae::eval
