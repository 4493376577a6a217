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
  T a, b, scale = 1;
};

namespace detail {
VAE_HD float exp_of(float x) {
#ifdef __CUDA_ARCH__
  return ::expf(x);
#else
  return exp_f32(x);
#endif
}
VAE_HD double exp_of(double x) { return ::exp(x); }
/// e^x where the last of what a float can hold does not matter: in sums, beside one, of arguments below zero.
VAE_HD float exp_flushed_of(float x) {
#ifdef __CUDA_ARCH__
  return ::expf(x);
#else
  return exp_flushed_f32(x);
#endif
}
VAE_HD double exp_flushed_of(double x) { return ::exp(x); }
VAE_HD float log_of(float x) {
#ifdef __CUDA_ARCH__
  return ::logf(x);
#else
  return log_f32(x);
#endif
}
VAE_HD double log_of(double x) { return ::log(x); }
VAE_HD float expm1_of(float x) { return ::expm1f(x); }
VAE_HD double expm1_of(double x) { return ::expm1(x); }
VAE_HD float tanh_of(float x) { return ::tanhf(x); }
VAE_HD double tanh_of(double x) { return ::tanh(x); }
VAE_HD float sqrt_of(float x) { return ::sqrtf(x); }
VAE_HD double sqrt_of(double x) { return ::sqrt(x); }
/// log(1 + x) for 0 <= x <= 1.
VAE_HD float log1p_unit(float x) { return log1p_unit_f32(x); }
VAE_HD double log1p_unit(double x) { return ::log1p(x); }

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
VAE_HD T abs_of(T x) {
  return x < T(0) ? -x : x;
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

#define VAE_FWD1     \
  template <class T> \
  VAE_HD static T fwd(T x, [[maybe_unused]] ::vae::kernels::Constants<T> k)
#define VAE_D1                                                   \
  template <class T>                                             \
  VAE_HD static T d0([[maybe_unused]] T x, [[maybe_unused]] T y, \
                     [[maybe_unused]] ::vae::kernels::Constants<T> k)
#define VAE_FWD2     \
  template <class T> \
  VAE_HD static T fwd(T x0, T x1, [[maybe_unused]] ::vae::kernels::Constants<T> k)
#define VAE_D2(i)                                                                          \
  template <class T>                                                                       \
  VAE_HD static T d##i([[maybe_unused]] T x0, [[maybe_unused]] T x1, [[maybe_unused]] T y, \
                       [[maybe_unused]] ::vae::kernels::Constants<T> k)
#define VAE_FWD3     \
  template <class T> \
  VAE_HD static T fwd(T x0, T x1, T x2, [[maybe_unused]] ::vae::kernels::Constants<T> k)
#define VAE_D3(i)                                                                           \
  template <class T>                                                                        \
  VAE_HD static T d##i([[maybe_unused]] T x0, [[maybe_unused]] T x1, [[maybe_unused]] T x2, \
                       [[maybe_unused]] T y, [[maybe_unused]] ::vae::kernels::Constants<T> k)

}  // namespace vae::kernels
