#pragma once
// VAE_CLONES: compile a loop for AVX-512, AVX2 and baseline x86-64 and choose at load time, so that one
// binary runs everywhere at full width. Floats, with_width: vectors by hand, for the few functions whose
// registers the compiler cannot plan from a loop. Clones are left out under sanitizers (their runtime is not
// up yet when the choice is made), on other processors, and by compilers that cannot clone templates.
#include <type_traits>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__CUDACC__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(VAE_NO_CLONES)
#define VAE_HAS_CLONES
#define VAE_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VAE_CLONES
#endif

namespace vae::kernels::cpu {

#define VAE_INLINE [[gnu::always_inline]] static inline

/// `width` floats side by side. As wide as a register of the processor they compile to its instructions;
/// wider ones are copied about through memory.
template <int width>
struct Floats {
  typedef float Vector __attribute__((vector_size(width * sizeof(float))));
  typedef float Anywhere __attribute__((vector_size(width * sizeof(float)), aligned(4), may_alias));
};
template <int width>
VAE_INLINE void load(const float* from, typename Floats<width>::Vector& to) {
  using Anywhere = typename Floats<width>::Anywhere;
  to = *reinterpret_cast<const Anywhere*>(from);
}
template <int width>
VAE_INLINE void store(const typename Floats<width>::Vector& from, float* to) {
  using Anywhere = typename Floats<width>::Anywhere;
  *reinterpret_cast<Anywhere*>(to) = from;
}

template <int width>
using Width = std::integral_constant<int, width>;

/// Calls f(Width) with the floats in a register of what VAE_CLONES chooses.
template <class F>
void with_width(const F& f) {
#ifdef VAE_HAS_CLONES
  static const bool avx512 = __builtin_cpu_supports("avx512vl");
  if (avx512) return f(Width<16>{});
#endif
  f(Width<8>{});
}

}  // namespace vae::kernels::cpu
