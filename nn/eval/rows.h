#pragma once
// Rows of features in double precision, a block at a time.
#include "tensor/tensor.h"

namespace vae::eval {

inline constexpr int64_t kRows = 1024;  // of a block

/// Features are f32 or f64 [n, d] on the host; throws Error(data) where one is not finite.
void check_features(const Tensor& features);

/// Rows [begin, end) of checked features as f64 on the host.
Tensor rows_f64(const Tensor& features, int64_t begin, int64_t end);
/// The rows that are named.
Tensor rows_f64(const Tensor& features, std::span<const int64_t> items);

}  // namespace vae::eval
