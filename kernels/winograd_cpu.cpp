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

/// Images and their tiles: the squares that belong to tile (r, q) of an image begin at its pixel
/// (tile r - top, tile q - left).
struct Grid {
  int64_t n, h, w, channels;
  int64_t rows, columns;  ///< tiles of an image
  int64_t tile, top, left;
  int64_t tiles() const { return n * rows * columns; }
};

/// A square of pixels: its first one, which may lie outside, and those that are on the image.
struct Square {
  int64_t offset, row_step, column_step;
  Span rows, columns;
  Square(const Grid& g, int64_t index, int64_t side) : row_step(g.w * g.channels), column_step(g.channels) {
    const int64_t y = index / g.columns % g.rows * g.tile - g.top, x = index % g.columns * g.tile - g.left;
    offset = (index / (g.rows * g.columns) * g.h + y) * row_step + x * column_step;
    rows = {std::max<int64_t>(0, -y), std::min(side, g.h - y)};
    columns = {std::max<int64_t>(0, -x), std::min(side, g.w - x)};
  }
  bool holds(int i, int j) const {
    return i >= rows.begin && i < rows.end && j >= columns.begin && j < columns.end;
  }
  int64_t at(int i, int j) const { return offset + i * row_step + j * column_step; }
};

/// The squares of some tiles at their points [tiles, points, channels]; pixels outside are 0.
template <class A, class Transform>
VAE_INLINE void squares_to_points(const Grid& g, const float* x, Span tiles, float* points) {
  for (int64_t t = tiles.begin; t < tiles.end; ++t, points += kPoints<A> * g.channels) {
    const Square square(g, t, Transform::in);
    for (int64_t c = 0; c < g.channels; c += kWidth)
      transform<Transform>(
          [&](int i, int j, Vector& value) __attribute__((always_inline)) {
            if (square.holds(i, j))
              load(x + square.at(i, j) + c, value);
            else
              value = Vector{};
          },
          [&](int i, int j, const Vector& value)
              __attribute__((always_inline)) { store(value, points + (i * A::patch + j) * g.channels + c); });
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
    const Square square(g, t, A::tile);
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

/// Kernels of rows x columns, their taps and rows so many elements apart.
struct Kernels {
  int64_t rows, columns, tap_step, row_step;
};

/// The rows `part` of kernels, turned by 180 degrees or not, at their points [points, rows, columns].
template <class A>
VAE_CLONES void kernels_to_points(const Kernels& k, const float* w, bool turned, Span part, float* points) {
  for (int64_t row = part.begin; row < part.end; ++row)
    for (int64_t c = 0; c < k.columns; c += kWidth)
      transform<typename A::Kernel>(
          [&](int i, int j, Vector& value) __attribute__((always_inline)) {
            const int tap = i * A::kernel + j, last = A::kernel * A::kernel - 1;
            load(w + (turned ? last - tap : tap) * k.tap_step + row * k.row_step + c, value);
          },
          [&](int i, int j, const Vector& value) __attribute__((always_inline)) {
            store(value, points + ((i * A::patch + j) * k.rows + row) * k.columns + c);
          });
}

/// The gradients of the rows `part` of kernels from their points.
template <class A>
VAE_CLONES void points_to_kernels(const Kernels& k, const float* points, Span part, float* dw) {
  for (int64_t row = part.begin; row < part.end; ++row)
    for (int64_t c = 0; c < k.columns; c += kWidth)
      transform<typename A::KernelGradient>(
          [&](int i, int j, Vector& value) __attribute__((always_inline)) {
            load(points + ((i * A::patch + j) * k.rows + row) * k.columns + c, value);
          },
          [&](int i, int j, const Vector& value) __attribute__((always_inline)) {
            store(value, dw + (i * A::kernel + j) * k.tap_step + row * k.row_step + c);
          });
}

template <class A>
Tensor points_of(const Kernels& k, In w, bool turned) {
  const Tensor points = Tensor::empty({kPoints<A>, k.rows, k.columns});
  parallel_for(k.rows, 8, [&](int64_t begin, int64_t end) {
    kernels_to_points<A>(k, w.data<float>(), turned, {begin, end}, points.data<float>());
  });
  return points;
}

/// Weights as they are stored: [o, taps, c].
Kernels stored(const ConvSizes& s) { return {s.o, s.c, s.c, s.taps()}; }

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

template <class A>
Grid images_grid(const ConvSizes& s) {
  return {s.n,
          s.h,
          s.w,
          s.c,
          tiles_over<A>(s.oh),
          tiles_over<A>(s.ow),
          A::tile,
          s.window.h.padding,
          s.window.w.padding};
}
template <class A>
Grid results_grid(const ConvSizes& s) {
  Grid g = images_grid<A>(s);
  g.h = s.oh, g.w = s.ow, g.channels = s.o, g.top = g.left = 0;
  return g;
}

/// Calls f(algorithm) with the one that serves the kernel with the fewest points over an image.
template <class F>
void with_algorithm(const ConvSizes& s, const F& f) {
  if (s.window.h.kernel == 2) return f(FivePoints<2>{});
  const auto points = [&]<class A>(A) { return tiles_over<A>(s.oh) * tiles_over<A>(s.ow) * kPoints<A>; };
  points(SixPoints{}) <= points(FivePoints<3>{}) ? f(SixPoints{}) : f(FivePoints<3>{});
}

/// results = images * kernels, which are given at their points [points, images, results].
template <class A>
void convolve(const Grid& images, const float* x, In kernels, const float* bias, const Grid& results,
              float* y) {
  const int64_t in = images.channels, out = results.channels, tiles = images.tiles(),
                block = std::min(tiles, tiles_in<A>(1 << 20, in + out)), blocks = (tiles + block - 1) / block,
                threads = std::min<int64_t>(num_threads(), blocks);
  const Tensor room = Tensor::empty({threads, kPoints<A> * block * (in + out)});
  parallel_for(threads, 1, [&](int64_t first, int64_t last) {
    float *of_images = room.data<float>() + first * room.size(1),
          *of_results = of_images + kPoints<A> * block * in;
    for (int64_t b = blocks * first / threads; b < blocks * last / threads; ++b) {
      const Span part{b * block, std::min(tiles, (b + 1) * block)};
      const int64_t count = part.size();
      images_to_points<A>(images, x, part, of_images);
      for (int64_t point = 0; point < kPoints<A>; ++point)
        gemm({count, out, in, kPoints<A> * in, out, kPoints<A> * out}, Transpose::no, Transpose::no, 1,
             of_images + point * in, kernels.data<float>() + point * in * out, 0, of_results + point * out);
      points_to_results<A>(results, of_results, part, bias, y);
    }
  });
}

template <class A>
void gradient_of_weights(const ConvSizes& s, In dy, In x, Out dw) {
  const Grid images = images_grid<A>(s), results = results_grid<A>(s);
  const int64_t tiles = images.tiles(), block = std::min(tiles, tiles_in<A>(4 << 20, s.c + s.o));
  const Tensor of_kernels = Tensor::empty({kPoints<A>, s.o, s.c}),
               of_images = Tensor::empty({block, kPoints<A>, s.c}),
               of_results = Tensor::empty({block, kPoints<A>, s.o});
  for (int64_t begin = 0; begin < tiles; begin += block) {
    const Span part{begin, std::min(tiles, begin + block)};
    const int64_t count = part.size();
    parallel_for(count, 4, [&](int64_t first, int64_t last) {
      const Span tiles_of_thread{begin + first, begin + last};
      images_to_points<A>(images, x.data<float>(), tiles_of_thread,
                          of_images.data<float>() + first * kPoints<A> * s.c);
      gradients_to_points<A>(results, dy.data<float>(), tiles_of_thread,
                             of_results.data<float>() + first * kPoints<A> * s.o);
    });
    parallel_for(kPoints<A>, 1, [&](int64_t first, int64_t last) {
      for (int64_t point = first; point < last; ++point)
        gemm({s.o, s.c, count, kPoints<A> * s.o, kPoints<A> * s.c, s.c}, Transpose::yes, Transpose::no, 1,
             of_results.data<float>() + point * s.o, of_images.data<float>() + point * s.c,
             begin == 0 ? 0 : 1, of_kernels.data<float>() + point * s.o * s.c);
    });
  }
  parallel_for(s.o, 8, [&](int64_t begin, int64_t end) {
    points_to_kernels<A>(stored(s), of_kernels.data<float>(), {begin, end}, dw.data<float>());
  });
}

}  // namespace

bool pays(const ConvSizes& s) {
  const int64_t kernel = s.window.h.kernel;
  const auto fits = [kernel](const WindowAxis& a) {
    return a.kernel == kernel && a.stride == 1 && a.padding < kernel;
  };
  const auto whole = [](int64_t channels) { return channels > 0 && channels % kWidth == 0; };
  return (kernel == 2 || kernel == 3) && fits(s.window.h) && fits(s.window.w) && whole(s.c) && whole(s.o) &&
         s.c + s.o >= (kernel == 2 ? 4 : 3) * kWidth;
}

void conv2d_fwd(const ConvSizes& s, In x, In w, In bias, Out y) {
  const Tensor turned = Tensor::empty({s.taps(), s.o});  // [taps, c, o]
  transpose(w.reshape({s.o, s.taps()}), turned);
  with_algorithm(s, [&]<class A>(A) {
    convolve<A>(images_grid<A>(s), x.data<float>(), points_of<A>({s.c, s.o, s.c * s.o, s.o}, turned, false),
                bias.defined() ? bias.data<float>() : nullptr, results_grid<A>(s), y.data<float>());
  });
}

void conv2d_bwd_input(const ConvSizes& s, In dy, In w, Out dx) {
  // The adjoint: gradients under the turned kernels, with what is missing to a padding of all but one tap.
  ConvSizes adjoint = s;
  std::swap(adjoint.c, adjoint.o);
  adjoint.h = s.oh, adjoint.w = s.ow, adjoint.oh = s.h, adjoint.ow = s.w;
  for (WindowAxis* axis : {&adjoint.window.h, &adjoint.window.w})
    axis->padding = axis->kernel - 1 - axis->padding;
  with_algorithm(adjoint, [&]<class A>(A) {
    convolve<A>(images_grid<A>(adjoint), dy.data<float>(), points_of<A>(stored(s), w, true), nullptr,
                results_grid<A>(adjoint), dx.data<float>());
  });
}

void conv2d_bwd_weight(const ConvSizes& s, In dy, In x, Out dw) {
  with_algorithm(s, [&]<class A>(A) { gradient_of_weights<A>(s, dy, x, dw); });
}

}  // namespace vae::kernels::cpu::winograd
