#pragma once
// Images, results and kernels at the points of Winograd's algorithms and back: a transform along both axes of
// each tile, for as many channels at once as a register holds.
#include "kernels/panel_product.h"
#include "kernels/window.h"
#include "kernels/winograd_transforms.h"

namespace vae::kernels::cpu::winograd {

template <class A>
inline constexpr int64_t kPoints = A::patch* A::patch;

/// A transform along both axes: read(i, j, to) gives the operands, write(i, j, value) takes the results.
template <class Transform, int width, class Read, class Write>
VAE_INLINE void transform(const Read& read, const Write& write) {
  using Vector = typename Floats<width>::Vector;
  Vector half[Transform::out][Transform::in];
#pragma GCC unroll 1
  for (int i = 0; i < Transform::in; ++i) {
    Vector row[Transform::in], to[Transform::out];
#pragma GCC unroll 6
    for (int j = 0; j < Transform::in; ++j) read(i, j, row[j]);
    Transform::apply(row, to);
#pragma GCC unroll 6
    for (int j = 0; j < Transform::out; ++j) half[j][i] = to[j];
  }
#pragma GCC unroll 1
  for (int j = 0; j < Transform::out; ++j) {
    Vector to[Transform::out];
    Transform::apply(half[j], to);
#pragma GCC unroll 6
    for (int i = 0; i < Transform::out; ++i) write(i, j, to[i]);
  }
}

/// Images and their tiles. Neighbours in a square are `stride` pixels apart along both axes, so that all
/// tiles make up one of the stride^2 phases of the images; tile (r, q) takes a square of each of `phases` of
/// them, beginning at the pixels from (stride tile r - top, stride tile q - left) on.
struct Grid {
  int64_t n, h, w, channels;
  int64_t rows, columns;  ///< tiles of an image
  int64_t tile, top, left;
  int64_t stride = 1, phases = 1;
  int64_t tiles() const { return n * rows * columns; }
  int64_t width() const { return phases * channels; }  ///< numbers at a point
};

/// Some tiles at their points, [points, tiles, numbers]. Points, and tiles of many numbers, lie apart by an
/// odd number of lines of the cache, so that they do not compete for the same places in it.
struct Points {
  float* data;
  int64_t step, plane;  ///< between tiles and between points
  Points(float* data, int64_t tiles, int64_t width)
      : data(data), step(step_of(width)), plane(plane_of(tiles, width)) {}
  float* at(int64_t point, int64_t tile) const { return data + point * plane + tile * step; }
  static int64_t step_of(int64_t width) { return width >= 128 ? odd(width) : width; }
  static int64_t plane_of(int64_t tiles, int64_t width) { return odd(tiles * step_of(width)); }

