#pragma once
// A function as the calls that compute it, for any size of the batch.
#include "autograd/trace.h"
#include "tools/export/function.h"

namespace vae::exporter {

inline constexpr int64_t kBatch = -1;  ///< an extent that is the size of the batch

using Extents = std::vector<int64_t>;

/// A value within a function. One that is no constant, no input and the output of no call is room that a call
/// writes into.
struct Value {
  Extents extents;
  Tensor constant{};  ///< of what depends on no input
};

/// A call of a differentiable function; operands are indices of values, -1 where there is none.
struct Call {
  std::string op;
  std::vector<int> inputs;
  int output;
  autograd::Attributes attributes;
};

struct Named {
  std::string name, doc;
  int value;
};

struct Recording {
  std::vector<Value> values;
  std::vector<Call> calls;  ///< those that the outputs need, in order
  std::vector<Named> inputs, outputs;
};

/// Runs a function twice, on batches of two sizes and of other values, and compares: what differs is the
/// leading extent alone, and constants are the same bits. Throws Error(usage) for a function where that is
/// not so, since its constants hide values that depend on its inputs.
Recording record(const Function& function, const train::Step& step);

}  // namespace vae::exporter
