#pragma once
// A matrix product for small matrices in the cache, without the packing that a library needs for large ones:
// a few rows of the result stay in registers while their factors pass by.
#include <cstdint>

#include "kernels/simd.h"

namespace vae::kernels::cpu {

inline constexpr int64_t kPanel = 16;  ///< columns of a panel

/// c = a b or c += a b for f32: a [m, k], element (i, p) at a[i a_row + p a_step]; b [k, n] in panels of
/// kPanel columns, element (p, j) at b[j / kPanel b_panel + p b_step + j % kPanel]; c [m, n] with rows c_row
/// apart. n is a multiple of kPanel.
struct PanelProduct {
  int64_t m, n, k;
  const float* a;
  int64_t a_row, a_step;
  const float* b;
  int64_t b_step, b_panel;
  float* c;
  int64_t c_row;
  bool add = false;
};

/// `rows` x `vectors` registers of c from row i and column j on.
template <int width, int rows, int vectors>
VAE_INLINE void panel_block(const PanelProduct& s, int64_t i, int64_t j) {
  using Vector = typename Floats<width>::Vector;
  const float *a = s.a + i * s.a_row, *b[vectors];
  float* const c = s.c + i * s.c_row + j;
  for (int v = 0; v < vectors; ++v)
    b[v] = s.b + (j + v * width) / kPanel * s.b_panel + (j + v * width) % kPanel;
  if (s.add)
    for (int r = 0; r < rows; ++r) __builtin_prefetch(c + r * s.c_row, 1);
  Vector sums[rows][vectors] = {};
  for (int64_t p = 0; p < s.k; ++p) {
    Vector row[vectors];
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) load<width>(b[v] + p * s.b_step, row[v]);
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) {
      const float factor = a[r * s.a_row + p * s.a_step];
#pragma GCC unroll 2
      for (int v = 0; v < vectors; ++v) sums[r][v] += factor * row[v];
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) {
      float* const to = c + r * s.c_row + v * width;
      if (s.add) {
        Vector before;
        load<width>(to, before);
        sums[r][v] += before;
      }
      store<width>(sums[r][v], to);
    }
}

/// All rows of some columns, the last ones in somewhat lower blocks rather than one by one, which would wait
/// for each sum.
template <int width, int vectors>
VAE_INLINE void panel_columns(const PanelProduct& s, int64_t j) {
  constexpr int rows = width == 16 ? 12 : 6, lower = rows - 2;
  int64_t i = 0;
  for (; s.m - i > 2 * lower || s.m - i == rows; i += rows) panel_block<width, rows, vectors>(s, i, j);
  for (; s.m - i >= lower; i += lower) panel_block<width, lower, vectors>(s, i, j);
  for (; s.m - i >= 2; i += 2) panel_block<width, 2, vectors>(s, i, j);
  if (i < s.m) panel_block<width, 1, vectors>(s, i, j);
}

template <int width>
VAE_CLONES void panel_product_of(const PanelProduct& s) {
  int64_t j = 0;
  for (; s.n - j >= 2 * width; j += 2 * width) panel_columns<width, 2>(s, j);
  for (; j < s.n; j += width) panel_columns<width, 1>(s, j);
}

inline void panel_product(const PanelProduct& s) {
  with_width([&](auto width) { panel_product_of<width>(s); });
}

}  // namespace vae::kernels::cpu