 private:
  /// At least so many, in an odd number of panels, each of which is a line.
  static int64_t odd(int64_t floats) { return floats + (floats / kPanel % 2 == 0 ? kPanel : 0); }
};

/// The pixels of a square, row by row; null where they lie outside.
template <int side, class T>
struct Square {
  T* pixels[side * side];
  Square(const Grid& g, T* images, int64_t tile, int64_t phase) {
    const int64_t y = tile / g.columns % g.rows * g.tile * g.stride - g.top + phase / g.stride,
                  x = tile % g.columns * g.tile * g.stride - g.left + phase % g.stride;
    T* const image = images + tile / (g.rows * g.columns) * g.h * g.w * g.channels;
    for (int i = 0; i < side; ++i)
      for (int j = 0; j < side; ++j) {
        const int64_t row = y + i * g.stride, column = x + j * g.stride;
        const bool inside = row >= 0 && row < g.h && column >= 0 && column < g.w;
        pixels[i * side + j] = inside ? image + (row * g.w + column) * g.channels : nullptr;
      }
  }
};

/// The squares of tiles `part` at `to`, the first of them as its tile `first`; pixels outside are 0.
template <class A, class Transform, int width>
VAE_CLONES void squares_to_points(const Grid& g, const float* images, Span part, Points to, int64_t first) {
  alignas(64) static constexpr float zeros[width] = {};
  for (int64_t t = part.begin; t < part.end; ++t)
    for (int64_t phase = 0; phase < g.phases; ++phase) {
      const Square<Transform::in, const float> square(g, images, t, phase);
      float* const points = to.at(0, first + t - part.begin) + phase * g.channels;
      for (int64_t c = 0; c < g.channels; c += width)
        transform<Transform, width>(
            [&](int i, int j, typename Floats<width>::Vector& value) __attribute__((always_inline)) {
              const float* const pixel = square.pixels[i * Transform::in + j];
              load<width>(pixel ? pixel + c : zeros, value);
            },
            [&](int i, int j, const typename Floats<width>::Vector& value) __attribute__((always_inline)) {
              store<width>(value, points + (i * A::patch + j) * to.plane + c);
            });
    }
}

/// The results of tiles `part` from their points, the first of them tile `first` of `from`, plus the bias,
/// which may be null.
template <class A, int width>
VAE_CLONES void points_to_squares(const Grid& g, Points from, int64_t first, Span part, const float* bias,
                                  float* images) {
  using Vector = typename Floats<width>::Vector;
  for (int64_t t = part.begin; t < part.end; ++t) {
    const Square<A::tile, float> square(g, images, t, 0);
    const float* const points = from.at(0, first + t - part.begin);
    for (int64_t c = 0; c < g.channels; c += width) {
      Vector constant{};
      if (bias) load<width>(bias + c, constant);
      transform<typename A::Result, width>(
          [&](int i, int j, Vector& value) __attribute__((always_inline)) {
            load<width>(points + (i * A::patch + j) * from.plane + c, value);
          },
          [&](int i, int j, const Vector& value) __attribute__((always_inline)) {
            if (float* const pixel = square.pixels[i * A::tile + j])
              store<width>(value + constant, pixel + c);
          });
    }
  }
}

/// Kernels [rows, columns] of one phase: how many elements apart taps are along both axes, and rows; how many
/// taps it has. What an algorithm has more of is 0.
struct Kernels {
  int64_t rows, columns;
  int64_t down, right, row_step;
  int64_t taps_down, taps_right;
  bool holds(int i, int j) const { return i < taps_down && j < taps_right; }
};

/// The rows `part` of kernels, turned by 180 degrees or not, at their points [points, panels, row_count,
/// kPanel], as the rows from first_row on.
template <class A, int width>
VAE_CLONES void kernels_to_points(const Kernels& k, const float* w, bool turned, Span part, int64_t first_row,
                                  int64_t row_count, float* points) {
  using Vector = typename Floats<width>::Vector;
  const int64_t plane = Points::plane_of(row_count, k.columns);
  for (int64_t row = part.begin; row < part.end; ++row)
    for (int64_t c = 0; c < k.columns; c += width) {
      float* const to = points + (c / kPanel * row_count + first_row + row) * kPanel + c % kPanel;
      transform<typename A::Kernel, width>(
          [&](int i, int j, Vector& value) __attribute__((always_inline)) {
            const int row_tap = turned ? A::kernel - 1 - i : i, tap = turned ? A::kernel - 1 - j : j;
            if (k.holds(row_tap, tap))
              load<width>(w + row_tap * k.down + tap * k.right + row * k.row_step + c, value);
            else
              value = Vector{};
          },
          [&](int i, int j, const Vector& value)
              __attribute__((always_inline)) { store<width>(value, to + (i * A::patch + j) * plane); });
    }
}

/// The gradients of the rows `part` of kernels from their points [points, rows, numbers].
template <class A, int width>
VAE_CLONES void points_to_kernels(const Kernels& k, Points from, Span part, float* dw) {
  using Vector = typename Floats<width>::Vector;
  for (int64_t row = part.begin; row < part.end; ++row)
    for (int64_t c = 0; c < k.columns; c += width)
      transform<typename A::KernelGradient, width>(
          [&](int i, int j, Vector& value)
              __attribute__((always_inline)) { load<width>(from.at(i * A::patch + j, row) + c, value); },
          [&](int i, int j, const Vector& value) __attribute__((always_inline)) {
            if (k.holds(i, j)) store<width>(value, dw + i * k.down + j * k.right + row * k.row_step + c);
          });
}

}  // namespace vae::kernels::cpu::winograd
