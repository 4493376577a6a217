#pragma once
// CUDA kernels of the elementwise family. Where every operand runs along with the output and stands on
// 16-byte boundaries, threads move 16 bytes at a time; everything else goes over rows and columns.
#include "kernels/cuda/pack.h"
#include "kernels/cuda/reduce.h"
#include "kernels/elementwise/call.h"

namespace vae::kernels::VAE_GPU {

/// What the kernels of the family read and write; operands[3] is dy.
template <class T>
struct MapArgs {
  Operand operands[4];
  int64_t rows, columns;
  const T* y;  ///< the value already computed, or null
  T* out;
  Constants<T> k;
  bool add;
};

/// r % wrap, without a 64-bit division in the usual cases.
__device__ inline int64_t wrapped(int64_t r, int64_t wrap) {
  if (wrap == 1) return 0;
  if (r < wrap) return r;
  if (r <= UINT32_MAX) return static_cast<uint32_t>(r) % static_cast<uint32_t>(wrap);
  return r % wrap;
}

template <class T>
__device__ const T* row_of(const Operand& operand, int64_t r) {
  return static_cast<const T*>(operand.data) + wrapped(r, operand.wrap) * operand.row_stride;
}

/// Rows of up to three operands; those a function does not have are not touched.
template <class Op, class T>
struct MapRow {
  const T* x[Op::arity];
  int64_t stride[Op::arity];
  __device__ MapRow(const MapArgs<T>& args, int64_t r) {
    for (int i = 0; i < Op::arity; ++i) {
      x[i] = row_of<T>(args.operands[i], r);
      stride[i] = args.operands[i].column_stride;
    }
  }
  template <int i>
  __device__ T at(int64_t c) const {
    if constexpr (i < Op::arity)
      return x[i][c * stride[i]];
    else
      return T(0);
  }
};

template <class T>
__device__ Pack<T> load_pack(const void* data, int64_t i) {
  return static_cast<const Pack<T>*>(data)[i];
}

/// The packs of the operands at one place.
template <class Op, class T>
struct MapPacks {
  Pack<T> x[Op::arity];
  __device__ MapPacks(const MapArgs<T>& args, int64_t p) {
    for (int i = 0; i < Op::arity; ++i) x[i] = load_pack<T>(args.operands[i].data, p);
  }
  template <int i>
  __device__ T at(int lane) const {
    if constexpr (i < Op::arity)
      return x[i].v[lane];
    else
      return T(0);
  }
};

template <class Op, class T>
__global__ void map_fwd_packs(MapArgs<T> args) {
  for (int64_t p = first_x(), packs = args.columns / Pack<T>::size; p < packs; p += step_x()) {
    const MapPacks<Op, T> in(args, p);
    Pack<T> out;
    for (int lane = 0; lane < Pack<T>::size; ++lane)
      out.v[lane] =
          value<Op>(in.template at<0>(lane), in.template at<1>(lane), in.template at<2>(lane), args.k);
    reinterpret_cast<Pack<T>*>(args.out)[p] = out;
  }
}

template <class Op, class T>
__global__ void map_fwd_rows(MapArgs<T> args) {
  for (int64_t r = first_y(); r < args.rows; r += step_y()) {
    const MapRow<Op, T> in(args, r);
    for (int64_t c = first_x(); c < args.columns; c += step_x())
      args.out[r * args.columns + c] =
          value<Op>(in.template at<0>(c), in.template at<1>(c), in.template at<2>(c), args.k);
  }
}

template <class Op, class T>
__global__ void rowsum_rows(MapArgs<T> args) {
  for (int64_t r = first_y(); r < args.rows; r += step_y()) {
    const MapRow<Op, T> in(args, r);
    T sum = 0;
    for (int64_t c = threadIdx.x; c < args.columns; c += blockDim.x)
      sum += value<Op>(in.template at<0>(c), in.template at<1>(c), in.template at<2>(c), args.k);
    sum = row_reduce(sum, Plus{});
    if (threadIdx.x == 0) args.out[r] = args.k.scale * sum;
  }
}

/// scale dy df/dx_wrt; y is null where the value is not at hand.
template <class Op, int wrt, class T>
__device__ T gradient(T x0, T x1, T x2, const T* y, T dy, Constants<T> k) {
  return k.scale * dy * partial<Op, wrt>(x0, x1, x2, y ? *y : value<Op>(x0, x1, x2, k), k);
}

template <class Op, int wrt, class T>
__global__ void map_bwd_packs(MapArgs<T> args) {
  for (int64_t p = first_x(), packs = args.columns / Pack<T>::size; p < packs; p += step_x()) {
    const MapPacks<Op, T> in(args, p);
    const Pack<T> dy = load_pack<T>(args.operands[3].data, p);
    const Pack<T> y = args.y ? load_pack<T>(args.y, p) : Pack<T>{};
    Pack<T>* out = reinterpret_cast<Pack<T>*>(args.out) + p;
    Pack<T> dx = args.add ? *out : Pack<T>{};
    for (int lane = 0; lane < Pack<T>::size; ++lane)
      dx.v[lane] +=
          gradient<Op, wrt>(in.template at<0>(lane), in.template at<1>(lane), in.template at<2>(lane),
                            args.y ? &y.v[lane] : nullptr, dy.v[lane], args.k);
    *out = dx;
  }
}

template <class Op, int wrt, class T>
__global__ void map_bwd_rows(MapArgs<T> args) {
  for (int64_t r = first_y(); r < args.rows; r += step_y()) {
    const MapRow<Op, T> in(args, r);
    const T* dy = row_of<T>(args.operands[3], r);
    for (int64_t c = first_x(); c < args.columns; c += step_x()) {
      const int64_t i = r * args.columns + c;
      const T dx =
          gradient<Op, wrt>(in.template at<0>(c), in.template at<1>(c), in.template at<2>(c),
                            args.y ? args.y + i : nullptr, dy[c * args.operands[3].column_stride], args.k);
      args.out[i] = args.add ? args.out[i] + dx : dx;
    }
  }
}

/// Where map_gradients writes, by operand; null: not wanted.
template <class T>
struct MapOuts {
  T* out[3];
  bool add[3];
};

template <class Op, int wrt, class T>
__device__ void put_gradient(const MapOuts<T>& outs, int64_t i, T x0, T x1, T x2, const T* y, T dy,
                             Constants<T> k) {
  if constexpr (wrt < Op::arity)
    if (outs.out[wrt]) {
      T& out = outs.out[wrt][i];
      const T dx = gradient<Op, wrt>(x0, x1, x2, y, dy, k);
      out = outs.add[wrt] ? out + dx : dx;
    }
}

template <class Op, class T>
__global__ void map_gradients_rows(MapArgs<T> args, MapOuts<T> outs) {
  for (int64_t r = first_y(); r < args.rows; r += step_y()) {
    const MapRow<Op, T> in(args, r);
    const T* dy = row_of<T>(args.operands[3], r);
    for (int64_t c = first_x(); c < args.columns; c += step_x()) {
      const int64_t i = r * args.columns + c;
      const T x0 = in.template at<0>(c), x1 = in.template at<1>(c), x2 = in.template at<2>(c),
              g = dy[c * args.operands[3].column_stride];
      const T* y = args.y ? args.y + i : nullptr;
      put_gradient<Op, 0>(outs, i, x0, x1, x2, y, g, args.k);
      put_gradient<Op, 1>(outs, i, x0, x1, x2, y, g, args.k);
      put_gradient<Op, 2>(outs, i, x0, x1, x2, y, g, args.k);
    }
  }
}

// ---- host
// ---------------------------------------------------------------------------------------------------------

template <class T>
MapArgs<T> map_args(const Frame& frame, Params params, const void* y, Out out, bool add) {
  MapArgs<T> args{};
  for (size_t i = 0; i < 4; ++i) args.operands[i] = frame.operands[i];
  args.rows = frame.rows;
  args.columns = frame.columns;
  args.y = static_cast<const T*>(y);
  args.out = out.data<T>();
  args.k = constants_of<T>(params);
  args.add = add;
  return args;
}

constexpr int64_t kPackedOdd = 1 << 16;

/// How many leading elements the 16-byte kernels may take: all but a tail, or none; of few elements none
/// where there is a tail, which would be a launch more.
template <class T>
int64_t packed_part(const MapArgs<T>& args, int arity, bool with_dy) {
  bool packs = args.rows == 1 && packable(args.out, args.y);
  for (int i = 0; i < 4; ++i)
    if (i < arity || (i == 3 && with_dy))
      packs = packs && args.operands[i].column_stride == 1 && packable(args.operands[i].data);
  const int64_t taken = args.columns / Pack<T>::size * Pack<T>::size;
  const bool few = taken != args.columns && args.columns < kPackedOdd;
  return packs && !few ? taken : 0;
}

/// The rest of a single row after its first n elements.
template <class T>
MapArgs<T> skipped(MapArgs<T> args, int64_t n) {
  for (Operand& operand : args.operands)
    operand.data = static_cast<const T*>(operand.data) + (operand.data ? n * operand.column_stride : 0);
  if (args.y) args.y += n;
  args.out += n;
  args.columns -= n;
  return args;
}

/// Launches `packs` on what it can take and `rows` on the rest.
template <class T>
void launch_map(const char* name, void (*packs)(MapArgs<T>), void (*rows)(MapArgs<T>), const MapArgs<T>& args,
                int arity, bool with_dy, Out out) {
  const OnDevice gpu(out);
  const int64_t taken = packed_part(args, arity, with_dy);
  launch(name, packs, gpu.line(taken / Pack<T>::size), args);
  const MapArgs<T> rest = taken ? skipped(args, taken) : args;
  launch(name, rows, gpu.plane(rest.rows, rest.columns), rest);
}

// ---- one function over a frame

template <class Op, class T>
void fwd_frame(Params params, const Frame& frame, Out y) {
  const auto args = map_args<T>(frame, params, nullptr, y, false);
  launch_map("map_fwd", map_fwd_packs<Op, T>, map_fwd_rows<Op, T>, args, Op::arity, false, y);
}

template <class Op, class T>
void sum_frame(Params params, const Frame& frame, Out y) {
  const OnDevice gpu(y);
  const auto args = map_args<T>(frame, params, nullptr, y, false);
  launch("rowsum_fwd", rowsum_rows<Op, T>, gpu.rows(frame.rows, frame.columns), args);
}

template <class Op, class T>
void bwd_frame(Params params, int wrt, const Frame& frame, In y, Out dx, bool add) {
  const auto args = map_args<T>(frame, params, y.raw(), dx, add);
  auto packs = map_bwd_packs<Op, 0, T>;
  auto rows = map_bwd_rows<Op, 0, T>;
  if constexpr (Op::arity > 1)
    if (wrt == 1) packs = map_bwd_packs<Op, 1, T>, rows = map_bwd_rows<Op, 1, T>;
  if constexpr (Op::arity > 2)
    if (wrt == 2) packs = map_bwd_packs<Op, 2, T>, rows = map_bwd_rows<Op, 2, T>;
  launch_map("map_bwd", packs, rows, args, Op::arity, true, dx);
}

/// Of a function of several operands.
template <class Op, class T>
void gradients_frame(Params params, const Frame& frame, In y, std::span<const MapGradient> gradients) {
  const auto args = map_args<T>(frame, params, y.raw(), gradients[0].dx, false);
  MapOuts<T> outs{};
  for (const MapGradient& g : gradients)
    outs.out[g.wrt] = g.dx.template data<T>(), outs.add[g.wrt] = g.write == Write::add;
  const OnDevice gpu(gradients[0].dx);
  launch("map_gradients", map_gradients_rows<Op, T>, gpu.plane(frame.rows, frame.columns), args, outs);
}

// ---- the functions of list.h

template <class T>
void map_fwd_typed(Map op, Params params, const Frame& frame, Out y) {
  dispatch_map(op, [&]<class Op>(Op) { fwd_frame<Op, T>(params, frame, y); });
}

template <class T>
void rowsum_typed(Map op, Params params, const Frame& frame, Out y) {
  dispatch_map(op, [&]<class Op>(Op) { sum_frame<Op, T>(params, frame, y); });
}

template <class T>
void map_bwd_typed(Map op, Params params, int wrt, const Frame& frame, In y, Out dx, bool add) {
  dispatch_map(op, [&]<class Op>(Op) { bwd_frame<Op, T>(params, wrt, frame, y, dx, add); });
}

template <class T>
void map_gradients_typed(Map op, Params params, const Frame& frame, In y,
                         std::span<const MapGradient> gradients) {
  dispatch_map(op, [&]<class Op>(Op) {
    if constexpr (Op::arity > 1) gradients_frame<Op, T>(params, frame, y, gradients);
  });
}

}  // namespace vae::kernels::VAE_GPU
