// Tiles of the images and the kernels go to the points of an algorithm; the products over channels are a
// matrix product for each point, of whose results the tiles of y come back. Everything runs over blocks of
// tiles that stay in the cache.
#include "kernels/winograd_cpu.h"

#include <algorithm>
#include <utility>

#include "kernels/kernels.h"
#include "kernels/winograd_tiles.h"
#include "tensor/parallel.h"

namespace vae::kernels::cpu::winograd {
namespace {

/// The kernels of a layer by phase, as they are stored: [o, taps, c].
struct Weights {
  explicit Weights(const ConvSizes& s) : s(s), stride(s.window.h.stride), phases(stride * stride) {}
  Kernels kernels(int64_t phase) const {
    const int64_t right = stride * s.c;
    return {s.o,
            s.c,
            right * s.window.w.kernel,
            right,
            s.taps(),
            taps(s.window.h, phase / stride),
            taps(s.window.w, phase % stride)};
  }
  /// Kernels of [taps, c, o] instead.
  Kernels transposed(int64_t phase) const {
    Kernels k = kernels(phase);
    std::swap(k.rows, k.columns);
    k.down *= s.o, k.right *= s.o, k.row_step = s.o;
    return k;
  }
  /// The first tap of a phase.
  int64_t first(int64_t phase) const { return (phase / stride * s.window.w.kernel + phase % stride) * s.c; }
  const ConvSizes& s;
  int64_t stride, phases;

 private:
  static int64_t taps(const WindowAxis& a, int64_t phase) {
    return (a.kernel - phase + a.stride - 1) / a.stride;
  }
};

/// Room for so many numbers of so many tiles at their points.
template <class A>
Tensor room_for(int64_t tiles, int64_t width) {
  return Tensor::empty({kPoints<A>, Points::plane_of(tiles, width)});
}

/// The kernels of one phase, turned, at their points, o x c: what takes gradients to images.
template <class A>
Tensor adjoint_points(const Weights& weights, const float* w, int64_t phase) {
  const Kernels k = weights.kernels(phase);
  const Tensor points = room_for<A>(k.rows, k.columns);
  parallel_for(k.rows, 8, [&](int64_t begin, int64_t end) {
    with_width([&](auto width) {
      kernels_to_points<A, width>(k, w + weights.first(phase), true, {begin, end}, 0, k.rows,
                                  points.data<float>());
    });
  });
  return points;
}

/// The kernels of all phases, transposed, at their points, phases c x o: what takes images to results.
template <class A>
Tensor forward_points(const Weights& weights, In w) {
  const ConvSizes& s = weights.s;
  const Tensor transposed = Tensor::empty({s.taps(), s.o});  // [kh, kw, c, o]
  transpose(w.reshape({s.o, s.taps()}), transposed);
  const int64_t rows = weights.phases * s.c;
  const Tensor points = room_for<A>(rows, s.o);
  parallel_for(s.c, 8, [&](int64_t begin, int64_t end) {
    with_width([&](auto width) {
      for (int64_t phase = 0; phase < weights.phases; ++phase)
        kernels_to_points<A, width>(weights.transposed(phase),
                                    transposed.data<float>() + weights.first(phase) * s.o, false,
                                    {begin, end}, phase * s.c, rows, points.data<float>());
    });
  });
  return points;
}

/// How many tiles of so many channels are worked on together.
template <class A>
struct Blocks {
  Blocks(int64_t in, int64_t out)
      : size(std::max<int64_t>(32, kCache / (kPoints<A> * static_cast<int64_t>(sizeof(float)) * (in + out)))),
        large_kernels(in * out >= 4 * size * (in + out)) {}
  static constexpr int64_t kCache = 1 << 18;  ///< bytes, half of a core's second cache or less
  static constexpr int64_t kMany = 256;       ///< tiles for which kernels are worth fetching once more
  int64_t size;                               ///< tiles whose points stay in that cache
  bool large_kernels;                         ///< to fetch for each block of that size
};

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

/// Of the phase that has most.
int64_t taps_of_phase(const ConvSizes& s) {
  return (s.window.h.kernel + s.window.h.stride - 1) / s.window.h.stride;
}

/// results = images * kernels, which are given at their points [points, panels of results, images, kPanel].
template <class A>
struct Convolution {
  Grid images, results;
  const float *x, *kernels, *bias;
  float* y;
  int64_t in = images.width(), out = results.width();

