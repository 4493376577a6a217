#include "nn/train/reduction.h"

#include "kernels/kernels.h"

namespace vae::train {

Reduction::Reduction(nn::FlatParameters& group, DType sums) : group_(group), ranks_(parallel::current()) {
  if (ranks_.alone()) return;
  const Tensor& all = group.gradients();
  const auto element = static_cast<int64_t>(size_of(all.dtype()));
  const std::vector<nn::FlatParameters::Part> parts = group.parts();
  std::vector<size_t> bucket_of;
  int64_t begin = 0, parameters = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    bucket_of.push_back(buckets_.size());
    ++parameters;
    const int64_t end = parts[i].end;
    if ((end - begin) * element < kBucketBytes && i + 1 < parts.size()) continue;
    Bucket bucket{.gradients = all.slice(begin, end), .parameters = parameters};
    if (sums != all.dtype() && all.dtype() == DType::f32)
      bucket.wide = Tensor::empty(bucket.gradients.shape(), sums, all.device());
    buckets_.push_back(bucket);
    begin = end, parameters = 0;
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    autograd::Var parameter = parts[i].parameter;
    parameter.on_final([this, of = bucket_of[i], node = parameter.node().get()] {
      if (!last_walk_ || node->state == autograd::detail::GradState::none) return;
      Bucket& bucket = buckets_[of];
      if (--bucket.unfinished == 0) start(bucket);
    });
  }
}

Reduction::~Reduction() {
  if (buckets_.empty()) return;
  for (nn::FlatParameters::Part& part : group_.parts()) part.parameter.on_final({});
}

void Reduction::begin() {
  last_walk_ = true;
  for (Bucket& bucket : buckets_) bucket.unfinished = bucket.parameters, bucket.started = false;
}

void Reduction::start(Bucket& bucket) {
  bucket.started = true;
  if (bucket.wide.defined()) kernels::cast(bucket.gradients, bucket.wide);
  ranks_.start(bucket.wide.defined() ? bucket.wide : bucket.gradients);
}

void Reduction::finish() {
  last_walk_ = false;
  group_.finish_gradients();  // a loss need not reach all of them
  if (buckets_.empty()) return;
  for (Bucket& bucket : buckets_)
    if (!bucket.started) start(bucket);
  ranks_.finish();
  for (const Bucket& bucket : buckets_)
    if (bucket.wide.defined()) kernels::cast(bucket.wide, bucket.gradients);
}

}  // namespace vae::train
