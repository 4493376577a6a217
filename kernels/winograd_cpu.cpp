// Tiles of the images and the kernels go to the points of an algorithm; the products over channels are a
// matrix product for each point, of whose results the tiles of y come back. Everything runs over blocks of
// tiles that stay in the cache.
#include "kernels/winograd_cpu.h"

#include <algorithm>
#include <utility>

#include "kernels/gemm_cpu.h"
#include "kernels/kernels.h"
#include "kernels/simd.h"
#include "kernels/winograd_transforms.h"
#include "tensor/parallel.h"

namespace vae::kernels::cpu::winograd {
namespace {

template <class A>
inline constexpr int64_t kPoints = A::patch* A::patch;

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

/// A square of pixels: its first one, which may lie outside, and those that are on the image.
struct Square {
  int64_t offset, row_step, column_step;
  Span rows, columns;
  Square(const Grid& g, int64_t index, int64_t phase, int64_t side)
      : row_step(g.stride * g.w * g.channels), column_step(g.stride * g.channels) {
    const int64_t y = index / g.columns % g.rows * g.tile * g.stride - g.top + phase / g.stride,
                  x = index % g.columns * g.tile * g.stride - g.left + phase % g.stride;
    offset = ((index / (g.rows * g.columns) * g.h + y) * g.w + x) * g.channels;
    rows = {before(-y, g.stride), std::min(side, before(g.h - y, g.stride))};
    columns = {before(-x, g.stride), std::min(side, before(g.w - x, g.stride))};
  }
  bool holds(int i, int j) const {
    return i >= rows.begin && i < rows.end && j >= columns.begin && j < columns.end;
  }
  int64_t at(int i, int j) const { return offset + i * row_step + j * column_step; }

