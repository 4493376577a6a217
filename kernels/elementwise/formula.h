#pragma once
// What the elementwise functions (ops.h, ops_losses.h) are written with: their constants, stable scalar
// functions in the precision of the argument, and the signatures of a value and its partial derivatives.
#include <cmath>
#include <limits>

#include "kernels/elementwise/exp.h"
#include "tensor/host_device.h"

namespace vae::kernels {

/// Up to two constants of a function: a slope, an interval, an epsilon.
struct Params {
  double a = 0, b = 0;
};

template <class T>
struct Constants {
  T a, b;
};

inline constexpr double kLog2Pi = 1.8378770664093454836;

namespace detail {
template <class T>
VAE_HD T exp_of(T x) {
#ifdef __CUDA_ARCH__
  if constexpr (sizeof(T) == 4) return ::expf(x);
#else
  if constexpr (sizeof(T) == 4) return exp_f32(x);
#endif
  else return ::exp(x);
}
template <class T>
inline constexpr T kLargest = std::numeric_limits<T>::max();
/// e^x, or the largest number where that overflows: zero times it stays zero.
template <class T>
VAE_HD T finite_exp_of(T x) {
  constexpr T most = kLargest<T>;  // not the function, which is the host's
  const T e = exp_of(x);
  return e > most ? most : e;
}
template <class T>
VAE_HD T log_of(T x) {
  if constexpr (sizeof(T) == 4) return ::logf(x);
  else return ::log(x);
}
template <class T>
VAE_HD T expm1_of(T x) {
  if constexpr (sizeof(T) == 4) return ::expm1f(x);
  else return ::expm1(x);
}
template <class T>
VAE_HD T tanh_of(T x) {
  if constexpr (sizeof(T) == 4) return ::tanhf(x);
  else return ::tanh(x);
}
template <class T>
VAE_HD T sqrt_of(T x) {
  if constexpr (sizeof(T) == 4) return ::sqrtf(x);
  else return ::sqrt(x);
}
template <class T>
VAE_HD T abs_of(T x) {
  return x < T(0) ? -x : x;
}
/// log(1 + x) for 0 <= x <= 1. In f32 through 2 atanh(s), s = x / (2 + x) <= 1/3, whose series needs eight terms; it takes
/// half the time of the general function and is as accurate.
template <class T>
VAE_HD T log1p_unit(T x) {
  if constexpr (sizeof(T) == 8) {
    return ::log1p(x);
  } else {
    const T s = x / (T(2) + x), q = s * s;
    T series = T(1.0 / 15);
    series = series * q + T(1.0 / 13);
    series = series * q + T(1.0 / 11);
    series = series * q + T(1.0 / 9);
    series = series * q + T(1.0 / 7);
    series = series * q + T(1.0 / 5);
    series = series * q + T(1.0 / 3);
    return T(2) * s + T(2) * s * (series * q);
  }
}
/// log(1 + e^x), finite for every finite x.
template <class T>
VAE_HD T softplus_of(T x) {
  return (x < T(0) ? T(0) : x) + log1p_unit(exp_of(-abs_of(x)));
}
/// 1 / (1 + e^-x); where e^-x overflows the result is zero, as it should be.
template <class T>
VAE_HD T sigmoid_of(T x) {
  return T(1) / (T(1) + exp_of(-x));
}
}  // namespace detail

#define VAE_FWD1 template <class T> VAE_HD static T fwd(T x, [[maybe_unused]] Constants<T> k)
#define VAE_D1 template <class T> VAE_HD static T d0([[maybe_unused]] T x, [[maybe_unused]] T y, [[maybe_unused]] Constants<T> k)
#define VAE_FWD2 template <class T> VAE_HD static T fwd(T x0, T x1, [[maybe_unused]] Constants<T> k)
#define VAE_D2(i) template <class T> VAE_HD static T d##i([[maybe_unused]] T x0, [[maybe_unused]] T x1, [[maybe_unused]] T y, [[maybe_unused]] Constants<T> k)
#define VAE_FWD3 template <class T> VAE_HD static T fwd(T x0, T x1, T x2, [[maybe_unused]] Constants<T> k)
#define VAE_D3(i) template <class T> VAE_HD static T d##i([[maybe_unused]] T x0, [[maybe_unused]] T x1, [[maybe_unused]] T x2, [[maybe_unused]] T y, [[maybe_unused]] Constants<T> k)

}  // namespace vae::kernels
