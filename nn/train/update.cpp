#include "nn/train/update.h"

#include <algorithm>

#include "autograd/factor.h"
#include "autograd/tape.h"
#include "kernels/kernels.h"

namespace vae::train {
namespace {

/// The parameters of groups that an update leaves alone, out of differentiation while it runs.
class Constants {
 public:
  explicit Constants(const std::vector<Groups::Entry*>& entries) : entries_(entries) { need(false); }
  ~Constants() { need(true); }
  Constants(const Constants&) = delete;
  Constants& operator=(const Constants&) = delete;

 private:
  void need(bool gradients) {
    for (Groups::Entry* entry : entries_) entry->parameters.need_gradients(gradients);
  }
  std::vector<Groups::Entry*> entries_;
};

/// Whether each step takes all gradients of a group, of which ranks then cannot step pieces.
bool needs_norm(const nn::OptimizerSettings& rule) {
  return std::visit([](const auto& settings) { return settings.clip.norm > 0; }, rule);
}

}  // namespace

Groups::Entry::Entry(const Group& group, DType sums)
    : name(group.name),
      parameters(*group.module),
      reduction(parameters, sums, !needs_norm(group.rule)),
      optimizer(nn::make_optimizer(parameters, group.rule)),
      rate(group.rate) {
  if (group.average != 0) average.emplace(parameters, group.average);
}

Groups::Groups(const std::vector<Group>& groups, DType sums) {
  for (const Group& group : groups) entries_.push_back(std::make_unique<Entry>(group, sums));
  if (entries_.empty()) return;
  const Tensor& values = entries_[0]->parameters.values();
  one_ = Tensor::empty({}, values.dtype(), values.device());
  kernels::fill(one_, 1);
}

Groups::Entry& Groups::at(const std::string& name) {
  for (const auto& entry : entries_)
    if (entry->name == name) return *entry;
  fail(ErrorKind::internal, "no group of parameters '{}'", name);
}

void Groups::run(const Update& update, const Tensor& iteration) {
  std::vector<Entry*> stepped, others;
  for (const std::string& name : update.groups) stepped.push_back(&at(name));
  for (const auto& entry : entries_) {
    const bool named = std::find(stepped.begin(), stepped.end(), entry.get()) != stepped.end();
    if (update.groups.empty())
      stepped.push_back(entry.get());
    else if (!named)
      others.push_back(entry.get());
  }
  const Constants constants(others);
  for (Entry* entry : stepped) entry->parameters.clear_gradients();
  differentiate(update, stepped);
  std::vector<nn::Optimizer::Turn> turns;
  for (Entry* entry : stepped) {
    entry->reduction.finish();
    turns.push_back({entry->optimizer.get(), entry->rate});
  }
  nn::Optimizer::step(turns, iteration);
  for (Entry* entry : stepped) entry->reduction.spread(entry->parameters.values());
  for (Entry* entry : stepped)
    if (entry->average) entry->average->update();
  if (update.after) update.after();
}

void Groups::differentiate(const Update& update, const std::vector<Entry*>& stepped) {
  const autograd::FactorScope factors;
  for (const auto& loss : update.losses) {
    autograd::Tape tape;
    const Var value = loss();
    if (&loss == &update.losses.back())
      for (Entry* entry : stepped) entry->reduction.begin();
    tape.backward(value, one_);
  }
}

void Groups::add_state(nn::StateDict& state) const {
  for (const auto& entry : entries_) {
    for (const Tensor& moments : entry->optimizer->moments()) entry->reduction.spread(moments);
    entry->optimizer->add_state(state, "optimizer." + entry->name);
    if (entry->average) entry->average->add_state(state, "average." + entry->name);
  }
}

Groups::Averaged::Averaged(Groups& groups) {
  for (const auto& entry : groups.entries_)
    if (entry->average) swapped_.emplace_back(*entry->average);
}

void Groups::use_averages() {
  for (const auto& entry : entries_)
    if (entry->average) entry->average->swap();
}

}  // namespace vae::train