 private:
  /// Multiples of `stride` from 0 to before `end`.
  static int64_t before(int64_t end, int64_t stride) { return end > 0 ? (end + stride - 1) / stride : 0; }
};

/// The squares of some tiles at their points [tiles, points, phases, channels]; pixels outside are 0.
template <class A, class Transform>
VAE_INLINE void squares_to_points(const Grid& g, const float* x, Span tiles, float* points) {
  const int64_t width = g.width();
  for (int64_t t = tiles.begin; t < tiles.end; ++t, points += kPoints<A> * width)
    for (int64_t phase = 0; phase < g.phases; ++phase) {
      const Square square(g, t, phase, Transform::in);
      float* to = points + phase * g.channels;
      for (int64_t c = 0; c < g.channels; c += kWidth)
        transform<Transform>(
            [&](int i, int j, Vector& value) __attribute__((always_inline)) {
              if (square.holds(i, j))
                load(x + square.at(i, j) + c, value);
              else
                value = Vector{};
            },
            [&](int i, int j, const Vector& value)
                __attribute__((always_inline)) { store(value, to + (i * A::patch + j) * width + c); });
    }
}

template <class A>
VAE_CLONES void images_to_points(const Grid& g, const float* x, Span tiles, float* points) {
  squares_to_points<A, typename A::Image>(g, x, tiles, points);
}
template <class A>
VAE_CLONES void gradients_to_points(const Grid& g, const float* dy, Span tiles, float* points) {
  squares_to_points<A, typename A::ResultGradient>(g, dy, tiles, points);
}

/// The results of some tiles from their points, plus the bias, which may be null.
template <class A>
VAE_CLONES void points_to_results(const Grid& g, const float* points, Span tiles, const float* bias,
                                  float* y) {
  for (int64_t t = tiles.begin; t < tiles.end; ++t, points += kPoints<A> * g.channels) {
    const Square square(g, t, 0, A::tile);
    for (int64_t c = 0; c < g.channels; c += kWidth) {
      Vector constant{};
      if (bias) load(bias + c, constant);
      transform<typename A::Result>(
          [&](int i, int j, Vector& value)
              __attribute__((always_inline)) { load(points + (i * A::patch + j) * g.channels + c, value); },
          [&](int i, int j, const Vector& value) __attribute__((always_inline)) {
            if (square.holds(i, j)) store(value + constant, y + square.at(i, j) + c);
          });
    }
  }
}

/// Kernels [rows, columns] of one phase: how many elements apart taps and rows are, and points and their
/// rows.
struct Kernels {
  int64_t rows, columns;
  int64_t down, right, row_step;
  int64_t point_step, point_row_step;
};

/// The rows `part` of kernels, turned by 180 degrees or not, at their points.
template <class A>
VAE_CLONES void kernels_to_points(const Kernels& k, const float* w, bool turned, Span part, float* points) {
  for (int64_t row = part.begin; row < part.end; ++row)
    for (int64_t c = 0; c < k.columns; c += kWidth)
      transform<typename A::Kernel>(
          [&](int i, int j, Vector& value) __attribute__((always_inline)) {
            const int row_tap = turned ? A::kernel - 1 - i : i, tap = turned ? A::kernel - 1 - j : j;
            load(w + row_tap * k.down + tap * k.right + row * k.row_step + c, value);
          },
          [&](int i, int j, const Vector& value) __attribute__((always_inline)) {
            store(value, points + (i * A::patch + j) * k.point_step + row * k.point_row_step + c);
          });
}

/// The gradients of the rows `part` of kernels from their points.
template <class A>
VAE_CLONES void points_to_kernels(const Kernels& k, const float* points, Span part, float* dw) {
  for (int64_t row = part.begin; row < part.end; ++row)
    for (int64_t c = 0; c < k.columns; c += kWidth)
      transform<typename A::KernelGradient>(
          [&](int i, int j, Vector& value) __attribute__((always_inline)) {
            load(points + (i * A::patch + j) * k.point_step + row * k.point_row_step + c, value);
          },
          [&](int i, int j, const Vector& value) __attribute__((always_inline)) {
            store(value, dw + i * k.down + j * k.right + row * k.row_step + c);
          });
}

/// The kernels of a layer by phase, as they are stored: [o, taps, c].
struct Weights {
  explicit Weights(const ConvSizes& s) : s(s), stride(s.window.h.stride), phases(stride * stride) {}
  /// Of one phase; their points [points, o, c] are part of [points, o, width].
  Kernels kernels(int64_t width) const {
    const int64_t right = stride * s.c;
    return {s.o, s.c, right * s.window.w.kernel, right, s.taps(), s.o * width, width};
  }
  /// The first tap of a phase.
  int64_t first(int64_t phase) const { return (phase / stride * s.window.w.kernel + phase % stride) * s.c; }
  const ConvSizes& s;
  int64_t stride, phases;
};

/// The kernels of one phase, turned, at their points [points, o, c]: what takes gradients to images.
template <class A>
Tensor adjoint_points(const Weights& weights, const float* w, int64_t phase) {
  const Kernels k = weights.kernels(weights.s.c);
  const Tensor points = Tensor::empty({kPoints<A>, k.rows, k.columns});
  parallel_for(k.rows, 8, [&](int64_t begin, int64_t end) {
    kernels_to_points<A>(k, w + weights.first(phase), true, {begin, end}, points.data<float>());
  });
  return points;
}

/// The kernels of all phases, transposed, at their points [points, phases c, o]: what takes images to
/// results.
template <class A>
Tensor forward_points(const Weights& weights, In w) {
  const ConvSizes& s = weights.s;
  const Tensor transposed = Tensor::empty({s.taps(), s.o});  // [kh, kw, c, o]
  transpose(w.reshape({s.o, s.taps()}), transposed);
  const int64_t right = weights.stride * s.c * s.o, width = weights.phases * s.c;
  const Kernels k{s.c, s.o, right * s.window.w.kernel, right, s.o, width * s.o, s.o};
  const Tensor points = Tensor::empty({kPoints<A>, width, s.o});
  parallel_for(k.rows, 8, [&](int64_t begin, int64_t end) {
    for (int64_t phase = 0; phase < weights.phases; ++phase)
      kernels_to_points<A>(k, transposed.data<float>() + weights.first(phase) * s.o, false, {begin, end},
                           points.data<float>() + phase * s.c * s.o);
  });
  return points;
}

/// Tiles whose points, at so many channels, take about `bytes`.
template <class A>
int64_t tiles_in(int64_t bytes, int64_t channels) {
  return std::max<int64_t>(32, bytes / (kPoints<A> * static_cast<int64_t>(sizeof(float)) * channels));
}

/// Tiles that cover so many results.
template <class A>
int64_t tiles_over(int64_t extent) {
  return (extent + A::tile - 1) / A::tile;
}

/// The images of a layer in squares that give tiles of its results, and these.
template <class A>
Grid images_grid(const ConvSizes& s) {
  const auto& [h, w] = s.window;
  return {.n = s.n,
          .h = s.h,
          .w = s.w,
          .channels = s.c,
          .rows = tiles_over<A>(s.oh),
          .columns = tiles_over<A>(s.ow),
          .tile = A::tile,
          .top = h.padding,
          .left = w.padding,
          .stride = h.stride,
          .phases = h.stride * w.stride};
}
template <class A>
Grid results_grid(const ConvSizes& s) {
  Grid g = images_grid<A>(s);
  g.h = s.oh, g.w = s.ow, g.channels = s.o, g.top = g.left = 0, g.stride = g.phases = 1;
  return g;
}

/// The pixels of a phase along an axis: from `first` on, `count` of them. The first gets something from the
/// gradients of the `taps` results up to number `last`.
struct Phase {
  int64_t first, count, last;
  Phase(const WindowAxis& a, int64_t extent, int64_t phase) {
    first = (phase + (a.padding / a.stride + 1) * a.stride - a.padding) % a.stride;
    count = first < extent ? (extent - first + a.stride - 1) / a.stride : 0;
    last = (first + a.padding) / a.stride;
  }
};

/// Calls f(algorithm) with the one that serves so many taps with the fewest points over results h x w.
template <class F>
void with_algorithm(int64_t taps, int64_t h, int64_t w, const F& f) {
  if (taps == 2) return f(FivePoints<2>{});
  const auto points = [&]<class A>(A) { return tiles_over<A>(h) * tiles_over<A>(w) * kPoints<A>; };
  points(SixPoints{}) <= points(FivePoints<3>{}) ? f(SixPoints{}) : f(FivePoints<3>{});
}

int64_t taps_of_phase(const ConvSizes& s) { return s.window.h.kernel / s.window.h.stride; }

/// results = images * kernels, which are given at their points [points, images, results].
template <class A>
struct Convolution {
  Grid images, results;
  const float *x, *kernels, *bias;
  float* y;
  int64_t in = images.width(), out = results.width();

