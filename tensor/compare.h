#pragma once
// Tensors on the host as numbers, and how far apart two are: for checks.
#include <vector>

#include "tensor/tensor.h"

namespace vae {

/// The elements of a tensor of any dtype, on any device.
std::vector<double> to_doubles(const Tensor& x);

/// Largest difference over max(1, largest expected magnitude); infinite for different lengths, NaN or an
/// infinity in one of them alone.
double distance(const std::vector<double>& actual, const std::vector<double>& expected);

/// Whether shapes, dtypes and all bits agree; undefined tensors are alike.
bool same_bits(const Tensor& a, const Tensor& b);

}  // namespace vae
