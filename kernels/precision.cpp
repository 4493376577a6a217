#include "kernels/precision.h"

namespace vae::kernels {
namespace {

thread_local Precision current = Precision::fp32;

}  // namespace

PrecisionScope::PrecisionScope(Precision precision) : outer_(current) { current = precision; }
PrecisionScope::~PrecisionScope() { current = outer_; }

Precision precision() { return current; }

}  // namespace vae::kernels
