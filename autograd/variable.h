#pragma once
// Var: a tensor that takes part in differentiation. Copying a Var copies the handle.
#include <functional>
#include <memory>

#include "kernels/kernel.h"
#include "tensor/tensor.h"

namespace vae::autograd {

/// A gradient whose elements are all the same: `factor` times `number`, a tensor of one element. Sums and
/// means make such; as long as they meet linear functions only, no kernel runs for them.
struct Uniform {
  Tensor number;
  double factor = 1;
};

/// A gradient destination: where to write and whether to overwrite or add.
struct Slot {
  Tensor tensor;
  kernels::Write write;
};

namespace detail {

/// Throws Error(usage): an undefined Var was used.
[[noreturn]] void fail_undefined();

/// State of a gradient: none yet, a tensor of its own, a tensor shared with another node (copied before
/// adding while others hold it), or one number for all elements.
enum class GradState : uint8_t { none, own, shared, uniform };

struct Node {
  Tensor value, grad;
  double factor = 1;  // of a uniform gradient, whose number is grad
  GradState state = GradState::none;
  bool needs_grad = false;
  bool parameter = false;          // grad is a fixed buffer, never replaced
  uint64_t tape = 0;               // that recorded the value; 0: a leaf
  int64_t pending_uses = 0;        // records on the tape that will still add to grad
  std::function<void()> on_final;  // called when pending_uses drops to zero in a backward walk

  /// Where the next contribution goes; allocates on first use.
  Slot slot();
  /// Contributes a whole tensor, without a copy where that is safe. One that nobody else holds may be written
  /// on in later.
  void contribute(const Tensor& gradient, bool held_by_others = true);
  void contribute(const Uniform& gradient);
  /// Makes a tensor of a uniform gradient.
  void spread();
};

}  // namespace detail

class Var {
 public:
  Var() = default;
  /// A value; gradients are collected for it only when needs_grad.
  explicit Var(Tensor value, bool needs_grad = false);

  bool defined() const { return node_ != nullptr; }
  /// What a defined Var holds. These and what follows throw Error(usage) for an undefined one.
  const Tensor& value() const { return there().value; }
  const Shape& shape() const { return there().value.shape(); }
  /// False for an undefined one, too.
  bool needs_grad() const { return node_ && node_->needs_grad; }
  /// Whether a backward walk has written the gradient since it was last cleared.
  bool has_grad() const { return there().state != detail::GradState::none; }
  /// The gradient; throws Error(usage) where has_grad() is false.
  const Tensor& grad() const;
  /// Forgets the gradient without touching its memory: the next contribution overwrites.
  void clear_grad() { there().state = detail::GradState::none; }

  /// Moves value and gradient of a parameter into the given tensors (slices of flat buffers), keeping the
  /// value.
  void rebind(const Tensor& value, const Tensor& grad);
  /// Called each time the gradient is final in a backward walk.
  void on_final(std::function<void()> hook) { there().on_final = std::move(hook); }

  const std::shared_ptr<detail::Node>& node() const { return node_; }
  /// Whether repeating() made this handle.
  bool repeats() const { return repeats_; }

 private:
  friend Var repeating(const Var& x);
  detail::Node& there() const {
    if (!node_) [[unlikely]]
      detail::fail_undefined();
    return *node_;
  }
  std::shared_ptr<detail::Node> node_;
  bool repeats_ = false;
};

/// x as an operand whose rows may repeat, block after block, under a larger operand: the images [B, n] of
/// logits [K * B, n]. No copy is made; elementwise functions, row losses and the bias of linear() take it.
inline Var repeating(const Var& x) {
  Var operand = x;
  operand.repeats_ = true;
  return operand;
}

}  // namespace vae::autograd
