#include "kernels/gemm.h"

#include "kernels/kernels.h"

namespace vae::kernels {

bool is_product(In a, In b, In c) {
  if (!is_floating(c.dtype()) || a.dtype() != b.dtype()) return false;
  return a.dtype() == c.dtype() || (a.dtype() == DType::bf16 && c.dtype() == DType::f32);
}

GemmSizes gemm_sizes(In a, Transpose ta, In b, Transpose tb, Out c) {
  VAE_CHECK(is_product(a, b, c), "gemm: {} times {} into {}", a.str(), b.str(), c.str());
  const auto rows = [](In x) { return rows_of(x.shape()); };
  const int64_t a_columns = columns_of(a.shape()), b_columns = columns_of(b.shape()),
                n = columns_of(c.shape());
  const int64_t m = ta == Transpose::no ? rows(a) : a_columns;
  const int64_t k = ta == Transpose::no ? a_columns : rows(a);
  const int64_t k_of_b = tb == Transpose::no ? rows(b) : b_columns,
                n_of_b = tb == Transpose::no ? b_columns : rows(b);
  VAE_CHECK(c.numel() == 0 || (k == k_of_b && n == n_of_b && m == rows(c)), "gemm: {}{} times {}{} into {}",
            a.str(), ta == Transpose::yes ? " transposed" : "", b.str(),
            tb == Transpose::yes ? " transposed" : "", c.str());
  return {m, n, k, a_columns, b_columns, n};
}

GemmSizes linear_sizes(In x, In w, In bias, Out y) {
  if (bias.defined()) broadcast("linear_fwd", bias, y.shape(), y.dtype());
  return gemm_sizes(x, Transpose::no, w, Transpose::yes, y);
}

bool takes_bias(const GemmSizes& s, In bias, Out y) {
  return bias.defined() && (bias.numel() == s.n || bias.numel() == y.numel()) &&
         columns_of(bias.shape()) == s.n && y.dtype() == DType::f32 && y.numel() > 0 && s.k > 0;
}

void product_on_bias(In x, In w, In bias, Out y) {
  if (bias.defined()) map_fwd(Map::affine, {1, 0}, {&bias, 1}, y);
  gemm(x, Transpose::no, w, Transpose::yes, y, 1, bias.defined() ? 1 : 0);
}

}  // namespace vae::kernels
