#pragma once
// The factors of differentiable products. Under Precision::bf16 (kernels/precision.h) they are copies in
// bf16, which the backward pass keeps and uses, too; else they are the operands themselves.
#include <map>

#include "autograd/variable.h"

namespace vae::autograd {

namespace detail {

/// What a product takes for x in the precision that is set.
Tensor factor(const Var& x);
/// The gradient of a product as a factor beside `other`, one that was kept of it.
Tensor factor_beside(const Tensor& other, const Tensor& dy);

}  // namespace detail

/// While it lives, this thread makes one factor of each parameter instead of one for each product. Nothing
/// may write parameters meanwhile.
class FactorScope {
 public:
  FactorScope();
  ~FactorScope();
  FactorScope(const FactorScope&) = delete;
  FactorScope& operator=(const FactorScope&) = delete;

 private:
  friend Tensor detail::factor(const Var& x);
  struct Made {
    Tensor parameter, factor;  // the first keeps its address from being given to another tensor
  };
  std::map<std::pair<const void*, int64_t>, Made> made_;  // by address and size
  FactorScope* outer_;
};

}  // namespace vae::autograd
