// Tiles of 6x6 pixels of the images and the 3x3 kernels go to 36 points each; the products over channels are
// 36 matrix products, of which 4x4 results come back. Everything runs over blocks of tiles that stay in the
// cache.
#include "kernels/winograd_cpu.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernels/gemm_cpu.h"
#include "kernels/kernels.h"
#include "kernels/simd.h"
#include "tensor/parallel.h"

namespace vae::kernels::cpu::winograd {
namespace {

constexpr int kTile = 4, kPatch = 6, kPoints = kPatch * kPatch, kWidth = 16;

typedef float Vector __attribute__((vector_size(kWidth * sizeof(float))));
#define VAE_INLINE [[gnu::always_inline]] static inline

VAE_INLINE void load(const float* from, Vector& to) { std::memcpy(&to, from, sizeof to); }
VAE_INLINE void store(const Vector& from, float* to) { std::memcpy(to, &from, sizeof from); }

// The transforms along one axis, of polynomials evaluated at 0, p, -p, q, -q and infinity. These points round
// less than 1 and 2 (Barabasz et al., arXiv:1803.10986).
constexpr float p = 0.625F, q = 1.5F, pp = p * p, qq = q * q, at_zero = 1 / (pp * qq),
                at_p = 1 / (2 * pp * (pp - qq)), at_q = 1 / (2 * qq * (qq - pp));

struct ImageTransform {
  static constexpr int in = kPatch, out = kPatch;
  VAE_INLINE void apply(const Vector* x, int step, Vector* y) {
    const Vector &x0 = x[0], &x1 = x[step], &x2 = x[2 * step], &x3 = x[3 * step], &x4 = x[4 * step],
                 &x5 = x[5 * step];
    const Vector even_p = x4 - qq * x2, odd_p = p * (x3 - qq * x1), even_q = x4 - pp * x2,
                 odd_q = q * (x3 - pp * x1);
    y[0] = (pp * qq) * x0 - (pp + qq) * x2 + x4;
    y[1] = even_p + odd_p;
    y[2] = even_p - odd_p;
    y[3] = even_q + odd_q;
    y[4] = even_q - odd_q;
    y[5] = (pp * qq) * x1 - (pp + qq) * x3 + x5;
  }
};

struct KernelTransform {
  static constexpr int in = 3, out = kPatch;
  VAE_INLINE void apply(const Vector* x, int step, Vector* y) {
    const Vector &x0 = x[0], &x1 = x[step], &x2 = x[2 * step];
    const Vector even_p = at_p * x0 + (at_p * pp) * x2, odd_p = (at_p * p) * x1,
                 even_q = at_q * x0 + (at_q * qq) * x2, odd_q = (at_q * q) * x1;
    y[0] = at_zero * x0;
    y[1] = even_p + odd_p;
    y[2] = even_p - odd_p;
    y[3] = even_q + odd_q;
    y[4] = even_q - odd_q;
    y[5] = x2;
  }
};

struct ResultTransform {
  static constexpr int in = kPatch, out = kTile;
  VAE_INLINE void apply(const Vector* x, int step, Vector* y) {
    const Vector &x0 = x[0], &x1 = x[step], &x2 = x[2 * step], &x3 = x[3 * step], &x4 = x[4 * step],
                 &x5 = x[5 * step];
    const Vector even_p = x1 + x2, odd_p = x1 - x2, even_q = x3 + x4, odd_q = x3 - x4;
    y[0] = x0 + even_p + even_q;
    y[1] = p * odd_p + q * odd_q;
    y[2] = pp * even_p + qq * even_q;
    y[3] = (p * pp) * odd_p + (q * qq) * odd_q + x5;
  }
};

/// The adjoints of the last two, for gradients of the weights.
struct KernelGradient {
  static constexpr int in = kPatch, out = 3;
  VAE_INLINE void apply(const Vector* x, int step, Vector* y) {
    const Vector &x0 = x[0], &x1 = x[step], &x2 = x[2 * step], &x3 = x[3 * step], &x4 = x[4 * step],
                 &x5 = x[5 * step];
    const Vector even_p = at_p * (x1 + x2), odd_p = at_p * (x1 - x2), even_q = at_q * (x3 + x4),
                 odd_q = at_q * (x3 - x4);
    y[0] = at_zero * x0 + even_p + even_q;
    y[1] = p * odd_p + q * odd_q;
    y[2] = pp * even_p + qq * even_q + x5;
  }
};

struct ResultGradient {
  static constexpr int in = kTile, out = kPatch;
  VAE_INLINE void apply(const Vector* x, int step, Vector* y) {
    const Vector &x0 = x[0], &x1 = x[step], &x2 = x[2 * step], &x3 = x[3 * step];
    const Vector even_p = x0 + pp * x2, odd_p = p * x1 + (p * pp) * x3, even_q = x0 + qq * x2,
                 odd_q = q * x1 + (q * qq) * x3;
    y[0] = x0;
    y[1] = even_p + odd_p;
    y[2] = even_p - odd_p;
    y[3] = even_q + odd_q;
    y[4] = even_q - odd_q;
    y[5] = x3;
  }
};

/// A transform along both axes: read(i, j, to) gives the operands row by row, write(i, j, value) takes the
/// results.
template <class Transform, class Read, class Write>
VAE_INLINE void transform(const Read& read, const Write& write) {
  Vector half[Transform::in][Transform::out];
#pragma GCC unroll 6
  for (int i = 0; i < Transform::in; ++i) {
    Vector row[Transform::in];
#pragma GCC unroll 6
    for (int j = 0; j < Transform::in; ++j) read(i, j, row[j]);
    Transform::apply(row, 1, half[i]);
  }
#pragma GCC unroll 6
  for (int j = 0; j < Transform::out; ++j) {
    Vector column[Transform::out];
    Transform::apply(&half[0][j], Transform::out, column);
#pragma GCC unroll 6
    for (int i = 0; i < Transform::out; ++i) write(i, j, column[i]);
  }
}

/// Images and their tiles: the squares that belong to tile (r, q) of an image begin at its pixel
/// (4 r - top, 4 q - left).
struct Grid {
  int64_t n, h, w, channels;
  int64_t rows, columns;  ///< tiles of an image
  int64_t top, left;
  int64_t tiles() const { return n * rows * columns; }
};

/// A square of pixels: its first one, which may lie outside, and those that are on the image.
struct Square {
  int64_t offset, row_step, column_step;
  Span rows, columns;
  Square(const Grid& g, int64_t tile, int64_t side) : row_step(g.w * g.channels), column_step(g.channels) {
    const int64_t y = tile / g.columns % g.rows * kTile - g.top, x = tile % g.columns * kTile - g.left;
    offset = (tile / (g.rows * g.columns) * g.h + y) * row_step + x * column_step;
    rows = {std::max<int64_t>(0, -y), std::min(side, g.h - y)};
    columns = {std::max<int64_t>(0, -x), std::min(side, g.w - x)};
  }
  bool holds(int i, int j) const {
    return i >= rows.begin && i < rows.end && j >= columns.begin && j < columns.end;
  }
  int64_t at(int i, int j) const { return offset + i * row_step + j * column_step; }
};

/// The squares of the tiles `part` of a block, at its points [kPoints, tiles, channels]; pixels outside are
/// 0.
template <class Transform>
VAE_INLINE void squares_to_points(const Grid& g, const float* x, Span block, Span part, float* points) {
  const int64_t step = block.size() * g.channels;
  float* to = points + (part.begin - block.begin) * g.channels;
  for (int64_t t = part.begin; t < part.end; ++t) {
    const Square square(g, t, Transform::in);
    for (int64_t c = 0; c < g.channels; c += kWidth, to += kWidth)
      transform<Transform>(
          [&](int i, int j, Vector& value) __attribute__((always_inline)) {
            if (square.holds(i, j))
              load(x + square.at(i, j) + c, value);
            else
              value = Vector{};
          },
          [&](int i, int j, const Vector& value)
              __attribute__((always_inline)) { store(value, to + (i * kPatch + j) * step); });
  }
}

VAE_CLONES void images_to_points(const Grid& g, const float* x, Span block, Span part, float* points) {
  squares_to_points<ImageTransform>(g, x, block, part, points);
}
VAE_CLONES void gradients_to_points(const Grid& g, const float* dy, Span block, Span part, float* points) {
  squares_to_points<ResultGradient>(g, dy, block, part, points);
}

/// The results of a block from its points, plus the bias, which may be null.
VAE_CLONES void points_to_results(const Grid& g, const float* points, Span block, const float* bias,
                                  float* y) {
  const int64_t step = block.size() * g.channels;
  for (int64_t t = block.begin; t < block.end; ++t) {
    const Square square(g, t, kTile);
    for (int64_t c = 0; c < g.channels; c += kWidth, points += kWidth) {
      Vector constant{};
      if (bias) load(bias + c, constant);
      transform<ResultTransform>(
          [&](int i, int j, Vector& value)
              __attribute__((always_inline)) { load(points + (i * kPatch + j) * step, value); },
          [&](int i, int j, const Vector& value) __attribute__((always_inline)) {
            if (square.holds(i, j)) store(value + constant, y + square.at(i, j) + c);
          });
    }
  }
}

/// Kernels of rows x columns, their taps and rows so many elements apart.
struct Kernels {
  int64_t rows, columns, tap_step, row_step;
};

/// The rows `part` of kernels, turned by 180 degrees or not, at their points [kPoints, rows, columns].
VAE_CLONES void kernels_to_points(const Kernels& k, const float* w, bool turned, Span part, float* points) {
  for (int64_t row = part.begin; row < part.end; ++row)
    for (int64_t c = 0; c < k.columns; c += kWidth)
      transform<KernelTransform>(
          [&](int i, int j, Vector& value) __attribute__((always_inline)) {
            const int tap = i * 3 + j;
            load(w + (turned ? 8 - tap : tap) * k.tap_step + row * k.row_step + c, value);
          },
          [&](int i, int j, const Vector& value) __attribute__((always_inline)) {
            store(value, points + ((i * kPatch + j) * k.rows + row) * k.columns + c);
          });
}

/// The gradients of the rows `part` of kernels from their points.
VAE_CLONES void points_to_kernels(const Kernels& k, const float* points, Span part, float* dw) {
  for (int64_t row = part.begin; row < part.end; ++row)
    for (int64_t c = 0; c < k.columns; c += kWidth)
      transform<KernelGradient>(
          [&](int i, int j, Vector& value) __attribute__((always_inline)) {
            load(points + ((i * kPatch + j) * k.rows + row) * k.columns + c, value);
          },
          [&](int i, int j, const Vector& value) __attribute__((always_inline)) {
            store(value, dw + (i * 3 + j) * k.tap_step + row * k.row_step + c);
          });
}

Tensor points_of(const Kernels& k, In w, bool turned) {
  const Tensor points = Tensor::empty({kPoints, k.rows, k.columns});
  parallel_for(k.rows, 8, [&](int64_t begin, int64_t end) {
    kernels_to_points(k, w.data<float>(), turned, {begin, end}, points.data<float>());
  });
  return points;
}

/// Weights as they are stored: [o, taps, c].
Kernels stored(const ConvSizes& s) { return {s.o, s.c, s.c, 9 * s.c}; }

/// Tiles whose points, at so many channels, take about `bytes`.
int64_t tiles_in(int64_t bytes, int64_t channels) {
  return std::max<int64_t>(32, bytes / (kPoints * static_cast<int64_t>(sizeof(float)) * channels));
}

Grid images_grid(const ConvSizes& s) {
  return {s.n,
          s.h,
          s.w,
          s.c,
          (s.oh + kTile - 1) / kTile,
          (s.ow + kTile - 1) / kTile,
          s.window.h.padding,
          s.window.w.padding};
}
Grid results_grid(const ConvSizes& s) {
  Grid g = images_grid(s);
  g.h = s.oh, g.w = s.ow, g.channels = s.o, g.top = g.left = 0;
  return g;
}

/// results = images * kernels, which are given at their points [kPoints, images, results].
void convolve(const Grid& images, const float* x, In kernels, const float* bias, const Grid& results,
              float* y) {
  const int64_t in = images.channels, out = results.channels, tiles = images.tiles(),
                block = std::min(tiles, tiles_in(1 << 20, in + out)), blocks = (tiles + block - 1) / block,
                threads = std::min<int64_t>(num_threads(), blocks);
  const Tensor room = Tensor::empty({threads, kPoints * block * (in + out)});
  parallel_for(threads, 1, [&](int64_t first, int64_t last) {
    float *of_images = room.data<float>() + first * room.size(1),
          *of_results = of_images + kPoints * block * in;
    for (int64_t b = blocks * first / threads; b < blocks * last / threads; ++b) {
      const Span part{b * block, std::min(tiles, (b + 1) * block)};
      const int64_t count = part.size();
      images_to_points(images, x, part, part, of_images);
      for (int64_t point = 0; point < kPoints; ++point)
        gemm({count, out, in, in, out, out}, Transpose::no, Transpose::no, 1, of_images + point * count * in,
             kernels.data<float>() + point * in * out, 0, of_results + point * count * out);
      points_to_results(results, of_results, part, bias, y);
    }
  });
}

}  // namespace

bool pays(const ConvSizes& s) {
  const auto fits = [](const WindowAxis& a) { return a.kernel == 3 && a.stride == 1 && a.padding <= 2; };
  const auto whole = [](int64_t channels) { return channels > 0 && channels % kWidth == 0; };
  return fits(s.window.h) && fits(s.window.w) && whole(s.c) && whole(s.o) && s.c + s.o >= 3 * kWidth;
}

void conv2d_fwd(const ConvSizes& s, In x, In w, In bias, Out y) {
  const Tensor turned = Tensor::empty({s.taps(), s.o});  // [taps, c, o]
  transpose(w.reshape({s.o, s.taps()}), turned);
  convolve(images_grid(s), x.data<float>(), points_of({s.c, s.o, s.c * s.o, s.o}, turned, false),
           bias.defined() ? bias.data<float>() : nullptr, results_grid(s), y.data<float>());
}

void conv2d_bwd_input(const ConvSizes& s, In dy, In w, Out dx) {
  // The adjoint: gradients under the turned kernels, with what is missing to a padding of two.
  ConvSizes adjoint = s;
  std::swap(adjoint.c, adjoint.o);
  adjoint.h = s.oh, adjoint.w = s.ow, adjoint.oh = s.h, adjoint.ow = s.w;
  adjoint.window.h.padding = 2 - s.window.h.padding;
  adjoint.window.w.padding = 2 - s.window.w.padding;
  convolve(images_grid(adjoint), dy.data<float>(), points_of(stored(s), w, true), nullptr,
           results_grid(adjoint), dx.data<float>());
}

void conv2d_bwd_weight(const ConvSizes& s, In dy, In x, Out dw) {
  const Grid images = images_grid(s), results = results_grid(s);
  const int64_t tiles = images.tiles(), block = std::min(tiles, tiles_in(4 << 20, s.c + s.o));
  const Tensor of_kernels = Tensor::empty({kPoints, s.o, s.c}),
               of_images = Tensor::empty({kPoints, block, s.c}),
               of_results = Tensor::empty({kPoints, block, s.o});
  for (int64_t begin = 0; begin < tiles; begin += block) {
    const Span part{begin, std::min(tiles, begin + block)};
    const int64_t count = part.size();
    parallel_for(count, 4, [&](int64_t first, int64_t last) {
      const Span share{begin + first, begin + last};
      images_to_points(images, x.data<float>(), part, share, of_images.data<float>());
      gradients_to_points(results, dy.data<float>(), part, share, of_results.data<float>());
    });
    parallel_for(kPoints, 1, [&](int64_t first, int64_t last) {
      for (int64_t point = first; point < last; ++point)
        gemm({s.o, s.c, count, s.o, s.c, s.c}, Transpose::yes, Transpose::no, 1,
             of_results.data<float>() + point * count * s.o, of_images.data<float>() + point * count * s.c,
             begin == 0 ? 0 : 1, of_kernels.data<float>() + point * s.o * s.c);
    });
  }
  parallel_for(s.o, 8, [&](int64_t begin, int64_t end) {
    points_to_kernels(stored(s), of_kernels.data<float>(), {begin, end}, dw.data<float>());
  });
}

}  // namespace vae::kernels::cpu::winograd
