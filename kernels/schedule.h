#pragma once
// Schedules: a number as a pure function of the iteration, on the host or on the device. What changes from
// step to step by a rule needs no state, and a recorded step computes it anew.
#include <cmath>
#include <string_view>
#include <vector>

#include "kernels/kernel.h"
#include "tensor/host_device.h"

namespace vae::kernels {

/// How a learning rate falls: not at all, linearly, or along half a cosine (Loshchilov and Hutter,
/// arXiv:1608.03983).
enum class Decay : int { constant, linear, cosine };

/// "constant", "linear" or "cosine"; throws Error(usage) for anything else.
Decay parse_decay(std::string_view name);

/// A number as a pure function of the iteration 0, 1, ...; by default the constant 1.
class Schedule {
 public:
  constexpr Schedule() = default;
  static constexpr Schedule constant(double value) { return {Form::constant, value}; }
  /// call / n, at most `top`, in call number first + per_iteration * iteration: the warm-up of a weight. n =
  /// 0: `top` at once.
  static constexpr Schedule rise(double top, int64_t n, int64_t per_iteration = 1, int64_t first = 1) {
    return n > 0 ? Schedule{Form::rise, top, 1, 0, n, first, per_iteration} : constant(top);
  }
  /// from + (to - from) call / n, at most `most`, in call 1, 2, ...: a target that is raised. n = 0: `most`.
  static constexpr Schedule raised(double from, double to, int64_t n, double most) {
    return n > 0 ? Schedule{Form::rise, most, to - from, from, n, 1, 1} : constant(most);
  }
  /// `start`, multiplied by `factor` after every `every` iterations, but not below `floor`. every = 0:
  /// `start`.
  static constexpr Schedule steps(double start, double factor, int64_t every, double floor = 0) {
    return every > 0 ? Schedule{Form::steps, start, factor, floor, every} : constant(start);
  }
  /// Rises linearly to `base` over `warmup` iterations, then stays, or falls to zero at iteration `total`.
  static constexpr Schedule decay(double base, Decay decay, int64_t total, int64_t warmup) {
    if (decay == Decay::constant && warmup <= 0) return constant(base);
    constexpr Form forms[] = {Form::warmup, Form::linear, Form::cosine};
    return {forms[static_cast<int>(decay)], base, 1, 0, total, warmup};
  }

  /// top exp(-5 (1 - min(1, e / epochs))^2) in epoch e = iteration / every (Laine and Aila,
  /// arXiv:1610.02242); epochs = 0: `top`.
  static constexpr Schedule ramp(double top, int64_t epochs, int64_t every) {
    return epochs > 0 && every > 0 ? Schedule{Form::ramp, top, 1, 0, epochs, 0, every} : constant(top);
  }
  /// One value after the other, each from its first iteration on, the first from 0. At most kPieces;
  /// iterations do not fall. Throws Error(usage) otherwise.
  struct Piece {
    int64_t from;
    double value;
  };
  static constexpr size_t kPieces = 8;
  static Schedule pieces(const std::vector<Piece>& pieces);

  VAE_HD double at(int64_t iteration) const {
    if (form_ == Form::constant) return value_;
    if (form_ == Form::ramp) return ramped(iteration);
    if (form_ == Form::pieces) return piece(iteration);
    if (form_ == Form::rise) return risen(iteration);
    if (form_ == Form::steps) return stepped(iteration);
    return value_ * decayed(iteration);
  }
  constexpr bool is_constant() const { return form_ == Form::constant; }
  constexpr bool is_one() const { return is_constant() && value_ == 1; }

 private:
  enum class Form : int { constant, rise, steps, warmup, linear, cosine, ramp, pieces };
  constexpr Schedule(Form form, double value, double factor = 1, double floor = 0, int64_t length = 0,
                     int64_t first = 0, int64_t per_iteration = 1)
      : form_(form),
        value_(value),
        factor_(factor),
        floor_(floor),
        length_(length),
        first_(first),
        per_iteration_(per_iteration) {}

  VAE_HD double risen(int64_t iteration) const {
    const double calls = static_cast<double>(first_ + per_iteration_ * iteration);
    const double risen = floor_ + factor_ * (calls / static_cast<double>(length_));
    return risen < value_ ? risen : value_;
  }
  VAE_HD double stepped(int64_t iteration) const {
    const double least = floor_ < value_ ? floor_ : value_;
    const double value = value_ * pow(factor_, static_cast<double>(iteration / length_));
    return least < value ? value : least;
  }
  VAE_HD double decayed(int64_t iteration) const {
    if (iteration < first_) return static_cast<double>(iteration + 1) / static_cast<double>(first_);
    if (form_ == Form::warmup) return 1;
    const int64_t falling = length_ > first_ ? length_ - first_ : 1, fallen = iteration - first_;
    const double progress = fallen < falling ? static_cast<double>(fallen) / static_cast<double>(falling) : 1;
    return form_ == Form::linear ? 1 - progress : 0.5 * (1 + cos(3.14159265358979323846 * progress));
  }

  VAE_HD double ramped(int64_t iteration) const {
    const double progress = static_cast<double>(iteration / per_iteration_) / static_cast<double>(length_);
    const double missing = progress < 1 ? 1 - progress : 0;
    return value_ * exp(-5 * missing * missing);
  }
  VAE_HD double piece(int64_t iteration) const {
    double value = pieces_[0].value;
    for (int64_t i = 1; i < length_ && pieces_[i].from <= iteration; ++i) value = pieces_[i].value;
    return value;
  }

  Form form_ = Form::constant;
  double value_ = 1;               // constant, top, start, base
  double factor_ = 1, floor_ = 0;  // of steps; the span and the start of a rise
  int64_t length_ = 0;             // calls of a rise, iterations of a step or of the run, epochs, pieces
  int64_t first_ = 0;              // number of the first call of a rise, iterations of warm-up
  int64_t per_iteration_ = 1;      // calls of a rise; of a ramp, iterations of an epoch
  Piece pieces_[kPieces] = {};
};

/// An i64 scalar, and a floating number for each schedule.
void check_scheduled(In iteration, Out y, std::span<const Schedule> schedules);

}  // namespace vae::kernels
