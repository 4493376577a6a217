#pragma once
// The transforms of Winograd's algorithms along one axis: polynomials evaluated at points, and their
// adjoints. An algorithm F(tile, kernel) takes `patch` = tile + kernel - 1 values of an image to as many
// points and their products with a kernel's to `tile` results. Points other than 1 and 2 round less (Barabasz
// et al., arXiv:1803.10986).
#include "kernels/simd.h"

namespace vae::kernels::cpu::winograd {

/// F(4, 3) at 0, p, -p, q, -q and infinity.
struct SixPoints {
  static constexpr int kernel = 3, tile = 4, patch = 6;
  static constexpr float p = 0.625F, q = 1.5F, pp = p * p, qq = q * q, at_zero = 1 / (pp * qq),
                         at_p = 1 / (2 * pp * (pp - qq)), at_q = 1 / (2 * qq * (qq - pp));

  struct Image {
    static constexpr int in = patch, out = patch;
    template <class V>
    VAE_INLINE void apply(const V* x, V* y) {
      const V &x0 = x[0], &x1 = x[1], &x2 = x[2], &x3 = x[3], &x4 = x[4], &x5 = x[5];
      const V even_p = x4 - qq * x2, odd_p = p * (x3 - qq * x1), even_q = x4 - pp * x2,
              odd_q = q * (x3 - pp * x1);
      y[0] = (pp * qq) * x0 - (pp + qq) * x2 + x4;
      y[1] = even_p + odd_p;
      y[2] = even_p - odd_p;
      y[3] = even_q + odd_q;
      y[4] = even_q - odd_q;
      y[5] = (pp * qq) * x1 - (pp + qq) * x3 + x5;
    }
  };

  struct Kernel {
    static constexpr int in = kernel, out = patch;
    template <class V>
    VAE_INLINE void apply(const V* x, V* y) {
      const V &x0 = x[0], &x1 = x[1], &x2 = x[2];
      const V even_p = at_p * x0 + (at_p * pp) * x2, odd_p = (at_p * p) * x1,
              even_q = at_q * x0 + (at_q * qq) * x2, odd_q = (at_q * q) * x1;
      y[0] = at_zero * x0;
      y[1] = even_p + odd_p;
      y[2] = even_p - odd_p;
      y[3] = even_q + odd_q;
      y[4] = even_q - odd_q;
      y[5] = x2;
    }
  };

  struct Result {
    static constexpr int in = patch, out = tile;
    template <class V>
    VAE_INLINE void apply(const V* x, V* y) {
      const V &x0 = x[0], &x1 = x[1], &x2 = x[2], &x3 = x[3], &x4 = x[4], &x5 = x[5];
      const V even_p = x1 + x2, odd_p = x1 - x2, even_q = x3 + x4, odd_q = x3 - x4;
      y[0] = x0 + even_p + even_q;
      y[1] = p * odd_p + q * odd_q;
      y[2] = pp * even_p + qq * even_q;
      y[3] = (p * pp) * odd_p + (q * qq) * odd_q + x5;
    }
  };

  /// The adjoints of the last two, for gradients of the weights.
  struct KernelGradient {
    static constexpr int in = patch, out = kernel;
    template <class V>
    VAE_INLINE void apply(const V* x, V* y) {
      const V &x0 = x[0], &x1 = x[1], &x2 = x[2], &x3 = x[3], &x4 = x[4], &x5 = x[5];
      const V even_p = at_p * (x1 + x2), odd_p = at_p * (x1 - x2), even_q = at_q * (x3 + x4),
              odd_q = at_q * (x3 - x4);
      y[0] = at_zero * x0 + even_p + even_q;
      y[1] = p * odd_p + q * odd_q;
      y[2] = pp * even_p + qq * even_q + x5;
    }
  };

