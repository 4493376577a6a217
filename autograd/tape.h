#pragma once
// The tape of an eager forward pass. While a Tape object lives, differentiable functions whose inputs need
// gradients record themselves on it; without one nothing is recorded, so inference needs no guard. The
// backward walk is a loop over the records in reverse; each record's saved tensors die as the walk passes it.
#include <functional>
#include <initializer_list>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "autograd/variable.h"
#include "kernels/reduce.h"

namespace vae::autograd {

/// Gradients of parameters that are sums of the rows of a tensor. They wait for one another, for a launch to
/// take several; on the host none waits.
class ColumnSums {
 public:
  /// The gradient of a parameter, which nothing may read or write before flush().
  void add(const detail::Node* of, const Tensor& rows, const Slot& gradient);
  bool hold(const detail::Node* of) const;
  void flush();

 private:
  static constexpr size_t kMost = 16;
  static constexpr size_t kMostBytes = size_t{64} << 20;  // kept alive meanwhile
  std::vector<kernels::ColumnSum> sums_;
  std::vector<const detail::Node*> of_;
  size_t bytes_ = 0;
};

/// What a record's backward function sees: the gradient of its output and the slots of its inputs.
class Backward {
 public:
  /// `last`: nobody needs the gradient afterwards.
  Backward(detail::Node& output, const std::vector<std::shared_ptr<detail::Node>>& inputs, ColumnSums& sums,
           bool last)
      : output_(output), inputs_(inputs), sums_(sums), last_(last) {}
  const Tensor& dy() const {
    output_.spread();
    return output_.grad;
  }
  /// dy() where it is one number for all elements.
  std::optional<Uniform> uniform() const;
  bool wants(size_t i) const { return inputs_[i] && inputs_[i]->needs_grad; }
  /// Destination for the gradient of input i.
  Slot into(size_t i) const { return ready(i).slot(); }
  /// Hands over a finished tensor as (part of) the gradient of input i.
  void give(size_t i, const Tensor& gradient) const { ready(i).contribute(gradient); }
  void give(size_t i, const Uniform& gradient) const { ready(i).contribute(gradient); }
  /// dy() to change and to pass on: itself where nobody else holds it, else a copy. dy() is gone then.
  Tensor take() const {
    const Tensor& own = dy();
    return last_ && output_.state == detail::GradState::own ? own : own.clone();
  }
  /// Hands over what take() gave, or a new tensor, for later contributions to be added in place.
  void pass_on(size_t i, const Tensor& gradient) const { ready(i).contribute(gradient, false); }
  /// Makes the sum of the rows of a tensor (part of) the gradient of input i, at the latest when it is
  /// needed.
  void give_sum_of_rows(size_t i, const Tensor& rows) const;

 private:
  /// Input i, whose gradient may be read and written.
  detail::Node& ready(size_t i) const {
    if (sums_.hold(inputs_[i].get())) sums_.flush();
    return *inputs_[i];
  }
  detail::Node& output_;
  const std::vector<std::shared_ptr<detail::Node>>& inputs_;
  ColumnSums& sums_;
  bool last_;
};

using BackwardFunction = std::function<void(const Backward&)>;

class Tape {
 public:
  /// Becomes the current tape of this thread until destroyed.
  Tape();
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// Walks back from a one-element loss, leaves gradients in the leaves that need them, and empties the tape,
  /// which records nothing from then on. Throws Error(usage) for a second call, and for a loss that needs no
  /// gradient, is not one number, or was recorded by another tape. `one`: a number 1 of the loss's dtype and
  /// device, where there is one at hand; else it is made.
  void backward(const Var& loss, const Tensor& one = {});
  /// backward() for checks of functions in f64 (gradcheck.h): calls each function's derivative a second time
  /// on top of gradients that are there, and names those that do not add to them.
  std::vector<std::string> backward_checked(const Var& loss);
  size_t size() const { return records_.size(); }

 private:
  friend Var record(const char*, Tensor, std::span<const Var>, BackwardFunction);
  struct Record {
    const char* op;
    std::shared_ptr<detail::Node> output;
    std::vector<std::shared_ptr<detail::Node>> inputs;
    BackwardFunction backward;
    std::vector<std::string> check_adding() const;
  };
  void check_loss(const Var& loss) const;
  template <class Visit>
  void walk(const Var& loss, const Tensor& one, const Visit& visit);
  void finish(Record& record);
  bool holds(uint64_t tape) const;
  std::vector<Record> records_;
  ColumnSums sums_;
  Tape* previous_;
  uint64_t id_;
  bool walked_ = false;
};

/// The result of a differentiable function: value `y`, recorded under the name `op` (a literal) when a tape
/// is current and an input needs a gradient. Throws Error(usage) where an input was recorded by a tape that
/// is gone or walked, whose gradient would end there.
Var record(const char* op, Tensor y, std::span<const Var> inputs, BackwardFunction backward);
inline Var record(const char* op, Tensor y, std::initializer_list<Var> inputs, BackwardFunction backward) {
  return record(op, std::move(y), std::span(inputs.begin(), inputs.size()), std::move(backward));
}

/// While alive, collects the names of all differentiable functions recorded by this thread.
class OpObserver {
 public:
  OpObserver();
  ~OpObserver();
  const std::set<std::string>& names() const { return names_; }

 private:
  friend Var record(const char*, Tensor, std::span<const Var>, BackwardFunction);
  std::set<std::string> names_;
};

}  // namespace vae::autograd
