#pragma once
// Bounds summed over classes, of which only the rows that count are computed. A row stands for an image under
// a class and weighs q(y|x) in the sum; soon after the start of a training most weights are negligible.
#include <optional>

#include "autograd/tape.h"

namespace vae::nn {

using autograd::Var;

/// A weight that f32 does not see: the terms of such a sum differ by some hundred nats, so a row of this
/// weight moves it by some 1e-6, less than the rounding of 100.
inline constexpr double kNegligibleWeight = 1e-8;

/// Some of the rows k * images + b of `classes` blocks of images, in order.
struct ClassRows {
  int64_t classes = 0, images = 0;
  Tensor rows, classes_of, images_of;  ///< i64 [size()]: the row, its k and its b

  int64_t size() const { return rows.numel(); }
  /// The rows in `samples` copies of all the blocks, i64 [samples * size()]; of the images in as many copies
  /// of them.
  Tensor rows_of(int64_t samples) const;
  Tensor images_of_samples(int64_t samples) const;
  /// One number for each of these rows, x [size()], among zeros for the others: [classes * images].
  Var among_zeros(const Var& x) const;
};

/// The rows whose weight, out of q [images, classes], is at least `threshold`, or no number. None where all
/// rows are to be computed: without a threshold, where few would be left out, and where the work of a step
/// is, or may be, recorded, since its shapes must not change: on devices other than the CPU.
std::optional<ClassRows> rows_that_count(const Tensor& q, double threshold);

/// What rows_that_count() has made of the rows of bounds over classes on this thread.
struct CountedRows {
  int64_t computed = 0, all = 0;
  double share() const { return all ? static_cast<double>(computed) / static_cast<double>(all) : 1; }
};
/// Since this was asked last.
CountedRows take_counted_rows();

}  // namespace vae::nn
