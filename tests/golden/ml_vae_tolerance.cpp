#include <algorithm>
#include <cmath>

#include "allowed.h"
#include "ml_vae_run.h"

namespace vae::golden {
namespace {

/// The tolerances of the family's specification. f64: two orders of summation. f32: ten times what a plain
/// single-precision implementation is off.
struct MlVaeRow {
  double f64, f32;
};
MlVaeRow row_of(MlVaeCase kind) {
  switch (kind) {
    case MlVaeCase::training:
    case MlVaeCase::evidence:
      return {1e-11, 1e-5};
    case MlVaeCase::author:
      return {1e-10, 2e-5};
    case MlVaeCase::trajectory:
      return {1e-10, 1e-5};
    case MlVaeCase::classifier:
      return {1e-10, 1e-4};
    case MlVaeCase::swap:
      return {1e-6, 5e-5};  // the grids are stored in f32
  }
  fail(ErrorKind::internal, "no such case");
}

/// The gradients of the two biases before a batch norm vanish, but for rounding.
bool is_bias_before_norm(const std::string& name) {
  return name.ends_with("fc_model.fc_1.bias") || name.ends_with("fc_model.fc_2.bias");
}

class MlVaeTolerances {
 public:
  MlVaeTolerances(const File& file, DType precision)
      : file_(file),
        precision_(precision),
        f32_(precision == DType::f32),
        rate_(file.config.value("lr", 0.0)),
        eps_(file.config.value("adam_eps", 0.0)),
        steps_(file.config.value("steps", 1.0)),
        largest_(largest_gradient(file)) {
    const MlVaeRow row = row_of(ml_vae_case(file));
    relative_ = f32_ ? row.f32 : row.f64;
    // Terms 1 + l - m^2 - e^l round at one; so many are summed, and divided by all pixels.
    const auto number = [&](const char* key) { return file.config.value(key, 0.0); };
    const double codes = std::max(number("style_dim"), number("class_dim")),
                 pixels = number("num_channels") * number("image_size") * number("image_size");
    if (pixels > 0)
      divergence_ = 8 * unit_roundoff(precision) * number("kl_divergence_coef") *
                    std::sqrt(codes / number("batch_size")) / pixels;
  }

  Tolerance of(const std::string& name) const {
    if (name.starts_with("input/images")) return {.absolute = 1e-7};  // stored from f32
    if (name.starts_with("input/") || name.ends_with("num_batches_tracked")) return {};
    if (name.starts_with("after") && name.find("running_") == std::string::npos)
      // A hundredth of the rate in every step; norms gather many elements.
      return f32_ ? Tolerance{.absolute = rate_ * 1e-2 * steps_, .of_value = 1e-5}
                  : Tolerance{.absolute = relative_};
    if (is_bias_before_norm(name)) return {.absolute = vanishing_gradient(largest_, precision_)};
    if (name == "output/loss_trajectory" && f32_) return {.absolute = divergence_, .of_value = 1e-3};
    if (name.ends_with("_kl")) return {.absolute = divergence_, .of_maximum = relative_};
    const double noise = rounding_noise(largest_, precision_);
    if (name == "output/logits_eval_after" && !f32_)  // answers the moves of those biases
      return {.absolute = 4 * rate_ * noise / (noise + eps_), .of_maximum = relative_};
    return {.of_maximum = relative_};
  }

  std::vector<Update> updates(const std::string& name) const {
    for (const std::string ending : {"/", "head/"}) {
      const std::string after = "after" + ending,
                        gradient = "grad" + ending + name.substr(name.find('/') + 1);
      if (name.starts_with(after) && file_.content.contains(gradient))
        return {
            {.gradient = gradient, .rate = rate_ * steps_, .eps = eps_}};  // of several steps it is the first
    }
    return {};
  }

 private:
  const File& file_;
  DType precision_;
  bool f32_;
  double rate_, eps_, steps_, largest_, relative_ = 0, divergence_ = 0;
};

}  // namespace

void set_ml_vae_tolerances(Outcome& outcome, const File& file, DType precision) {
  const auto tolerances = std::make_shared<const MlVaeTolerances>(file, precision);
  outcome.tolerance = [tolerances](const std::string& name) { return tolerances->of(name); };
  outcome.updates = [tolerances](const std::string& name) { return tolerances->updates(name); };
}

}  // namespace vae::golden
