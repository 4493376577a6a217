#include <algorithm>
#include <cmath>
#include <numeric>

#include "adgm_run.h"
#include "allowed.h"

namespace vae::golden {
namespace {

bool is_loss(const std::string& name) {
  for (const char* loss : {"J", "L", "U", "ce", "loss", "accuracy"})
    if (name == loss || name.ends_with(std::string("/") + loss)) return true;
  return false;
}

bool is_test_mode(const std::string& name) { return name.starts_with("S/") || name.starts_with("E/"); }

/// Biases that feed a batch norm: those of the ladders' linear maps. Their gradients vanish, but for
/// rounding.
bool feeds_a_norm(const std::string& parameter) {
  for (const char* map : {".linear.bias", ".linear1.bias", ".linear2.bias"})
    if (parameter.ends_with(map)) return true;
  return false;
}

/// The allowed errors of one file in one precision.
class Tolerances {
 public:
  Tolerances(const File& file, const Outcome& outcome, const AdgmCase& c, DType precision)
      : file_(file),
        c_(c),
        precision_(precision),
        f32_(precision == DType::f32),
        largest_(largest_gradient(file)) {
    const adgm::Config& m = c.model;
    latent_ = m.kind == adgm::Kind::gumbel ? m.draws : std::accumulate(m.z.begin(), m.z.end(), m.a);
    for (const auto& [name, value] : outcome.values) {
      if (!name.starts_with("grad/")) continue;
      sizes_[name.substr(name.find('/') + 1)] = value.numel();
      if (c.steps > 1) largest_ = std::max(largest_, largest_value(value));  // the file has none
    }
    saturation_ =
        std::min(1.0, 4 * m.eps * unit_roundoff(precision) / std::pow(nearest_to_certain() + m.eps, 2));
  }

  std::optional<Tolerance> of(const std::string& name) const {
    const size_t slash = name.find('/');
    const std::string group = name.substr(0, slash), rest = name.substr(slash + 1);
    if (group == "input" || rest.ends_with("num_batches_tracked")) return Tolerance{};
    // The stacked model's classifier takes the mean of the features; their sample belongs to noise that no
    // file holds.
    if (rest.ends_with("/cls_feat")) return {};
    if (group.starts_with("grad")) return gradient(group, rest);
    if (group.starts_with("after")) return after(rest);
    return output(rest);
  }

  /// The update that made a tensor, where there was one and the file holds its gradient.
  std::vector<Update> updates(const std::string& name) const {
    const size_t slash = name.find('/');
    const std::string parameter = name.substr(slash + 1);
    for (const auto& [after, grad] : {std::pair{"after/", "grad/"}, {"afterhead/", "gradhead/"}}) {
      if (name.substr(0, slash + 1) != after || !file_.content.contains(grad + parameter)) continue;
      Update update{.gradient = grad + parameter, .rate = c_.learning_rate, .eps = c_.optimizer_eps};
      if (const auto before = file_.content.tensors.find("param/" + parameter);
          c_.weight_decay > 0 && before != file_.content.tensors.end())
        for (const double value : to_doubles(before->second)) update.decay.push_back(c_.weight_decay * value);
      return {update};
    }
    return {};
  }

 private:
  /// How near the probabilities of pixels come to 0 or 1. Derivatives of log(1 - r + eps) lose digits there.
  double nearest_to_certain() const {
    double nearest = 1;
    for (const auto& [name, value] : file_.content.tensors)
      if (name.starts_with("output/") && name.ends_with("x_mu") &&
          !is_test_mode(name.substr(name.find('/') + 1)))
        for (const double r : to_doubles(value)) nearest = std::min({nearest, r, 1 - r});
    return nearest;
  }

  Tolerance gradient(const std::string& group, const std::string& parameter) const {
    const auto found = sizes_.find(parameter);
    const double root = std::sqrt(static_cast<double>(found == sizes_.end() ? 1 : found->second));
    if (feeds_a_norm(parameter)) {
      const bool all = group == "gradsum" || group == "gradnorm";
      return {.absolute = vanishing_gradient(largest_, precision_) * (all ? root : 1)};
    }
    // Of files of true sizes the largest gradient is a norm, as much as some tens of the largest element.
    const double noise =
        group == "grad" ? rounding_noise(largest_, precision_) : unit_roundoff(precision_) * largest_;
    if (group == "gradsum")  // terms of both signs: relative to their norm; their errors may have one sign
      return {.absolute = 8 * noise + (f32_ ? 1e-4 + 1e-5 * root : 1e-9) *
                                          to_doubles(file_.content.at("gradnorm/" + parameter)).front()};
    return {.absolute = noise, .of_maximum = (f32_ ? 1e-4 : 1e-9) + saturation_};
  }

  /// Beside what the errors of gradients make of a step: roundings of the values and of the rate. Files of
  /// several steps hold no gradients, and rates then follow from ratios of them.
  Tolerance after(const std::string& entry) const {
    const double moved = c_.learning_rate * static_cast<double>(c_.steps);
    if (!f32_) return {.absolute = 3e-6 * moved, .of_value = 1e-9};
    if (entry.ends_with("running_var")) return {.absolute = 2e-6, .of_maximum = 1e-5};
    if (entry.ends_with("running_mean"))  // follows the biases before it, which rounding moves
      return {.absolute = 2e-6 + c_.learning_rate * static_cast<double>(c_.steps - 1), .of_maximum = 1e-5};
    return {.absolute = (c_.steps > 1 ? 3e-3 : 1e-4) * moved, .of_value = 5e-7};
  }

  Tolerance output(const std::string& name) const {
    if (!f32_) {
      if (is_loss(name)) return {.absolute = 1e-14, .of_value = 1e-9};
      // Test mode answers the moves of biases before a batch norm, some times over.
      const double noise = rounding_noise(largest_, precision_),
                   moved = c_.learning_rate * noise / (noise + c_.optimizer_eps);
      return {.absolute = 1e-12 + (is_test_mode(name) ? 4 * moved : 0), .of_maximum = 1e-9};
    }
    if (is_loss(name)) return {.absolute = 1e-6, .of_value = 2e-6};  // logarithms round at one
    // Differences of log densities, each of some nats per latent variable.
    if (name.find("/kl_") != std::string::npos || name.starts_with("kl_"))
      return {.absolute = 5e-7 * static_cast<double>(latent_), .of_maximum = 1e-5};
    return {.absolute = 1e-6, .of_maximum = 1e-5};
  }

  const File& file_;
  const AdgmCase c_;
  DType precision_;
  bool f32_;
  double largest_, saturation_ = 0;
  int64_t latent_ = 0;
  std::map<std::string, int64_t> sizes_;  // of gradients of which a file may hold the first elements only
};

}  // namespace

void set_adgm_tolerances(Outcome& outcome, const File& file, const AdgmCase& c, DType precision) {
  const auto tolerances = std::make_shared<const Tolerances>(file, outcome, c, precision);
  outcome.tolerance = [tolerances](const std::string& name) { return tolerances->of(name); };
  outcome.updates = [tolerances](const std::string& name) { return tolerances->updates(name); };
}

}  // namespace vae::golden