  void to_points(Span part, Points to, int64_t first) const {
    with_width(
        [&](auto width) { squares_to_points<A, typename A::Image, width>(images, x, part, to, first); });
  }
  void multiply(int64_t point, int64_t tiles, Points of_images, Points of_results) const {
    panel_product({.m = tiles,
                   .n = out,
                   .k = in,
                   .a = of_images.at(point, 0),
                   .a_row = of_images.step,
                   .a_step = 1,
                   .b = kernels + point * Points::plane_of(in, out),
                   .b_step = kPanel,
                   .b_panel = in * kPanel,
                   .c = of_results.at(point, 0),
                   .c_row = of_results.step});
  }
  void from_points(Points from, int64_t first, Span part) const {
    with_width([&](auto width) { points_to_squares<A, width>(results, from, first, part, bias, y); });
  }

  void run() const {
    using Sizes = Blocks<A>;
    const Sizes blocks(in, out);
    const int64_t tiles = images.tiles();
    if (!blocks.large_kernels && tiles >= 4 * blocks.size) return run_by_blocks(tiles, blocks.size);
    const int64_t together = blocks.large_kernels ? Sizes::kMany : tiles;
    for (int64_t t = 0; t < tiles; t += together) run_by_points({t, std::min(tiles, t + together)});
  }

  /// Threads take blocks of tiles, which stay in their caches.
  void run_by_blocks(int64_t tiles, int64_t size) const {
    parallel_for((tiles + size - 1) / size, 1, [&](int64_t first, int64_t last) {
      const Tensor images_room = room_for<A>(size, in), results_room = room_for<A>(size, out);
      const Points of_images(images_room.data<float>(), size, in),
          of_results(results_room.data<float>(), size, out);
      for (int64_t block = first; block < last; ++block) {
        const Span part{block * size, std::min(tiles, (block + 1) * size)};
        to_points(part, of_images, 0);
        for (int64_t point = 0; point < kPoints<A>; ++point)
          multiply(point, part.size(), of_images, of_results);
        from_points(of_results, 0, part);
      }
    });
  }

