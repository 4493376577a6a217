#include <algorithm>
#include <cmath>

#include "m1_m2_run.h"

namespace vae::golden {
namespace {

/// What is compared, each with an f64 and an f32 tolerance. f64 is the rounding of two orders of summation;
/// f32 was measured with a plain single-precision implementation and widened about tenfold.
enum class Kind {
  loss,
  output,
  gradient,
  gradient_floor,
  parameter,
  parameter_cold,
  noise_bias,
  buffer,
  moment,
  test_mode,
  test_mode_cold
};

struct Row {
  Kind kind;
  Tolerance f64, f32;
};

constexpr Row kTable[] = {
    // Sums of terms of one sign: relative to the value.
    {Kind::loss, {.of_value = 1e-10}, {.of_value = 5e-6}},
    // Single elements cancel: relative to the largest of the tensor.
    {Kind::output, {.of_maximum = 1e-10}, {.of_maximum = 5e-6}},
    // As outputs, after two more passes of sums over the batch.
    {Kind::gradient, {.of_maximum = 1e-9}, {.of_maximum = 5e-5}},
    // Gradients that vanish exactly (of biases that feed a batch norm) leave some roundings of the largest
    // one
    // of their sub-net: 8 were measured in f64, 3 in f32.
    {Kind::gradient_floor, {.of_maximum = 1e-13}, {.of_maximum = 2e-6}},
    // Warm moments divide gradients by numbers of their own size.
    {Kind::parameter, {.absolute = 1e-9}, {.absolute = 1e-6, .of_value = 1e-6}},
    // Cold moments turn a gradient into its sign: rounding of small ones is amplified.
    {Kind::parameter_cold, {.absolute = 1e-9}, {.absolute = 1e-5, .of_value = 1e-5}},
    // Biases that feed a batch norm, cold: the sign of rounding noise, limited by Adam's eps.
    {Kind::noise_bias, {.absolute = 1e-8}, {}},
    {Kind::buffer, {.absolute = 1e-9}, {.absolute = 2e-6, .of_value = 2e-6}},
    // Averages of gradients and their squares.
    {Kind::moment, {.absolute = 1e-9}, {.of_maximum = 5e-5}},
    // Test-mode outputs carry the errors of the parameters through the nets, two of them in M1+M2.
    {Kind::test_mode, {.absolute = 1e-9, .of_maximum = 1e-9}, {.of_maximum = 1e-4}},
    // Those biases move by up to Adam's rate, and only a tenth of it reaches the running means.
    {Kind::test_mode_cold, {.absolute = 1e-9, .of_maximum = 1e-9}, {.of_maximum = 2e-3}},
};

Tolerance row(Kind kind, DType precision) {
  for (const Row& row : kTable)
    if (row.kind == kind) return precision == DType::f64 ? row.f64 : row.f32;
  return {};
}

/// The largest expected gradient of the sub-net of a gradient "group/net/...".
double largest_of_net(const File& file, const std::string& name) {
  const std::string net = name.substr(0, name.find('/', name.find('/') + 1) + 1);
  double largest = 0;
  for (auto it = file.content.tensors.lower_bound(net);
       it != file.content.tensors.end() && it->first.starts_with(net); ++it)
    for (const double value : as_doubles(it->second)) largest = std::max(largest, std::abs(value));
  return largest;
}

}  // namespace

std::function<std::optional<Tolerance>(const std::string&)> m1_m2_tolerance(const File& file,
                                                                            const M1M2Case& c,
                                                                            DType precision) {
  const bool cold = !c.adam_warm, f32 = precision == DType::f32;
  return [&file, precision, cold, f32, trajectory = c.steps > 0,
          noise = c.norm_inputs()](const std::string& name) -> std::optional<Tolerance> {
    const size_t slash = name.find('/');
    const std::string group = name.substr(0, slash), rest = name.substr(slash + 1);
    const bool noise_bias = noise.biases.count(rest) > 0, noise_mean = noise.running_means.count(rest) > 0;
    const auto row_of = [&](Kind kind) { return row(kind, precision); };

    if (group.starts_with("grad")) {
      if (noise_bias && f32) return {};
      Tolerance tolerance = row_of(Kind::gradient);
      tolerance.absolute = row_of(Kind::gradient_floor).of_maximum * largest_of_net(file, name);
      return tolerance;
    }
    if (group == "output") {
      if (rest.starts_with("gradnorm_")) return row_of(Kind::gradient);
      const bool loss = rest.starts_with("loss") || rest.ends_with("_mean");
      return row_of(loss ? Kind::loss : Kind::output);
    }
    if (group == "eval" && rest == "pred") return Tolerance{};
    if (group == "eval") return row_of(cold ? Kind::test_mode_cold : Kind::test_mode);
    if (group == "input") return Tolerance{};
    if (f32 && cold && (noise_bias || noise_mean)) return {};
    if (group.starts_with("after_adam_")) return row_of(Kind::moment);
    if (rest.ends_with("/avg_mean") || rest.ends_with("/avg_var")) return row_of(Kind::buffer);
    if (cold && noise_bias) return row_of(Kind::noise_bias);
    return row_of(cold || trajectory ? Kind::parameter_cold : Kind::parameter);
  };
}

}  // namespace vae::golden
