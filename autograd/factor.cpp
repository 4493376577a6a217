#include "autograd/factor.h"

#include "kernels/kernels.h"
#include "kernels/precision.h"

namespace vae::autograd {
namespace {

thread_local FactorScope* current = nullptr;

Tensor rounded(const Tensor& x) { return kernels::converted(x, DType::bf16); }

}  // namespace

FactorScope::FactorScope() : outer_(current) { current = this; }
FactorScope::~FactorScope() { current = outer_; }

Tensor detail::factor(const Var& x) {
  const Tensor& value = x.value();
  if (kernels::precision() != kernels::Precision::bf16 || value.dtype() != DType::f32) return value;
  if (!current || !x.node()->parameter) return rounded(value);
  FactorScope::Made& made = current->made_[{value.raw(), value.numel()}];
  if (!made.factor.defined()) made = {value, rounded(value)};
  return made.factor.reshape(value.shape());
}

Tensor detail::factor_beside(const Tensor& other, const Tensor& dy) {
  return other.dtype() == DType::bf16 && dy.dtype() == DType::f32 ? rounded(dy) : dy;
}

}  // namespace vae::autograd
