#pragma once
// Products of matrices in memory as cuBLAS and cuBLASLt describe them, summed in f64.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/model/library.h"
#include "tensor/dtype.h"

namespace vae::model {

/// x with 10 bits of mantissa, to nearest: what tensor cores make of f32 factors.
float to_tf32(float x);
/// The f32 above or below, one of the two chosen by (i, turn): what the last bit of a sum is worth whose
/// order is left to chance.
float by_chance(float x, size_t i, uint64_t turn);

/// c += op(a) op(b), row-major, c [m, n]; ld are lengths of rows.
struct RowMajor {
  const double* data;
  bool transposed;
  int64_t ld;
};
void multiply_add(int64_t m, int64_t n, int64_t k, RowMajor a, RowMajor b, double* c, int64_t ldc);

/// A column-major matrix of f32, f64 or bf16: `stride` elements from one column to the next.
struct Matrix {
  DType type = DType::f32;
  int64_t rows = 0, columns = 0, stride = 0;

  size_t element() const { return size_of(type); }
  /// From the first element to the last.
  size_t bytes() const;
};

/// d = alpha op(a) op(b) + beta c + bias, the bias a vector along the rows of d, or null. c is not read where
/// beta is 0.
struct Product {
  Matrix a, b, c, d;
  bool transpose_a = false, transpose_b = false;
  double alpha = 1, beta = 0;
  bool tf32 = false;
  bool ordered = true;  ///< false: the last bits of the result differ from run to run

  int64_t m() const { return d.rows; }
  int64_t n() const { return d.columns; }
  int64_t k() const { return transpose_a ? a.rows : a.columns; }
  /// Whether the shapes fit together and columns do not overlap.
  bool consistent() const;
  /// The memory that it reads and writes.
  std::vector<Use> uses(const void* a, const void* b, const void* c, void* d, const void* bias) const;
  void run(const void* a, const void* b, const void* c, void* d, const void* bias) const;
};

}  // namespace vae::model
