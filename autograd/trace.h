#pragma once
// What a forward pass computes, as a list: exporters read it. A trace needs no tape and no gradients.
#include <vector>

#include "autograd/tape.h"
#include "kernels/kernels.h"

namespace vae::autograd {

/// The constants of a call, those that its function has.
struct Attributes {
  std::optional<kernels::Map> function{};  ///< of map()
  kernels::Params params{};
  kernels::Window window{};
  kernels::Divisor divisor{};
  kernels::Activation activation{};
  int64_t begin = 0;  ///< the first column
  kernels::Transpose first = kernels::Transpose::no, second = kernels::Transpose::no;
  bool operator==(const Attributes&) const = default;
};

/// While alive, notes the calls of differentiable functions on this thread, and keeps their values.
class Trace {
 public:
  struct Call {
    std::string op;
    std::vector<Var> inputs;  ///< undefined where there is none, such as a bias
    Var output;
    Attributes attributes{};
  };
  Trace();
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;
  const std::vector<Call>& calls() const { return calls_; }

  /// The innermost one; null where nobody looks.
  static Trace* current();
  void add(Call call) { calls_.push_back(std::move(call)); }
  void describe(const Attributes& attributes) { calls_.back().attributes = attributes; }

 private:
  std::vector<Call> calls_;
  Trace* outer_;
};

/// The result of record(), whose call has these constants.
inline Var traced(Var y, const Attributes& attributes) {
  if (Trace* const trace = Trace::current()) trace->describe(attributes);
  return y;
}

}  // namespace vae::autograd
