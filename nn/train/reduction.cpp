#include "nn/train/reduction.h"

#include "kernels/kernels.h"

namespace vae::train {

Reduction::Reduction(nn::FlatParameters& group, DType sums, bool shared)
    : group_(group), ranks_(parallel::current()) {
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
    const parallel::Piece own = shared ? ranks_.piece(end - begin) : parallel::Piece{0, end - begin};
    shared_ = shared_ || own.end - own.begin < end - begin;
    Bucket bucket{
        .elements = {begin, end}, .own = {begin + own.begin, begin + own.end}, .parameters = parameters};
    if (sums != all.dtype() && all.dtype() == DType::f32)
      bucket.wide = Tensor::empty({end - begin}, sums, all.device());
    buckets_.push_back(bucket);
    begin = end, parameters = 0;
  }
  if (shared_) {
    std::vector<parallel::Piece> own;
    for (const Bucket& bucket : buckets_) own.push_back(bucket.own);
    group.step_only(own);
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
  const Tensor gradients = bucket.elements.of(group_.gradients());
  if (bucket.wide.defined()) kernels::cast(gradients, bucket.wide);
  const Tensor& sums = bucket.wide.defined() ? bucket.wide : gradients;
  shared_ ? ranks_.start_piece(sums) : ranks_.start(sums);
}

void Reduction::finish() {
  last_walk_ = false;
  group_.finish_gradients();  // a loss need not reach all of them
  if (buckets_.empty()) return;
  for (Bucket& bucket : buckets_)
    if (!bucket.started) start(bucket);
  ranks_.finish();
  for (const auto& [elements, own, wide, parameters, unfinished, started] : buckets_)
    if (wide.defined())
      kernels::cast(wide.slice(own.begin - elements.begin, own.end - elements.begin),
                    own.of(group_.gradients()));
}

void Reduction::spread(const Tensor& flat) {
  if (!shared_) return;
  for (const Bucket& bucket : buckets_) ranks_.spread(bucket.elements.of(flat));
  ranks_.finish();
}

}  // namespace vae::train
