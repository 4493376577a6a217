#pragma once
// Primitives of oneDNN, made once for a key and kept, the least recently used falling out. Scratch memory is
// the caching allocator's.
#include <array>
#include <functional>
#include <initializer_list>
#include <memory>
#include <vector>

#include "kernels/kernel.h"
#include "kernels/onednn.h"

namespace vae::kernels::cpu::onednn {

using Desc = dnnl::memory::desc;

const dnnl::engine& engine();
/// Scratch memory is handed to every call.
dnnl::primitive_attr scratch_from_caller();
/// That of f32 or bf16.
dnnl::memory::data_type type_of(DType dtype);

/// One operand: our layout, the one that the primitive wants and, where they differ, the way from one to the
/// other.
struct Operand {
  Operand(int argument, const Desc& ours, const Desc& wanted, bool is_result);
  bool reordered() const { return static_cast<bool>(reorder); }

  int argument;
  Desc ours, wanted, scratch;
  dnnl::primitive reorder;
};

struct Primitive {
  dnnl::primitive primitive;
  Desc scratch;
  std::vector<Operand> in;
  Operand result;
};

enum class Operation : int64_t { forward, forward_bias, input, weight, product };

/// What a primitive is made for, the number of threads included: the operation, the dtype of its factors, and
/// sizes.
using Key = std::array<int64_t, 16>;
Key key_of(Operation operation, DType factors, std::initializer_list<int64_t> sizes);

/// The primitive for a key, by `make` where there is none yet; null where that throws dnnl::error, since
/// oneDNN has none for this processor.
std::shared_ptr<const Primitive> primitive_for(const Key& key, const std::function<Primitive()>& make);

/// Runs a primitive on its operands in their order.
void run(const Primitive& p, std::initializer_list<const Tensor*> in, Out result);

}  // namespace vae::kernels::cpu::onednn
