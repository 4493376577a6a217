#pragma once
// CPU loops of the elementwise family. Compiled with __FAST_MATH__ defined (not -ffast-math), which only
// makes glibc declare its vector exp, log, tanh...; the arithmetic stays IEEE.
#include "kernels/elementwise/call.h"
#include "kernels/simd.h"
#include "tensor/parallel.h"

namespace vae::kernels::cpu {

inline constexpr int64_t kMapGrain = 16384;  // elements worth a second thread

/// Pointers of one row: operands with their column strides, the value y (or null), dy.
template <class T>
struct Row {
  const T* x[3];
  int64_t stride[3];
  const T* y;
  const T* dy;
};

/// Element c of operand i; dense rows have stride one, known to the compiler.
template <class Op, int i, bool dense, class T>
VAE_HD T element(const Row<T>& row, int64_t c) {
  if constexpr (i >= Op::arity)
    return T(0);
  else
    return row.x[i][dense ? c : c * row.stride[i]];
}

template <class Op, bool dense, class T>
VAE_CLONES void fwd_row(const Row<T> row, T* y, int64_t n, Constants<T> k) {
#pragma omp simd
  for (int64_t c = 0; c < n; ++c)
    y[c] = value<Op>(element<Op, 0, dense>(row, c), element<Op, 1, dense>(row, c),
                     element<Op, 2, dense>(row, c), k);
}

template <class Op, bool dense, class T>
VAE_CLONES T sum_row(const Row<T> row, int64_t n, Constants<T> k) {
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t c = 0; c < n; ++c)
    sum += value<Op>(element<Op, 0, dense>(row, c), element<Op, 1, dense>(row, c),
                     element<Op, 2, dense>(row, c), k);
  return sum;
}

/// How the loop of a derivative is compiled: strides known to be one, dy constant in a row, y at hand, dx
/// added to.
struct Variant {
  bool dense, constant_dy, has_y, add;
};

template <class Op, int wrt, Variant variant, class T>
VAE_CLONES void bwd_row(const Row<T> row, T* dx, int64_t n, Constants<T> k) {
#pragma omp simd
  for (int64_t c = 0; c < n; ++c) {
    const T x0 = element<Op, 0, variant.dense>(row, c), x1 = element<Op, 1, variant.dense>(row, c),
            x2 = element<Op, 2, variant.dense>(row, c);
    const T y = variant.has_y ? row.y[c] : value<Op>(x0, x1, x2, k);
    const T g = k.scale * row.dy[variant.constant_dy ? 0 : c] * partial<Op, wrt>(x0, x1, x2, y, k);
    dx[c] = variant.add ? dx[c] + g : g;
  }
}

/// The row r of a frame, columns from c on.
template <class T>
Row<T> row_of(const Frame& frame, int arity, int64_t r, int64_t c, const T* y) {
  Row<T> row{};
  const auto at = [&](const Operand& operand) {
    return static_cast<const T*>(operand.data) + (r % operand.wrap) * operand.row_stride +
           c * operand.column_stride;
  };
  for (int i = 0; i < arity; ++i) {
    row.x[i] = at(frame.operands[i]);
    row.stride[i] = frame.operands[i].column_stride;
  }
  row.y = y ? y + r * frame.columns + c : nullptr;
  if (frame.operands[3].data) row.dy = at(frame.operands[3]);
  return row;
}

/// Calls body(r, c0, c1) over the frame in parallel: by rows, or along one long row in multiples of 64
/// elements, so that vector tails, and with them the last bits, do not depend on the number of threads.
template <class Body>
void for_each_row(const Frame& frame, const Body& body) {
  if (frame.rows == 1) {
    const int64_t blocks = (frame.columns + 63) / 64;
    parallel_for(blocks, kMapGrain / 64, [&](int64_t begin, int64_t end) {
      body(int64_t{0}, begin * 64, std::min(end * 64, frame.columns));
    });
  } else {
    parallel_for(frame.rows, std::max<int64_t>(1, kMapGrain / std::max<int64_t>(frame.columns, 1)),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t r = begin; r < end; ++r) body(r, int64_t{0}, frame.columns);
                 });
  }
}

inline bool is_dense(const Frame& frame, int arity) {
  for (int i = 0; i < arity; ++i)
    if (frame.operands[i].column_stride != 1) return false;
  return true;
}

// ---- one function over a frame

