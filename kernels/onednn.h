#pragma once
// oneDNN 2 and 3 in the words of neither: the one describes an operation first and then the primitive for it,
// the other both at once.
#include <dnnl.hpp>

namespace vae::kernels::cpu::onednn {

/// The descriptor of a forward primitive; `operation` is what the version's own constructors ask for, from
/// the kind of propagation on. Throws dnnl::error where the library has none.
template <class Forward, class... Operation>
typename Forward::primitive_desc described_forward(const dnnl::engine& engine,
                                                   const dnnl::primitive_attr& attributes,
                                                   const Operation&... operation) {
#if DNNL_VERSION_MAJOR >= 3
  return typename Forward::primitive_desc(engine, operation..., attributes);
#else
  return typename Forward::primitive_desc({operation...}, attributes, engine);
#endif
}

/// The same of a backward primitive, beside the forward one; `operation` starts with the algorithm.
template <class Backward, class Hint, class... Operation>
typename Backward::primitive_desc described_backward(const dnnl::engine& engine,
                                                     const dnnl::primitive_attr& attributes,
                                                     const Hint& forward, const Operation&... operation) {
#if DNNL_VERSION_MAJOR >= 3
  return typename Backward::primitive_desc(engine, operation..., forward, attributes);
#else
  return typename Backward::primitive_desc({operation...}, attributes, engine, forward);
#endif
}

}  // namespace vae::kernels::cpu::onednn
