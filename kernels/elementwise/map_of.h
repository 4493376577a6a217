#pragma once
// A program's own elementwise function, compiled in the file that calls it: for the CPU, and by nvcc for CUDA
// devices as well. The struct is written as those of ops.h are:
//
//   struct Swish {
//     static constexpr int arity = 1;
//     VAE_FWD1 { return x * sigmoid_of(x); }                        // the value of x
//     VAE_D1 { return y + sigmoid_of(x) * (T(1) - y); }             // dy/dx from x and the value y
//   };
//
// Functions of two and three operands have VAE_FWD2 (x0, x1), VAE_D2(0), VAE_D2(1) and VAE_FWD3,
// VAE_D3(0)...; k.a and k.b are the constants of a call. The functions are pure: no state, no randomness but
// operands.
#include "kernels/elementwise/map_cpu.h"
#include "kernels/elementwise/own_map.h"
#if defined(__CUDACC__) || defined(VAE_EMULATED_MAPS)
#include "kernels/elementwise/map_cuda.h"
#endif

namespace vae::kernels {

template <class Op>
struct CpuLoops {
  static void fwd(Params params, const Frame& frame, Out y) {
    dispatch_floating(frame.dtype, [&]<class T>(T) { cpu::fwd_frame<Op>(params, frame, y.data<T>()); });
  }
  static void bwd(Params params, int wrt, const Frame& frame, In y, Out dx, bool add) {
    dispatch_floating(frame.dtype, [&]<class T>(T) {
      cpu::bwd_frame<Op>(params, wrt, frame, static_cast<const T*>(y.raw()), dx.data<T>(), add);
    });
  }
  static void rowsum(Params params, const Frame& frame, Out y) {
    dispatch_floating(frame.dtype, [&]<class T>(T) { cpu::sum_frame<Op>(params, frame, y.data<T>()); });
  }
  static constexpr MapLoops loops{fwd, bwd, rowsum};
};

#ifdef VAE_GPU
template <class Op>
struct GpuLoops {
  static void fwd(Params params, const Frame& frame, Out y) {
    dispatch_floating(frame.dtype, [&]<class T>(T) { VAE_GPU::fwd_frame<Op, T>(params, frame, y); });
  }
  static void bwd(Params params, int wrt, const Frame& frame, In y, Out dx, bool add) {
    dispatch_floating(frame.dtype,
                      [&]<class T>(T) { VAE_GPU::bwd_frame<Op, T>(params, wrt, frame, y, dx, add); });
  }
  static void rowsum(Params params, const Frame& frame, Out y) {
    dispatch_floating(frame.dtype, [&]<class T>(T) { VAE_GPU::sum_frame<Op, T>(params, frame, y); });
  }
  static constexpr MapLoops loops{fwd, bwd, rowsum};
};
#endif

/// Whether a function declares its derivative to be deliberately not that of its value.
template <class Op>
concept IsSurrogate = requires { Op::surrogate; };

/// The enumerator of a function; it is added at the first call.
template <class Op>
Map map_of() {
  static_assert(Op::arity >= 1 && Op::arity <= 3, "an elementwise function has one to three operands");
  static const Map op = [] {
    OwnMap own = named_map(typeid(Op), Op::arity);
    own.surrogate = IsSurrogate<Op>;
    own.loops[static_cast<int>(DeviceType::cpu)] = &CpuLoops<Op>::loops;
#ifdef VAE_GPU
    own.loops[static_cast<int>(VAE_GPU::kDeviceType)] = &GpuLoops<Op>::loops;
#endif
    return add_map(std::move(own));
  }();
  return op;
}

}  // namespace vae::kernels
