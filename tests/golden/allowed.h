#pragma once
// How far the elements of a file's tensors may be off: by the family's tolerance, by what an update makes of
// the tolerance of its gradient, and, where single precision misses that, by the conditioning of the file's
// numbers.
#include "golden.h"

namespace vae::golden {

/// The allowed error of every element of an expected tensor.
std::vector<double> allowed_errors(const Tensor& expected, const Tolerance& tolerance);

/// The largest absolute value of a tensor; in the tensors of a file whose names start with this.
double largest_value(const Tensor& x);
double largest_value(const File& file, const std::string& prefix);
/// The largest expected gradient: of all elements, or, in files of true sizes, of norms and first elements.
double largest_gradient(const File& file);

/// Half the distance of one from its neighbour.
double unit_roundoff(DType precision);
/// Some roundings of the largest gradient.
double rounding_noise(double largest, DType precision);
/// What they may leave of a gradient that vanishes, as those of biases before a batch norm do. The smaller
/// the variance in the norm, the more.
double vanishing_gradient(double largest, DType precision);

/// The allowed errors of a file, of which a family made an outcome. Both must outlive it.
class AllowedErrors {
 public:
  AllowedErrors(const File& file, const Outcome& outcome) : file_(file), outcome_(outcome) {}

  /// In single precision: how far tensors move, in double, when the file's numbers are rounded and moved by
  /// a part of a last place of single.
  /// Rounding at every operation may move them some times as far.
  void set_conditioning(std::map<std::string, double> moves) { moves_ = std::move(moves); }

  /// Of every element; none where the tensor is not compared.
  std::optional<std::vector<double>> of(const std::string& name) const;

 private:
  const File& file_;
  const Outcome& outcome_;
  std::map<std::string, double> moves_;
};

/// How far each tensor that a family makes of a file moves, in double precision, when the file's numbers are
/// rounded to single and moved by a part of their last place, all one way or all the other: of a kink within
/// rounding, one of the two is behind it. Of moves by some places it is as much as each place makes.
std::map<std::string, double> conditioning(const Family& family, const File& file);

/// While alive, all numbers that become tensors go through single precision and are moved by parts of so many
/// last places of it, which have their sign.
class RoundedNumbers {
 public:
  RoundedNumbers(int places, uint64_t seed);
  ~RoundedNumbers();
  RoundedNumbers(const RoundedNumbers&) = delete;
  RoundedNumbers& operator=(const RoundedNumbers&) = delete;
  static bool alive();
  /// What becomes of element i of a tensor.
  static double moved(double value, size_t i);
};

}  // namespace vae::golden
