#include "autograd/tape.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <memory>

#include "autograd/calling.h"
#include "autograd/trace.h"
#include "kernels/kernels.h"

namespace vae::autograd {
namespace {

thread_local Tape* current_tape = nullptr;
thread_local OpObserver* current_observer = nullptr;
std::atomic<uint64_t> last_tape{0};

}  // namespace

Tape::Tape() : previous_(current_tape), id_(++last_tape) { current_tape = this; }

Tape::~Tape() {
  for (const Record& record : records_)  // an abandoned forward pass
    for (const auto& input : record.inputs)
      if (input && input->needs_grad) --input->pending_uses;
  current_tape = previous_;
}

void ColumnSums::add(const detail::Node* of, const Tensor& rows, const Slot& gradient) {
  sums_.push_back({rows, gradient.tensor, gradient.write});
  of_.push_back(of);
  bytes_ += rows.bytes();
  if (rows.device().is_cpu() || sums_.size() == kMost || bytes_ > kMostBytes) flush();
}

bool ColumnSums::hold(const detail::Node* of) const {
  return std::find(of_.begin(), of_.end(), of) != of_.end();
}

void ColumnSums::flush() {
  if (!sums_.empty()) kernels::column_sums(sums_);
  sums_.clear(), of_.clear(), bytes_ = 0;
}

std::optional<Uniform> Backward::uniform() const {
  if (output_.state == detail::GradState::uniform) return Uniform{output_.grad, output_.factor};
  if (output_.value.numel() == 1) return Uniform{output_.grad};
  return {};
}

void Backward::give_sum_of_rows(size_t i, const Tensor& rows) const {
  const Slot gradient = into(i);
  if (inputs_[i]->parameter) return sums_.add(inputs_[i].get(), rows, gradient);
  const int64_t n = gradient.tensor.numel();
  kernels::sum(rows, gradient.tensor, {1, n ? rows.numel() / n : 0, n}, 1.0, gradient.write);
}

void Tape::finish(Record& record) {
  for (const auto& input : record.inputs)
    if (input && input->needs_grad && --input->pending_uses == 0 && input->on_final) {
      sums_.flush();
      input->on_final();
    }
  record = {};
}

void Tape::check_loss(const Var& loss) const {
  constexpr const char* function = "Tape::backward";
  if (!loss.defined()) misuse(function, "the loss is undefined");
  if (walked_)
    misuse(function,
           "this tape was walked back before: make a Tape for each loss, or add the losses up first");
  if (loss.value().numel() != 1)
    misuse(function, "the loss is {}, not one number: take its sum() or mean()", loss.value().str());
  if (!loss.needs_grad())
    misuse(
        function,
        "the loss needs no gradient: it was computed before the Tape was made, or depends on no parameter");
  if (const uint64_t tape = loss.node()->tape; tape != 0 && tape != id_)
    misuse(function, "the loss was recorded by another Tape");
}

template <class Visit>
void Tape::walk(const Var& loss, const Tensor& one, const Visit& visit) {
  check_loss(loss);
  walked_ = true;
  if (one.defined())
    loss.node()->contribute(one);
  else
    kernels::fill(loss.node()->slot().tensor, 1.0);
  for (size_t i = records_.size(); i-- > 0;) {
    Record& record = records_[i];
    detail::Node& output = *record.output;
    if (output.state != detail::GradState::none) {
      visit(record);
      output.grad = {};
      output.state = detail::GradState::none;
    }
    finish(record);
  }
  sums_.flush();
  records_.clear();
}

void Tape::backward(const Var& loss, const Tensor& one) {
  walk(loss, one,
       [this](Record& record) { record.backward(Backward(*record.output, record.inputs, sums_, true)); });
}

std::vector<std::string> Tape::backward_checked(const Var& loss) {
  std::vector<std::string> faults;
  walk(loss, {}, [&](Record& record) {
    for (std::string& fault : record.check_adding()) faults.push_back(std::move(fault));
  });
  return faults;
}

namespace {

/// The gradient of a node aside: whatever is written meanwhile is taken out, and added at the end.
class Aside {
 public:
  explicit Aside(detail::Node& node)
      : node_(node), grad_(node.grad), state_(node.state), parameter_(node.parameter) {
    node.parameter = false;
  }
  ~Aside() {
    node_.grad = grad_, node_.state = state_, node_.parameter = parameter_;
    if (part_.defined()) node_.contribute(part_);
  }
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;