  /// One point of `tiles` tiles.
  void multiply(int64_t point, int64_t tiles, const float* of_images, float* of_results) const {
    gemm({tiles, out, in, kPoints<A> * in, out, kPoints<A> * out}, Transpose::no, Transpose::no, 1,
         of_images + point * in, kernels + point * in * out, 0, of_results + point * out);
  }

  void run() const {
    constexpr int64_t kFewBlocks = 4;
    const int64_t tiles = images.tiles(), block = tiles_in<A>(1 << 20, in + out),
                  blocks = (tiles + block - 1) / block;
    if (tiles > 0) blocks < kFewBlocks ? run_by_points(tiles) : run_by_blocks(tiles, block, blocks);
  }

  /// Threads take blocks of tiles, which stay in their caches.
  void run_by_blocks(int64_t tiles, int64_t block, int64_t blocks) const {
    const int64_t threads = std::min<int64_t>(num_threads(), blocks);
    const Tensor room = Tensor::empty({threads, kPoints<A> * block * (in + out)});
    parallel_for(threads, 1, [&](int64_t first, int64_t last) {
      float *of_images = room.data<float>() + first * room.size(1),
            *of_results = of_images + kPoints<A> * block * in;
      for (int64_t b = blocks * first / threads; b < blocks * last / threads; ++b) {
        const Span part{b * block, std::min(tiles, (b + 1) * block)};
        images_to_points<A>(images, x, part, of_images);
        for (int64_t point = 0; point < kPoints<A>; ++point)
          multiply(point, part.size(), of_images, of_results);
        points_to_results<A>(results, of_results, part, bias, y);
      }
    });
  }

