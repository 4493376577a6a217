#include "kernels/precision.h"

#include <dnnl.hpp>

namespace vae::kernels {
namespace {

thread_local Precision current = Precision::fp32;

}  // namespace

PrecisionScope::PrecisionScope(Precision precision) : outer_(current) { current = precision; }
PrecisionScope::~PrecisionScope() { current = outer_; }

Precision precision() { return current; }

bool processor_has_bf16() {
  constexpr auto wanted = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);  // AMX has its bits, too
  return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & wanted) == wanted;
}

}  // namespace vae::kernels
