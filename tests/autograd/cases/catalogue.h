#pragma once
// The sample cases of every differentiable function, a file for each room of autograd/. They drive the tests
// of gradients, parity between backends, determinism and extreme values.
#include "autograd/case.h"
#include "autograd/ops.h"

namespace vae::autograd {

/// All cases: the elementwise functions as kernels/elementwise/list.h lists them, then the others.
std::vector<Case> catalogue();

namespace detail {

using Inputs = std::vector<Var>;

/// These numbers as i64 on the device of x. Copied there once, since a recorded step cannot copy.
Tensor integers(const std::vector<int64_t>& values, const Var& x);
/// Labels 0..classes-1 in a fixed irregular order, on the device of x.
Tensor labels_of(int64_t rows, int64_t classes, const Var& x);

void add_elementwise_cases(std::vector<Case>& cases);
void add_linear_cases(std::vector<Case>& cases);
void add_rows_cases(std::vector<Case>& cases);
void add_reduce_cases(std::vector<Case>& cases);
void add_loss_cases(std::vector<Case>& cases);
void add_image_cases(std::vector<Case>& cases);

}  // namespace detail
}  // namespace vae::autograd
