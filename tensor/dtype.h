#pragma once
// Element types of tensors.
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "tensor/bf16.h"
#include "tensor/error.h"

namespace vae {

/// bf16 is what factors of products are stored in: `cast` makes it of f32, and products take it.
enum class DType : uint8_t { f32, f64, i32, i64, u8, bf16 };

constexpr size_t size_of(DType type) {
  switch (type) {
    case DType::f64:
    case DType::i64:
      return 8;
    case DType::bf16:
      return 2;
    case DType::u8:
      return 1;
    default:
      return 4;
  }
}

constexpr std::string_view name_of(DType type) {
  switch (type) {
    case DType::f32:
      return "f32";
    case DType::f64:
      return "f64";
    case DType::i32:
      return "i32";
    case DType::i64:
      return "i64";
    case DType::u8:
      return "u8";
    case DType::bf16:
      return "bf16";
  }
  return "?";
}

/// Whether there is arithmetic of it.
constexpr bool is_floating(DType type) { return type == DType::f32 || type == DType::f64; }

template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>)
    return DType::f32;
  else if constexpr (std::is_same_v<T, double>)
    return DType::f64;
  else if constexpr (std::is_same_v<T, int32_t>)
    return DType::i32;
  else if constexpr (std::is_same_v<T, int64_t>)
    return DType::i64;
  else if constexpr (std::is_same_v<T, bf16>)
    return DType::bf16;
  else {
    static_assert(std::is_same_v<T, uint8_t>, "no tensor element type");
    return DType::u8;
  }
}

/// Calls f(T{}) with the C++ type of a floating dtype; throws for any other.
template <class F>
decltype(auto) dispatch_floating(DType type, F&& f) {
  VAE_CHECK(is_floating(type), "expected f32 or f64, got {}", name_of(type));
  if (type == DType::f64) return f(double{});
  return f(float{});
}

/// Calls f(T{}) with the C++ type of any dtype but bf16, for which it throws.
template <class F>
decltype(auto) dispatch_any(DType type, F&& f) {
  VAE_CHECK(type != DType::bf16, "bf16 is for factors of products");
  switch (type) {
    case DType::f64:
      return f(double{});
    case DType::i32:
      return f(int32_t{});
    case DType::i64:
      return f(int64_t{});
    case DType::u8:
      return f(uint8_t{});
    default:
      return f(float{});
  }
}

}  // namespace vae
