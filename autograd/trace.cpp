#include "autograd/trace.h"

namespace vae::autograd {
namespace {

thread_local Trace* innermost = nullptr;

}  // namespace

Trace::Trace() : outer_(innermost) { innermost = this; }

Trace::~Trace() { innermost = outer_; }

Trace* Trace::current() { return innermost; }

}  // namespace vae::autograd
