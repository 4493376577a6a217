#pragma once
// What the elementwise functions (ops.h, ops_losses.h) are written with: their constants, stable scalar
// functions in the precision of the argument, and the signatures of a value and its partial derivatives.
#include <cmath>
#include <limits>

#include "kernels/elementwise/exp_log.h"
#include "kernels/elementwise/map.h"
#include "tensor/host_device.h"

namespace vae::kernels {

/// Params in the precision of the argument.
template <class T>
struct Constants {
  T a, b;
};

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
/// e^x where the last of what a float can hold does not matter: in sums, beside one, of arguments below zero.
template <class T>
VAE_HD T exp_flushed_of(T x) {
#ifndef __CUDA_ARCH__
  if constexpr (sizeof(T) == 4) return exp_flushed_f32(x);
  else
#endif
  return exp_of(x);
}
template <class T>
VAE_HD T log_of(T x) {
#ifdef __CUDA_ARCH__
  if constexpr (sizeof(T) == 4) return ::logf(x);
#else
  if constexpr (sizeof(T) == 4) return log_f32(x);
#endif
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
/// log(1 + x) for 0 <= x <= 1.
template <class T>
VAE_HD T log1p_unit(T x) {
  if constexpr (sizeof(T) == 4) return log1p_unit_f32(x);
  else return ::log1p(x);
}
/// log(1 + e^x), finite for every finite x.
template <class T>
VAE_HD T softplus_of(T x) {
  return (x < T(0) ? T(0) : x) + log1p_unit(exp_flushed_of(-abs_of(x)));
}
/// 1 / (1 + e^-x); where e^-x overflows the result is zero, as it should be.
template <class T>
VAE_HD T sigmoid_of(T x) {
  return T(1) / (T(1) + exp_flushed_of(-x));
}
}  // namespace detail

#define VAE_FWD1 template <class T> VAE_HD static T fwd(T x, [[maybe_unused]] Constants<T> k)
#define VAE_D1 template <class T> VAE_HD static T d0([[maybe_unused]] T x, [[maybe_unused]] T y, [[maybe_unused]] Constants<T> k)
#define VAE_FWD2 template <class T> VAE_HD static T fwd(T x0, T x1, [[maybe_unused]] Constants<T> k)
#define VAE_D2(i) template <class T> VAE_HD static T d##i([[maybe_unused]] T x0, [[maybe_unused]] T x1, [[maybe_unused]] T y, [[maybe_unused]] Constants<T> k)
#define VAE_FWD3 template <class T> VAE_HD static T fwd(T x0, T x1, T x2, [[maybe_unused]] Constants<T> k)
#define VAE_D3(i) template <class T> VAE_HD static T d##i([[maybe_unused]] T x0, [[maybe_unused]] T x1, [[maybe_unused]] T x2, [[maybe_unused]] T y, [[maybe_unused]] Constants<T> k)

}  // namespace vae::kernels