  /// Threads take tiles, then points of all tiles, then tiles again: few tiles, or large kernels.
  void run_by_points(int64_t tiles) const {
    const Tensor of_images = Tensor::empty({tiles, kPoints<A>, in}),
                 of_results = Tensor::empty({tiles, kPoints<A>, out});
    parallel_for(tiles, 4, [&](int64_t first, int64_t last) {
      images_to_points<A>(images, x, {first, last}, of_images.data<float>() + first * kPoints<A> * in);
    });
    parallel_for(kPoints<A>, 1, [&](int64_t first, int64_t last) {
      for (int64_t point = first; point < last; ++point)
        multiply(point, tiles, of_images.data<float>(), of_results.data<float>());
    });
    parallel_for(tiles, 4, [&](int64_t first, int64_t last) {
      points_to_results<A>(results, of_results.data<float>() + first * kPoints<A> * out, {first, last}, bias,
                           y);
    });
  }
};

template <class A>
void gradient_of_weights(const ConvSizes& s, In dy, In x, Out dw) {
  const Grid images = images_grid<A>(s), results = results_grid<A>(s);
  const int64_t tiles = images.tiles(), c = images.width(),
                block = std::min(tiles, tiles_in<A>(2 << 20, c + s.o));
  const Tensor of_kernels = Tensor::empty({kPoints<A>, s.o, c}),
               of_images = Tensor::empty({block, kPoints<A>, c}),
               of_results = Tensor::empty({block, kPoints<A>, s.o});
  for (int64_t begin = 0; begin < tiles; begin += block) {
    const Span part{begin, std::min(tiles, begin + block)};
    const int64_t count = part.size();
    parallel_for(count, 4, [&](int64_t first, int64_t last) {
      const Span tiles_of_thread{begin + first, begin + last};
      images_to_points<A>(images, x.data<float>(), tiles_of_thread,
                          of_images.data<float>() + first * kPoints<A> * c);
      gradients_to_points<A>(results, dy.data<float>(), tiles_of_thread,
                             of_results.data<float>() + first * kPoints<A> * s.o);
    });
    parallel_for(kPoints<A>, 1, [&](int64_t first, int64_t last) {
      for (int64_t point = first; point < last; ++point)
        gemm({s.o, c, count, kPoints<A> * s.o, kPoints<A> * c, c}, Transpose::yes, Transpose::no, 1,
             of_results.data<float>() + point * s.o, of_images.data<float>() + point * c, begin == 0 ? 0 : 1,
             of_kernels.data<float>() + point * s.o * c);
    });
  }
  const Weights weights(s);
  parallel_for(s.o, 8, [&](int64_t first, int64_t last) {
    for (int64_t phase = 0; phase < weights.phases; ++phase)
      points_to_kernels<A>(weights.kernels(c), of_kernels.data<float>() + phase * s.c, {first, last},
                           dw.data<float>() + weights.first(phase));
  });
}

}  // namespace

bool pays(const ConvSizes& s) {
  const int64_t taps = taps_of_phase(s), stride = s.window.h.stride;
  const auto fits = [&](const WindowAxis& a) {
    return a.kernel == taps * stride && a.stride == stride && a.padding < a.kernel;
  };
  const auto whole = [](int64_t channels) { return channels > 0 && channels % kWidth == 0; };
  if ((taps != 2 && taps != 3) || !fits(s.window.h) || !fits(s.window.w) || !whole(s.c) || !whole(s.o))
    return false;
  if (stride == 1) return s.c + s.o >= (taps == 2 ? 4 : 3) * kWidth;
  // Tiles that hang over little, and enough of them for the products to outweigh the transforms of kernels.
  return stride == 2 && taps == 2 && s.oh > 2 && s.ow > 2 && images_grid<FivePoints<2>>(s).tiles() >= 32;
}

void conv2d_fwd(const ConvSizes& s, In x, In w, In bias, Out y) {
  note_conv_engine("Winograd");
  with_algorithm(taps_of_phase(s), s.oh, s.ow, [&]<class A>(A) {
    const Tensor kernels = forward_points<A>(Weights(s), w);
    Convolution<A>{images_grid<A>(s),
                   results_grid<A>(s),
                   x.data<float>(),
                   kernels.data<float>(),
                   bias.defined() ? bias.data<float>() : nullptr,
                   y.data<float>()}
        .run();
  });
}

void conv2d_bwd_input(const ConvSizes& s, In dy, In w, Out dx) {
  note_conv_engine("Winograd");
  // The pixels of each phase are the results of a convolution of dy with the turned kernels of the phase.
  const int64_t taps = taps_of_phase(s), stride = s.window.h.stride;
  const Weights weights(s);
  for (int64_t phase = 0; phase < weights.phases; ++phase) {
    const Phase rows(s.window.h, s.h, phase / stride), columns(s.window.w, s.w, phase % stride);
    with_algorithm(taps, rows.count, columns.count, [&]<class A>(A) {
      const Grid results{.n = s.n,
                         .h = s.h,
                         .w = s.w,
                         .channels = s.c,
                         .rows = tiles_over<A>(rows.count),
                         .columns = tiles_over<A>(columns.count),
                         .tile = A::tile,
                         .top = -rows.first,
                         .left = -columns.first,
                         .stride = stride};
      Grid gradients = results;
      gradients.h = s.oh, gradients.w = s.ow, gradients.channels = s.o, gradients.stride = 1;
      gradients.top = taps - 1 - rows.last, gradients.left = taps - 1 - columns.last;
      const Tensor kernels = adjoint_points<A>(weights, w.data<float>(), phase);
      Convolution<A>{gradients, results, dy.data<float>(), kernels.data<float>(), nullptr, dx.data<float>()}
          .run();
    });
  }
}

void conv2d_bwd_weight(const ConvSizes& s, In dy, In x, Out dw) {
  note_conv_engine("Winograd");
  with_algorithm(taps_of_phase(s), s.oh, s.ow, [&]<class A>(A) { gradient_of_weights<A>(s, dy, x, dw); });
}

}  // namespace vae::kernels::cpu::winograd
