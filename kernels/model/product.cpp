#include "kernels/model/product.h"

#include <cblas.h>

#include <bit>
#include <cmath>
#include <limits>

namespace vae::model {
namespace {

double element(const void* data, DType type, int64_t i) {
  if (type == DType::bf16) return static_cast<float>(static_cast<const bf16*>(data)[i]);
  return type == DType::f64 ? static_cast<const double*>(data)[i] : static_cast<const float*>(data)[i];
}

/// A matrix as rows of doubles.
std::vector<double> dense(const Matrix& matrix, const void* data, bool tf32) {
  std::vector<double> rows(static_cast<size_t>(matrix.rows * matrix.columns));
  for (int64_t j = 0; j < matrix.columns; ++j)
    for (int64_t i = 0; i < matrix.rows; ++i) {
      const double value = element(data, matrix.type, j * matrix.stride + i);
      rows[static_cast<size_t>(i * matrix.columns + j)] = tf32 ? to_tf32(static_cast<float>(value)) : value;
    }
  return rows;
}

bool apart(const Matrix& matrix) { return matrix.stride >= std::max<int64_t>(1, matrix.rows); }

}  // namespace

float to_tf32(float x) {
  if (!std::isfinite(x)) return x;
  constexpr uint32_t below = (1u << 13) - 1;
  return std::bit_cast<float>((std::bit_cast<uint32_t>(x) + (below + 1) / 2) & ~below);
}

float by_chance(float x, size_t i, uint64_t turn) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  return (i * 0x9E3779B9u + turn) % 2 ? std::nextafter(x, infinity) : std::nextafter(x, -infinity);
}

void multiply_add(int64_t m, int64_t n, int64_t k, RowMajor a, RowMajor b, double* c, int64_t ldc) {
  const auto narrow = [](int64_t v) { return static_cast<int>(v); };
  const auto operation = [](const RowMajor& x) { return x.transposed ? CblasTrans : CblasNoTrans; };
  cblas_dgemm(CblasRowMajor, operation(a), operation(b), narrow(m), narrow(n), narrow(k), 1, a.data,
              narrow(a.ld), b.data, narrow(b.ld), 1, c, narrow(ldc));
}

size_t Matrix::bytes() const {
  if (rows == 0 || columns == 0) return 0;
  return static_cast<size_t>((columns - 1) * stride + rows) * element();
}

bool Product::consistent() const {
  const auto of = [](const Matrix& x, bool transposed, int64_t rows, int64_t columns) {
    return (transposed ? x.columns : x.rows) == rows && (transposed ? x.rows : x.columns) == columns;
  };
  return of(a, transpose_a, m(), k()) && of(b, transpose_b, k(), n()) && of(c, false, m(), n()) && apart(a) &&
         apart(b) && apart(c) && apart(d);
}

std::vector<Use> Product::uses(const void* a_data, const void* b_data, const void* c_data, void* d_data,
                               const void* bias) const {
  const auto use = [](const Matrix& x, const void* data, const char* what, bool written) {
    return Use{{data, x.bytes(), what}, x.element(), written};
  };
  std::vector<Use> all{use(d, d_data, "D", true)};
  if (k() > 0) {
    all.push_back(use(a, a_data, "A", false));
    all.push_back(use(b, b_data, "B", false));
  }
  if (beta != 0 && c_data != d_data) all.push_back(use(c, c_data, "C", false));
  if (bias) all.push_back({{bias, static_cast<size_t>(m()) * d.element(), "the bias"}, d.element(), false});
  return all;
}

void Product::run(const void* a_data, const void* b_data, const void* c_data, void* d_data,
                  const void* bias) const {
  static uint64_t turn = 0;
  ++turn;
  std::vector<double> sum(static_cast<size_t>(m() * n()));
  if (k() > 0) {
    const std::vector<double> left = dense(a, a_data, tf32), right = dense(b, b_data, tf32);
    multiply_add(m(), n(), k(), {left.data(), transpose_a, a.columns}, {right.data(), transpose_b, b.columns},
                 sum.data(), n());
  }
  for (int64_t j = 0; j < n(); ++j)
    for (int64_t i = 0; i < m(); ++i) {
      const auto from = static_cast<size_t>(i * n() + j);
      double value = alpha * sum[from];
      if (beta != 0) value += beta * element(c_data, c.type, j * c.stride + i);
      if (bias) value += element(bias, d.type, i);
      const int64_t to = j * d.stride + i;
      if (d.type == DType::f64)
        static_cast<double*>(d_data)[to] = value;
      else
        static_cast<float*>(d_data)[to] =
            ordered ? static_cast<float>(value) : by_chance(static_cast<float>(value), from, turn);
    }
}

}  // namespace vae::model