  /// Threads take tiles, then points of all tiles, then tiles again.
  void run_by_points(Span tiles) const {
    const int64_t count = tiles.size();
    const Tensor images_room = room_for<A>(count, in), results_room = room_for<A>(count, out);
    const Points of_images(images_room.data<float>(), count, in),
        of_results(results_room.data<float>(), count, out);
    parallel_for(count, 4, [&](int64_t first, int64_t last) {
      to_points({tiles.begin + first, tiles.begin + last}, of_images, first);
    });
    parallel_for(kPoints<A>, 1, [&](int64_t first, int64_t last) {
      for (int64_t point = first; point < last; ++point) multiply(point, count, of_images, of_results);
    });
    parallel_for(count, 4, [&](int64_t first, int64_t last) {
      from_points(of_results, first, {tiles.begin + first, tiles.begin + last});
    });
  }
};

/// dw of a layer, whose sums over tiles are those of parts of `part` tiles, whatever the number of threads.
template <class A>
void gradient_of_weights(const ConvSizes& s, In dy, In x, Out dw) {
  const Grid images = images_grid<A>(s), results = results_grid<A>(s);
  const int64_t tiles = images.tiles(), c = images.width();
  const int64_t part = Blocks<A>(c, s.o).size, block = std::min(tiles, part * num_threads());
  const Tensor kernels_room = room_for<A>(s.o, c), images_room = room_for<A>(block, c),
               results_room = room_for<A>(block, s.o);
  const Points of_kernels(kernels_room.data<float>(), s.o, c), of_images(images_room.data<float>(), block, c),
      of_results(results_room.data<float>(), block, s.o);
  for (int64_t begin = 0; begin < tiles; begin += block) {
    const int64_t count = std::min(tiles - begin, block);
    parallel_for(count, 4, [&](int64_t first, int64_t last) {
      const Span of_thread{begin + first, begin + last};
      with_width([&](auto width) {
        squares_to_points<A, typename A::Image, width>(images, x.data<float>(), of_thread, of_images, first);
        squares_to_points<A, typename A::ResultGradient, width>(results, dy.data<float>(), of_thread,
                                                                of_results, first);
      });
    });
    parallel_for(kPoints<A>, 1, [&](int64_t first, int64_t last) {
      for (int64_t point = first; point < last; ++point)
        for (int64_t t = 0; t < count; t += part)
          panel_product({.m = s.o,
                         .n = c,
                         .k = std::min(part, count - t),
                         .a = of_results.at(point, t),
                         .a_row = 1,
                         .a_step = of_results.step,
                         .b = of_images.at(point, t),
                         .b_step = of_images.step,
                         .b_panel = kPanel,
                         .c = of_kernels.at(point, 0),
                         .c_row = of_kernels.step,
                         .add = begin + t > 0});
    });
  }
  const Weights weights(s);
  parallel_for(s.o, 8, [&](int64_t first, int64_t last) {
    with_width([&](auto width) {
      for (int64_t phase = 0; phase < weights.phases; ++phase) {
        Points of_phase = of_kernels;
        of_phase.data += phase * s.c;
        points_to_kernels<A, width>(weights.kernels(phase), of_phase, {first, last},
                                    dw.data<float>() + weights.first(phase));
      }
    });
  });
}

/// Whether the algorithms know the geometry and the channels.
bool fits(const ConvSizes& s) {
  const int64_t taps = taps_of_phase(s), stride = s.window.h.stride;
  const auto same = [&](const WindowAxis& a) {
    return (a.kernel + stride - 1) / stride == taps && a.stride == stride && a.padding < a.kernel;
  };
  const auto whole = [](int64_t channels) { return channels > 0 && channels % kPanel == 0; };
  return (taps == 2 || taps == 3) && stride <= 2 && same(s.window.h) && same(s.window.w) && whole(s.c) &&
         whole(s.o);
}

/// Products per pair of channels for results h x w.
int64_t products(int64_t taps, int64_t h, int64_t w) {
  int64_t count = 0;
  with_algorithm(taps, h, w, [&]<class A>(A) { count = tiles_over<A>(h) * tiles_over<A>(w) * kPoints<A>; });
  return count;
}

/// Whether so many are few enough for a layer under a stride, whose transforms take a larger part, and the
/// images many enough to outweigh those of the kernels.
bool few(int64_t products, const ConvSizes& s) {
  constexpr int64_t kResults = 32 * 16;  // of 32 tiles
  return s.positions() >= kResults &&
         10 * products <= 8 * s.window.h.kernel * s.window.w.kernel * s.oh * s.ow;
}

}  // namespace

bool pays(const ConvSizes& s) {
  if (!fits(s)) return false;
  const int64_t taps = taps_of_phase(s), phases = s.window.h.stride * s.window.w.stride;
  if (phases == 1) return taps == 3 || s.c + s.o >= 3 * kPanel;
  return few(phases * products(taps, s.oh, s.ow), s);
}

bool pays_for_input(const ConvSizes& s) {
  const int64_t stride = s.window.h.stride;
  if (stride == 1 || !fits(s)) return pays(s);
  int64_t count = 0;
  for (int64_t phase = 0; phase < stride * stride; ++phase)
    count += products(taps_of_phase(s), Phase(s.window.h, s.h, phase / stride).count,
                      Phase(s.window.w, s.w, phase % stride).count);
  return few(count, s);
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
