#pragma once
// Arithmetic of the products in f32: matrix products and convolutions. All else is IEEE f32.

namespace vae::kernels {

/// IEEE; TF32 (10 bits of mantissa in the factors, sums in f32), which tensor cores of CUDA devices do
/// several times faster, and which is IEEE elsewhere; bf16 (7 bits of mantissa in the factors, sums in f32)
/// on every device. The differentiable functions round factors to bf16 (autograd/factor.h): a kernel takes
/// the factors it is given.
enum class Precision { fp32, tf32, bf16 };

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

/// Whether this processor has instructions for products of bf16 (AVX512-BF16, AMX) and oneDNN may use them.
/// Without them factors of bf16 are widened, exactly, and multiplied in f32, which takes longer than fp32.
bool processor_has_bf16();

}  // namespace vae::kernels
