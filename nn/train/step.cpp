#include "nn/train/step.h"

#include <algorithm>

#include "autograd/calling.h"
#include "autograd/ops.h"
#include "nn/layers.h"
#include "nn/train/meter.h"
#include "tensor/communicator.h"

namespace vae::train {

Step Step::in(const std::string& scope) const {
  Step step = *this;
  step.scope_ += scope + "/";
  return step;
}

Step Step::root() const {
  Step step = *this;
  step.scope_.clear();
  return step;
}

Step Step::at(const Tensor& iteration) const {
  Step step = *this;
  step.iteration_ = step.draw_ = iteration;
  return step;
}

Step Step::numbered(int64_t draw) const {
  Step step = *this;
  step.draw_ = Tensor::scalar(draw, device());
  return step;
}

Step Step::with_notes(Notes& notes) const {
  Step step = *this;
  step.notes_ = &notes;
  return step;
}

Step Step::with_meter(Meter& meter) const {
  Step step = *this;
  step.meter_ = &meter;
  return step;
}

Step Step::with_noise(Noise noise) const {
  Step step = *this;
  step.noise_ = std::move(noise);
  return step;
}

namespace {

Share share_of(int64_t rank, int64_t ranks, int64_t batch) {
  const int64_t each = batch / ranks, left = batch % ranks;
  return {each + (rank < left ? 1 : 0), batch, rank * each + std::min(rank, left)};
}

}  // namespace

Share Step::share(int64_t batch) const {
  const parallel::Communicator& ranks = parallel::current();
  return share_of(ranks.rank(), ranks.size(), batch);
}

Tensor Step::items(const std::string& stream, const Tensor& pool, Share batch, kernels::Order order) const {
  const Tensor items = Tensor::empty({batch.rows}, DType::i64, device());
  order.batch = batch.total, order.first = batch.first;
  kernels::batch_items(pool, items, key(stream), iteration_, order);
  return items;
}

Var Step::noise(const std::string& name, const Rows& rows, int64_t columns, Draw draw) const {
  const Shape shape{rows.count(), columns};
  if (noise_) return Var(noise_(scope_ + name, shape, draw));
  const Tensor noise = Tensor::empty(shape, dtype_, device());
  const RandomKey stream = key("noise/" + scope_ + name);
  draw == Draw::normal ? kernels::random_normal(noise, stream, draw_, rows.batch.places())
                       : kernels::random_uniform(noise, stream, draw_, rows.batch.places());
  return Var(noise);
}

Var Step::noise(const std::string& name, const Shape& shape, Draw draw) const {
  if (shape.rank() == 0)
    fail(ErrorKind::usage, "noise '{}' of shape {}: the first extent is that of the batch", name,
         shape.str());
  const kernels::Rows own = nn::ShareOfBatch::rows("Step");
  const Share rows = own.per_block ? Share(shape[0], own.stride, own.offset) : Share(shape[0]);
  if (own.per_block && own.per_block != shape[0])
    autograd::misuse("Step", "noise '{}' of shape {}: this rank has {} rows of the batch", name, shape.str(),
                     own.per_block);
  return autograd::reshape(noise(name, rows, shape.numel() / std::max<int64_t>(1, shape[0]), draw), shape);
}

Var Step::normal(const std::string& name, const Shape& shape) const {
  return noise(name, shape, Draw::normal);
}

Var Step::uniform(const std::string& name, const Shape& shape) const {
  return noise(name, shape, Draw::uniform);
}

Var Step::normal(const std::string& name, const Rows& rows, int64_t columns) const {
  return noise(name, rows, columns, Draw::normal);
}

Var Step::uniform(const std::string& name, const Rows& rows, int64_t columns) const {
  return noise(name, rows, columns, Draw::uniform);
}

Var Step::number(const std::string& name, const kernels::Schedule& schedule) const {
  return numbers({{name, schedule}})[0];
}

std::vector<Var> Step::numbers(
    const std::vector<std::pair<std::string, kernels::Schedule>>& schedules) const {
  const auto n = static_cast<int64_t>(schedules.size());
  const Tensor all = Tensor::empty({n}, dtype_, device());
  std::vector<kernels::Schedule> rules;
  for (const auto& [name, schedule] : schedules) rules.push_back(schedule);
  kernels::scheduled(iteration_, all, rules);
  std::vector<Var> numbers;
  for (int64_t i = 0; i < n; ++i) {
    numbers.emplace_back(all.slice(i, i + 1).reshape(Shape{}));
    note(schedules[static_cast<size_t>(i)].first, numbers.back());
  }
  return numbers;
}

Var Step::scaled_sum(const Var& per_row, double scale) const { return autograd::scaled_sum(per_row, scale); }

Var Step::mean(const Var& per_row, const Rows& rows, double weight) const {
  if (rows.total() == 0) autograd::misuse("Step::mean", "the batch has no rows");
  return scaled_sum(per_row, weight / static_cast<double>(rows.total()));
}

Tensor Step::gathered(const Tensor& own, const Share& batch) const {
  parallel::Communicator& ranks = parallel::current();
  if (ranks.alone()) return own;
  std::vector<int64_t> rows;
  for (int rank = 0; rank < ranks.size(); ++rank)
    rows.push_back(share_of(rank, ranks.size(), batch.total).rows);
  const Tensor all = Tensor::empty(own.shape().with_leading(batch.total), own.dtype(), own.device());
  ranks.all_gather(own, all, rows);
  return all;
}

Var Step::part(const Var& total) const {
  const int ranks = parallel::current().size();
  return ranks == 1 ? total : (1.0 / ranks) * total;
}

void Step::note(const std::string& name, const Var& value) const {
  if (notes_) (*notes_)[scope_ + name] = value;
}

void Step::metric(const std::string& name, const Var& number) const {
  note(name, number);
  if (meter_) meter_->add(name, number.value());
}

}  // namespace vae::train