  struct ResultGradient {
    static constexpr int in = tile, out = patch;
    template <class V>
    VAE_INLINE void apply(const V* x, V* y) {
      const V &x0 = x[0], &x1 = x[1], &x2 = x[2], &x3 = x[3];
      const V even_p = x0 + pp * x2, odd_p = p * x1 + (p * pp) * x3, even_q = x0 + qq * x2,
              odd_q = q * x1 + (q * qq) * x3;
      y[0] = x0;
      y[1] = even_p + odd_p;
      y[2] = even_p - odd_p;
      y[3] = even_q + odd_q;
      y[4] = even_q - odd_q;
      y[5] = x3;
    }
  };
};

/// F(4, 2) and F(3, 3) at p, -p, q, -q and infinity.
template <int of_kernel>
struct FivePoints {
  static constexpr int kernel = of_kernel, tile = 6 - of_kernel, patch = 5;
  static constexpr float p = 0.375F, q = 1.25F, pp = p * p, qq = q * q, at_p = 1 / (2 * p * (pp - qq)),
                         at_q = 1 / (2 * q * (qq - pp));

  struct Image {
    static constexpr int in = patch, out = patch;
    template <class V>
    VAE_INLINE void apply(const V* x, V* y) {
      const V &x0 = x[0], &x1 = x[1], &x2 = x[2], &x3 = x[3], &x4 = x[4];
      const V odd_p = x3 - qq * x1, even_p = p * (x2 - qq * x0), odd_q = x3 - pp * x1,
              even_q = q * (x2 - pp * x0);
      y[0] = odd_p + even_p;
      y[1] = odd_p - even_p;
      y[2] = odd_q + even_q;
      y[3] = odd_q - even_q;
      y[4] = (pp * qq) * x0 - (pp + qq) * x2 + x4;
    }
  };

  struct Kernel {
    static constexpr int in = kernel, out = patch;
    template <class V>
    VAE_INLINE void apply(const V* x, V* y) {
      const V &x0 = x[0], &x1 = x[1], &last = x[kernel - 1];
      V even_p = at_p * x0, even_q = at_q * x0;
      if constexpr (kernel == 3) even_p += (at_p * pp) * last, even_q += (at_q * qq) * last;
      const V odd_p = (at_p * p) * x1, odd_q = (at_q * q) * x1;
      y[0] = odd_p + even_p;
      y[1] = odd_p - even_p;
      y[2] = odd_q + even_q;
      y[3] = odd_q - even_q;
      y[4] = last;
    }
  };

  struct Result {
    static constexpr int in = patch, out = tile;
    template <class V>
    VAE_INLINE void apply(const V* x, V* y) {
      const V &x0 = x[0], &x1 = x[1], &x2 = x[2], &x3 = x[3], &x4 = x[4];
      const V even_p = x0 + x1, odd_p = x0 - x1, even_q = x2 + x3, odd_q = x2 - x3;
      y[0] = even_p + even_q;
      y[1] = p * odd_p + q * odd_q;
      y[2] = pp * even_p + qq * even_q;
      if constexpr (tile == 4) y[3] = (p * pp) * odd_p + (q * qq) * odd_q;
      y[tile - 1] += x4;
    }
  };

  struct KernelGradient {
    static constexpr int in = patch, out = kernel;
    template <class V>
    VAE_INLINE void apply(const V* x, V* y) {
      const V &x0 = x[0], &x1 = x[1], &x2 = x[2], &x3 = x[3], &x4 = x[4];
      const V even_p = at_p * (x0 - x1), odd_p = at_p * (x0 + x1), even_q = at_q * (x2 - x3),
              odd_q = at_q * (x2 + x3);
      y[0] = even_p + even_q;
      y[1] = p * odd_p + q * odd_q;
      if constexpr (kernel == 3) y[2] = pp * even_p + qq * even_q;
      y[kernel - 1] += x4;
    }
  };

  struct ResultGradient {
    static constexpr int in = tile, out = patch;
    template <class V>
    VAE_INLINE void apply(const V* x, V* y) {
      const V &x0 = x[0], &x1 = x[1], &x2 = x[2], &last = x[tile - 1];
      const V even_p = x0 + pp * x2, even_q = x0 + qq * x2;
      V odd_p = p * x1, odd_q = q * x1;
      if constexpr (tile == 4) odd_p += (p * pp) * last, odd_q += (q * qq) * last;
      y[0] = even_p + odd_p;
      y[1] = even_p - odd_p;
      y[2] = even_q + odd_q;
      y[3] = even_q - odd_q;
      y[4] = last;
    }
  };
};

}  // namespace vae::kernels::cpu::winograd
