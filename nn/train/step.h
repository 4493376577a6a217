#pragma once
// Step: one iteration as a loss sees it. What changes from step to step is a function of the run's seed, of
// names and of the number of the iteration, all on the device: the items of the batch, noise, numbers that
// ramp. So a step can be recorded and replayed, a resumed run repeats it, and a loaded model is inspected
// with exactly the numbers that it was trained with.
#include <functional>
#include <map>
#include <string>

#include "autograd/collective.h"
#include "kernels/kernels.h"

namespace vae::train {

using autograd::Var;
class Meter;

/// The rows that this process holds of a batch of `total` rows: `rows` of them, from row `first` on. A number
/// alone: all of them.
struct Share {
  int64_t rows = 0, total = 0, first = 0;
  Share() = default;
  Share(int64_t all) : rows(all), total(all) {}
  Share(int64_t own, int64_t of, int64_t from) : rows(own), total(of), first(from) {}
  /// What part of the batch it is.
  double weight() const { return static_cast<double>(rows) / static_cast<double>(total); }
  /// The places of the rows, as random numbers count them.
  kernels::Rows places() const { return rows == total ? kernels::Rows{} : kernels::Rows{rows, total, first}; }
};

/// Rows of noise: `blocks` blocks (samples, classes), each with the rows of the batch.
struct Rows {
  Share batch;
  int64_t blocks = 1;
  Rows(Share of, int64_t times = 1) : batch(of), blocks(times) {}
  Rows(int64_t all) : batch(all) {}
  int64_t count() const { return blocks * batch.rows; }
  int64_t total() const { return blocks * batch.total; }
};

enum class Draw { normal, uniform };

/// Values of a step by name, for tests and inspections.
using Notes = std::map<std::string, Var>;

class Step {
 public:
  /// Iteration `iteration` (an i64 scalar on the device of the run). Noise is drawn in `dtype`.
  Step(uint64_t seed, Tensor iteration, DType dtype = DType::f32)
      : seed_(seed), iteration_(iteration), draw_(std::move(iteration)), dtype_(dtype) {}

  /// The same step with the names of noise and notes under "scope/".
  Step in(const std::string& scope) const;
  /// The same step without a scope.
  Step root() const;
  /// The same step as of another iteration, an i64 scalar on the device.
  Step at(const Tensor& iteration) const;
  /// The same step with noise of another number than that of the iteration: a batch of an evaluation.
  Step numbered(int64_t draw) const;
  Step with_notes(Notes& notes) const;
  Step with_meter(Meter& meter) const;
  /// Noise by its full name from elsewhere.
  using Noise = std::function<Tensor(const std::string& name, Shape shape, Draw draw)>;
  Step with_noise(Noise noise) const;

  /// The share of this rank in a batch: as many rows as the other ranks have, or one more or less.
  Share share(int64_t batch) const;
  /// The items of a batch out of an i64 pool, this process's share of them: batch number `iteration` in an
  /// order that has the stream's name.
  Tensor items(const std::string& stream, const Tensor& pool, Share batch, kernels::Order order = {}) const;
  /// Noise [rows.count(), columns] of the stream "noise/NAME", numbered by the rows of the whole batch.
  Var normal(const std::string& name, const Rows& rows, int64_t columns) const;
  Var uniform(const std::string& name, const Rows& rows, int64_t columns) const;
  /// The same in any shape whose leading extent is that of the whole batch.
  Var normal(const std::string& name, const Shape& shape) const;
  Var uniform(const std::string& name, const Shape& shape) const;
  /// A scheduled number in this iteration, and a note of it; and several at once.
  Var number(const std::string& name, const kernels::Schedule& schedule) const;
  std::vector<Var> numbers(const std::vector<std::pair<std::string, kernels::Schedule>>& schedules) const;
  /// (iteration + 1) / iterations, at most 1: the weight of a divergence that warms up; noted as "ramp".
  Var ramp(int64_t iterations) const { return number("ramp", kernels::Schedule::rise(1, iterations)); }
  /// Sum of values of rows over the whole batch; that times a scale; and their mean, times a weight. Of a
  /// rank's rows this is its part of the number, as losses and metrics are: those of the ranks add up.
  Var sum(const Var& per_row) const { return scaled_sum(per_row, 1); }
  Var scaled_sum(const Var& per_row, double scale) const;
  Var mean(const Var& per_row, const Rows& rows, double weight = 1) const;
  /// What the parts of the ranks add up to, for functions of a sum that are no sums themselves.
  Var total(const Var& part) const { return autograd::all_sum(part); }
  /// The rows of the whole batch out of those of the ranks, without gradient.
  Tensor gathered(const Tensor& own, const Share& batch) const;
  /// This rank's part of a number that all ranks have.
  Var part(const Var& total) const;

  /// Shows a value where somebody looks.
  void note(const std::string& name, const Var& value) const;
  /// Adds a number to the meter, where there is one, and notes it.
  void metric(const std::string& name, const Var& number) const;

  RandomKey key(const std::string& stream) const { return RandomKey::named(seed_, stream); }
  /// The number of the draws of noise.
  const Tensor& draw() const { return draw_; }
  const Tensor& iteration() const { return iteration_; }
  uint64_t seed() const { return seed_; }
  DType dtype() const { return dtype_; }
  Device device() const { return iteration_.device(); }

 private:
  Var noise(const std::string& name, const Rows& rows, int64_t columns, Draw draw) const;
  Var noise(const std::string& name, const Shape& shape, Draw draw) const;
  uint64_t seed_;
  Tensor iteration_, draw_;
  DType dtype_;
  std::string scope_{};
  Noise noise_{};
  Notes* notes_ = nullptr;
  Meter* meter_ = nullptr;
};

}  // namespace vae::train
