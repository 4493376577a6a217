#pragma once
// Arithmetic of f32 matrix products and convolutions on CUDA devices. Elsewhere it changes nothing.

namespace vae::kernels {

/// IEEE, or TF32 (10 bits of mantissa in the factors, sums in f32), which tensor cores do several times
/// faster.
enum class Precision { fp32, tf32 };

/// The arithmetic of the kernels that this thread calls while the object lives; then that of before. Recorded
/// steps keep what they were recorded with.
class PrecisionScope {
 public:
  explicit PrecisionScope(Precision precision);
  ~PrecisionScope();
  PrecisionScope(const PrecisionScope&) = delete;
  PrecisionScope& operator=(const PrecisionScope&) = delete;

 private:
  Precision outer_;
};

/// That of the innermost scope of this thread; without one fp32.
Precision precision();

}  // namespace vae::kernels