template <class Op, class T>
void fwd_frame(Params params, const Frame& frame, T* y) {
  const Constants<T> k = constants_of<T>(params);
  const auto loop = is_dense(frame, Op::arity) ? fwd_row<Op, true, T> : fwd_row<Op, false, T>;
  for_each_row(frame, [&](int64_t r, int64_t c0, int64_t c1) {
    loop(row_of<T>(frame, Op::arity, r, c0, nullptr), y + r * frame.columns + c0, c1 - c0, k);
  });
}

template <class Op, class T>
void sum_frame(Params params, const Frame& frame, T* y) {
  const Constants<T> k = constants_of<T>(params);
  const auto loop = is_dense(frame, Op::arity) ? sum_row<Op, true, T> : sum_row<Op, false, T>;
  parallel_for(frame.rows, std::max<int64_t>(1, kMapGrain / std::max<int64_t>(frame.columns, 1)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t r = begin; r < end; ++r)
                   y[r] = k.scale * loop(row_of<T>(frame, Op::arity, r, 0, nullptr), frame.columns, k);
               });
}

template <class Op, int wrt, class T, Variant... variants>
auto find_variant(Variant wanted) {
  void (*loop)(Row<T>, T*, int64_t, Constants<T>) = nullptr;
  const auto same = [&](Variant v) {
    return v.dense == wanted.dense && v.constant_dy == wanted.constant_dy && v.has_y == wanted.has_y &&
           v.add == wanted.add;
  };
  ((same(variants) ? void(loop = bwd_row<Op, wrt, variants, T>) : void()), ...);
  return loop;
}

template <class Op, int wrt, class T>
auto choose_bwd(Variant wanted) {
  if constexpr (Op::arity == 1)  // y is only kept by functions of one operand
    if (wanted.has_y)
      return find_variant<Op, wrt, T, Variant{true, false, true, false}, Variant{true, false, true, true}>(
          wanted);
  return find_variant<Op, wrt, T, Variant{true, false, false, false}, Variant{true, false, false, true},
                      Variant{true, true, false, false}, Variant{true, true, false, true},
                      Variant{false, false, false, false}, Variant{false, false, false, true},
                      Variant{false, true, false, false}, Variant{false, true, false, true}>(wanted);
}

template <class Op, class T>
void bwd_frame(Params params, int wrt, const Frame& frame, const T* y, T* dx, bool add) {
  const Constants<T> k = constants_of<T>(params);
  const bool dense = is_dense(frame, Op::arity), constant_dy = frame.operands[3].column_stride == 0;
  const bool has_y = Op::arity == 1 && y && dense && !constant_dy;
  const Variant variant{dense, constant_dy, has_y, add};
  auto loop = choose_bwd<Op, 0, T>(variant);
  if constexpr (Op::arity > 1)
    if (wrt == 1) loop = choose_bwd<Op, 1, T>(variant);
  if constexpr (Op::arity > 2)
    if (wrt == 2) loop = choose_bwd<Op, 2, T>(variant);
  for_each_row(frame, [&](int64_t r, int64_t c0, int64_t c1) {
    loop(row_of<T>(frame, Op::arity, r, c0, y), dx + r * frame.columns + c0, c1 - c0, k);
  });
}

// ---- the functions of list.h

template <class T>
void map_fwd_typed(Map op, Params params, const Frame& frame, T* y) {
  dispatch_map(op, [&]<class Op>(Op) { fwd_frame<Op>(params, frame, y); });
}

template <class T>
void rowsum_typed(Map op, Params params, const Frame& frame, T* y) {
  dispatch_map(op, [&]<class Op>(Op) { sum_frame<Op>(params, frame, y); });
}

template <class T>
void map_bwd_typed(Map op, Params params, int wrt, const Frame& frame, const T* y, T* dx, bool add) {
  dispatch_map(op, [&]<class Op>(Op) { bwd_frame<Op>(params, wrt, frame, y, dx, add); });
}

// Compiled in files of their own, side by side: the many loops of a derivative apart from those of a value in
// f32, all loops of f64.
#define VAE_MAP_VALUES(linkage, T)                                       \
  linkage template void map_fwd_typed<T>(Map, Params, const Frame&, T*); \
  linkage template void rowsum_typed<T>(Map, Params, const Frame&, T*);
#define VAE_MAP_DERIVATIVES(linkage, T) \
  linkage template void map_bwd_typed<T>(Map, Params, int, const Frame&, const T*, T*, bool);

}  // namespace vae::kernels::cpu