  void empty() { node_.grad = {}, node_.state = detail::GradState::none; }
  void take() {
    node_.spread();
    if (node_.state != detail::GradState::none) part_ = node_.grad.clone();
  }
  void fill() {
    node_.grad = Tensor::empty(node_.value.shape(), node_.value.dtype(), node_.value.device());
    kernels::fill(node_.grad, kStart);
    node_.state = detail::GradState::own;
  }
  /// Whether what is there now is the start and the part taken before.
  bool added() const {
    const auto now = node_.grad.to_vector<double>();
    const auto part = part_.defined() ? part_.to_vector<double>() : std::vector<double>(now.size());
    for (size_t i = 0; i < now.size(); ++i)
      if (std::isfinite(part[i]) && !(std::abs(now[i] - kStart - part[i]) <= 1e-9 * (1 + std::abs(part[i]))))
        return false;
    return true;
  }

 private:
  static constexpr double kStart = 0.75;
  detail::Node& node_;
  Tensor grad_, part_;
  detail::GradState state_;
  bool parameter_;
};

}  // namespace

std::vector<std::string> Tape::Record::check_adding() const {
  std::map<detail::Node*, std::unique_ptr<Aside>> asides;  // a node may be several inputs
  for (const auto& input : inputs)
    if (input && input->needs_grad && !asides.contains(input.get()))
      asides.emplace(input.get(), std::make_unique<Aside>(*input));
  ColumnSums sums;
  const Backward call(*output, inputs, sums, false);
  for (const auto& [node, aside] : asides) aside->empty();
  backward(call), sums.flush();
  for (const auto& [node, aside] : asides) aside->take(), aside->fill();
  backward(call), sums.flush();
  std::vector<std::string> faults;
  for (size_t i = 0; i < inputs.size(); ++i)
    if (call.wants(i) && !asides.at(inputs[i].get())->added())
      faults.push_back(fmt::format(
          "'{}' does not add to the gradient that its input {} has already: its derivative must do "
          "what Slot::write says",
          op, i));
  return faults;
}

/// Whether a tape can still walk through what the tape of that number recorded.
bool Tape::holds(uint64_t tape) const {
  for (const Tape* t = this; t; t = t->previous_)
    if (t->id_ == tape) return !t->walked_;
  return false;
}

Var record(const char* op, Tensor y, std::span<const Var> inputs, BackwardFunction backward) {
  bool needs_grad = false;
  for (const Var& input : inputs) needs_grad = needs_grad || input.needs_grad();
  Tape* const tape = current_tape;
  const bool recorded = tape && !tape->walked_ && needs_grad;
  Var output(std::move(y), recorded);
  if (Trace* const trace = Trace::current()) trace->add({op, {inputs.begin(), inputs.end()}, output});
  if (!recorded) return output;
  output.node()->tape = tape->id_;
  Tape::Record record{op, output.node(), {}, std::move(backward)};
  for (const Var& input : inputs) {
    const auto& node = input.node();
    if (input.needs_grad() && node->tape != 0 && node->tape != tape->id_ && !tape->holds(node->tape))
      misuse(op,
             "an operand was recorded by a Tape that is gone, where its gradient would be lost: "
             "record it on this one, or cut it off as Var(x.value())");
    record.inputs.push_back(node);
  }
  for (const auto& input : record.inputs)
    if (input && input->needs_grad) ++input->pending_uses;
  tape->records_.push_back(std::move(record));
  if (current_observer) current_observer->names_.insert(op);
  return output;
}

OpObserver::OpObserver() {
  VAE_CHECK(!current_observer, "one OpObserver at a time");
  current_observer = this;
}

OpObserver::~OpObserver() { current_observer = nullptr; }

}  // namespace vae::autograd
