#include "autograd/tape.h"

#include "kernels/kernels.h"

namespace vae::autograd {
namespace {

thread_local Tape* current_tape = nullptr;
thread_local OpObserver* current_observer = nullptr;

}  // namespace

Tape::Tape() : previous_(current_tape) { current_tape = this; }

Tape::~Tape() {
  for (const Record& record : records_)  // an abandoned forward pass
    for (const auto& input : record.inputs)
      if (input && input->needs_grad) --input->pending_uses;
  current_tape = previous_;
}

void Tape::finish(Record& record) {
  for (const auto& input : record.inputs)
    if (input && input->needs_grad && --input->pending_uses == 0 && input->on_final) input->on_final();
  record = {};
}

void Tape::backward(const Var& loss) {
  VAE_CHECK(loss.value().numel() == 1, "backward from {}, not from one number", loss.value().str());
  VAE_CHECK(loss.needs_grad(), "backward from a value that depends on no parameter");
  const Slot seed = loss.node()->slot();
  kernels::fill(seed.tensor, 1.0);
  for (size_t i = records_.size(); i-- > 0;) {
    Record& record = records_[i];
    detail::Node& output = *record.output;
    if (output.state != detail::GradState::none) {
      record.backward(Backward(output.grad, record.inputs));
      output.grad = {};
      output.state = detail::GradState::none;
    }
    finish(record);
  }
  records_.clear();
}

Var record(const char* op, Tensor y, std::span<const Var> inputs, BackwardFunction backward) {
  bool needs_grad = false;
  for (const Var& input : inputs) needs_grad = needs_grad || input.needs_grad();
  if (!current_tape || !needs_grad) return Var(std::move(y));
  Var output(std::move(y), true);
  Tape::Record record{output.node(), {}, std::move(backward)};
  for (const Var& input : inputs) {
    if (input.needs_grad()) ++input.node()->pending_uses;
    record.inputs.push_back(input.node());
  }
  current_tape->records_.push_back(std::move(record));
  if (current_observer) current_observer->names_.insert(op);
  return output;
}

OpObserver::OpObserver() {
  VAE_CHECK(!current_observer, "one OpObserver at a time");
  current_observer = this;
}

OpObserver::~OpObserver() { current_observer = nullptr; }

}  // namespace vae::autograd
