#pragma once
// VAE_CLONES: compile a loop for AVX-512, AVX2 and baseline x86-64 and choose at load time, so that one
// binary runs everywhere at full width. Left out under sanitizers (their runtime is not up yet when the
// choice is made), on other processors, and by compilers that cannot clone templates.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__CUDACC__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(VAE_NO_CLONES)
#define VAE_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VAE_CLONES
#endif
