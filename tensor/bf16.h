#pragma once
// bfloat16, the upper half of an f32: what the factors of products may be stored in (kernels/precision.h).
#include <cstdint>

#include "tensor/host_device.h"

namespace vae {

/// The sign and exponent of f32 and 8 bits of precision. It is stored and converted, there is no arithmetic.
struct bf16 {
  uint16_t bits;

  bf16() = default;
  /// The nearest to x, of two the even one; too large ones become infinite, NaN stays NaN.
  VAE_HD explicit bf16(float x) {
    const auto word = __builtin_bit_cast(uint32_t, x);
    const bool nan = (word & 0x7FFFFFFFu) > 0x7F800000u;
    const uint32_t rounded = nan ? word | 0x400000u : word + 0x7FFFu + (word >> 16 & 1u);
    bits = static_cast<uint16_t>(rounded >> 16);
  }
  VAE_HD explicit operator float() const { return __builtin_bit_cast(float, uint32_t{bits} << 16); }
};

}  // namespace vae
