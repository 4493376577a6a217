#include "nn/class_rows.h"

#include <utility>

#include "autograd/rows.h"
#include "tensor/recorder.h"

namespace vae::nn {
namespace {

/// Gathering and scattering cost more than so few rows save.
constexpr double kLargestShare = 0.9;

thread_local CountedRows counted;

/// index + copy * of for every copy, copy after copy.
Tensor repeated(const Tensor& index, int64_t copies, int64_t of) {
  if (copies == 1) return index;
  const std::vector<int64_t> once = index.to_vector<int64_t>();
  std::vector<int64_t> all;
  all.reserve(once.size() * static_cast<size_t>(copies));
  for (int64_t copy = 0; copy < copies; ++copy)
    for (const int64_t i : once) all.push_back(copy * of + i);
  return Tensor::from(all, {static_cast<int64_t>(all.size())}, index.device());
}

template <class T>
std::vector<int64_t> rows_at_least(const T* q, int64_t images, int64_t classes, double threshold) {
  std::vector<int64_t> rows;
  for (int64_t k = 0; k < classes; ++k)
    for (int64_t b = 0; b < images; ++b)
      if (!(static_cast<double>(q[b * classes + k]) < threshold)) rows.push_back(k * images + b);
  return rows;
}

}  // namespace

Tensor ClassRows::rows_of(int64_t samples) const { return repeated(rows, samples, classes * images); }

Tensor ClassRows::images_of_samples(int64_t samples) const { return repeated(images_of, samples, images); }

Var ClassRows::among_zeros(const Var& x) const { return autograd::segment_sum(x, rows, classes * images); }

CountedRows take_counted_rows() { return std::exchange(counted, {}); }

std::optional<ClassRows> rows_that_count(const Tensor& q, double threshold) {
  VAE_CHECK(q.rank() == 2 && threshold >= 0, "weights {}, threshold {}", q.str(), threshold);
  counted.computed += q.numel(), counted.all += q.numel();
  if (threshold == 0 || !q.device().is_cpu() || Recording::active()) return {};
  const int64_t images = q.size(0), classes = q.size(1);
  const std::vector<int64_t> rows = dispatch_floating(
      q.dtype(), [&]<class T>(T) { return rows_at_least(q.data<T>(), images, classes, threshold); });
  if (static_cast<double>(rows.size()) > kLargestShare * static_cast<double>(q.numel())) return {};
  counted.computed -= q.numel() - static_cast<int64_t>(rows.size());
  std::vector<int64_t> classes_of, images_of;
  for (const int64_t row : rows) classes_of.push_back(row / images), images_of.push_back(row % images);
  const auto tensor = [](const std::vector<int64_t>& index) {
    return Tensor::from(index, {static_cast<int64_t>(index.size())});
  };
  return ClassRows{classes, images, tensor(rows), tensor(classes_of), tensor(images_of)};
}

}  // namespace vae::nn
