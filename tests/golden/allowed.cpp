#include "allowed.h"

#include <algorithm>
#include <cmath>

#include "hash_unit.h"

namespace vae::golden {
namespace {

/// Errors of single precision in units of what rounding the numbers makes: 4 or 5 in the median, some tens
/// where sums are long.
constexpr double kRoundings = 64;
/// Moves as large as errors are inside a net reach kinks that a rounding does not.
constexpr int kPlacesOfErrors = 64;
constexpr uint64_t kTries = 3;

double largest_difference(const Tensor& a, const Tensor& b) {
  const std::vector<double> x = to_doubles(a), y = to_doubles(b);
  double largest = 0;
  for (size_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::abs(x[i] - y[i]));
  return largest;
}

/// How far the step of a gradient is off at most, where the gradient is by `error`: at the ends, as steps
/// grow with gradients.
double step_error(const Update& update, double gradient, double error) {
  const auto step = [&](double g) { return update.rate * g / (std::abs(g) + update.eps); };
  const double here = step(gradient);
  return std::max(step(gradient + error) - here, here - step(gradient - error));
}

int places_moved = 0;
uint64_t seed_of_moves = 0;

}  // namespace

RoundedNumbers::RoundedNumbers(int places, uint64_t seed) { places_moved = places, seed_of_moves = seed; }
RoundedNumbers::~RoundedNumbers() { places_moved = 0; }
bool RoundedNumbers::alive() { return places_moved != 0; }

double RoundedNumbers::moved(double value, size_t i) {
  return double{static_cast<float>(value)} * (1 + places_moved * 0x1p-24 * hash_unit(seed_of_moves, 0, i));
}

std::map<std::string, double> conditioning(const Family& family, const File& file) {
  const std::map<std::string, Tensor> exact = family.run(file, DType::f64).values;
  std::map<std::string, double> moves;
  const auto move = [&](int places, uint64_t seed) {
    for (const int way : {places, -places}) {
      const RoundedNumbers scope(way, seed);
      for (const auto& [name, moved] : family.run(file, DType::f64).values)
        moves[name] = std::max(moves[name], largest_difference(moved, exact.at(name)) / places);
    }
  };
  move(1, 1);
  for (uint64_t seed = 1; seed <= kTries; ++seed) move(kPlacesOfErrors, seed);
  return moves;
}

std::vector<double> allowed_errors(const Tensor& expected, const Tolerance& tolerance) {
  std::vector<double> allowed = to_doubles(expected);
  const double maximum = largest_value(expected);
  for (double& value : allowed)
    value = tolerance.absolute + tolerance.of_value * std::abs(value) + tolerance.of_maximum * maximum;
  return allowed;
}

double largest_value(const Tensor& x) {
  double largest = 0;
  for (const double value : to_doubles(x)) largest = std::max(largest, std::abs(value));
  return largest;
}

double largest_value(const File& file, const std::string& prefix) {
  double largest = 0;
  for (auto it = file.content.tensors.lower_bound(prefix);
       it != file.content.tensors.end() && it->first.starts_with(prefix); ++it)
    largest = std::max(largest, largest_value(it->second));
  return largest;
}

double largest_gradient(const File& file) {
  return std::max(
      {largest_value(file, "grad/"), largest_value(file, "gradhead/"), largest_value(file, "gradnorm/")});
}

double unit_roundoff(DType precision) {
  if (precision == DType::bf16) return 0x1p-8;
  return precision == DType::f32 ? 0x1p-24 : 0x1p-53;
}

double rounding_noise(double largest, DType precision) { return 64 * unit_roundoff(precision) * largest; }

double vanishing_gradient(double largest, DType precision) {
  // 3 to 8 in most files, 170 were measured behind the norm of two rows.
  return 1024 * unit_roundoff(precision) * largest;
}

std::optional<std::vector<double>> AllowedErrors::of(const std::string& name) const {
  const auto tolerance = outcome_.tolerance(name);
  if (!tolerance) return {};
  const Tensor& expected = file_.content.at(name);
  std::vector<double> allowed = allowed_errors(expected, *tolerance);
  const std::vector<Update> updates = outcome_.updates ? outcome_.updates(name) : std::vector<Update>{};
  for (const Update& update : updates) {
    const std::vector<double> gradient = to_doubles(file_.content.at(update.gradient)),
                              errors = of(update.gradient).value();
    for (size_t i = 0; i < std::min(allowed.size(), gradient.size()); ++i) {
      const double decay = i < update.decay.size() ? update.decay[i] : 0;
      allowed[i] += step_error(update, update.scale * gradient[i] + decay, update.scale * errors[i]);
    }
  }
  // Steps are signs, which jump: their errors follow from the gradient's alone.
  if (const auto move = moves_.find(name); updates.empty() && move != moves_.end())
    for (double& value : allowed) value += kRoundings * move->second;
  return allowed;
}

}  // namespace vae::golden
