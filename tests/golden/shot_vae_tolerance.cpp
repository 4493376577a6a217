#include "shot_vae_tolerance.h"

#include <cmath>

#include "allowed.h"

namespace vae::golden {
namespace {

/// Single numbers: losses, their parts and what they are weighted with.
bool is_loss_term(const std::string& output) {
  for (const char* start : {"loss", "sched_", "kl_y", "kl_z", "kl_inference", "cls_", "post_z", "eval_kl",
                            "eval_mse", "eval_elbo", "recon_loss", "cont_capacity", "disc_capacity"})
    if (output.starts_with(start)) return true;
  return output == "recon_l" || output == "recon_u";
}

/// The tolerances of the family's specification. f64: two orders of summation, which batch norms of few
/// values amplify. f32: three times what a plain single-precision implementation is off.
class ShotVaeTolerances {
 public:
  ShotVaeTolerances(const File& file, DType precision)
      : file_(file),
        precision_(precision),
        f32_(precision == DType::f32),
        smooth_(file.config.at("algorithm") == "smooth_elbo"),
        rate_(file.config.at("optimizer").at("lr")) {
    const auto param = file.content.tensors.lower_bound("param/");
    const bool true_sizes = param == file.content.tensors.end() || !param->first.starts_with("param/");
    gradient_ = !f32_ ? 1e-6 : smooth_ ? 6e-5 : true_sizes ? 1.2e-2 : 3e-3;
  }

  Tolerance of(const std::string& name) const {
    const size_t slash = name.find('/');
    const std::string group = name.substr(0, slash), rest = name.substr(slash + 1);
    if (group == "input" || rest.ends_with("num_batches_tracked")) return {};
    if (group == "output") return output(rest);
    if (group.starts_with("grad")) return gradient(group, rest);
    return group.starts_with("stepnorm") ? step(rest) : after(rest);
  }

 private:
  Tolerance output(const std::string& name) const {
    if (name.ends_with("top1") || name.ends_with("top5") || name.starts_with("target_label")) return {};
    const bool behind_the_step = name.starts_with("eval_");  // by gradients that are off
    if (!is_loss_term(name)) return {.of_maximum = !f32_ ? 1e-9 : behind_the_step ? 3e-4 : 1e-5};
    const double rounding =
        name.starts_with("post_z") ? distance_rounding(name) : 16 * unit_roundoff(precision_) * terms(name);
    return {.absolute = rounding, .of_value = !f32_ ? 1e-10 : behind_the_step ? 3e-4 : 1e-5};
  }

  /// How large the terms are whose difference a loss is.
  double terms(const std::string& name) const {
    if (smooth_) {
      for (const char* capacity : {"cont_capacity", "disc_capacity"})
        if (name.starts_with(capacity)) {
          const nlohmann::json& c = file_.config.at(capacity);
          return c.at(1).get<double>() * c.at(3).get<double>();
        }
      return 0;
    }
    return name.find("kl_") == std::string::npos ? 0 : std::log(file_.config.at("num_classes").get<double>());
  }

  /// What roundings make of the squared distance of codes, which nearly agree where images are hardly mixed.
  double distance_rounding(const std::string& name) const {
    const std::string set = name.substr(name.size() - 1);
    const double numbers = 2 * file_.config.at("latent_dim_continuous").get<double>(),
                 code = std::max(largest_of("output/target_mean_" + set),
                                 largest_of("output/target_sigma_" + set)),
                 off = 16 * unit_roundoff(precision_) * code;
    return off * (2 * std::sqrt(numbers * largest_of("output/" + name)) + numbers * off);
  }

  Tolerance gradient(const std::string& group, const std::string& parameter) const {
    const double norm = value("gradnorm/" + parameter), largest = largest_gradient(file_),
                 absolute = std::max(norm, largest_of("grad/" + parameter)) < kVanishing
                                ? vanishing_gradient(largest, precision_)
                                : rounding_noise(largest, precision_);
    if (group == "gradproj") return {.absolute = absolute + gradient_ * norm};
    return {.absolute = absolute, .of_maximum = gradient_};
  }

  /// Errors of gradients and roundings of the values.
  Tolerance step(const std::string& parameter) const {
    if (smooth_) return {.of_value = f32_ ? 1e-4 : 1e-6};
    const Tolerance gradient = this->gradient("gradnorm", parameter);
    return {.absolute = rate_ * (gradient.absolute + gradient.of_maximum * value("gradnorm/" + parameter)),
            .of_value = gradient_};
  }

  Tolerance after(const std::string& entry) const {
    Tolerance tolerance{.of_maximum = f32_ ? 1e-5 : 1e-9};  // of running statistics
    if (!smooth_ && file_.content.contains("grad/" + entry)) {
      const Tolerance gradient = this->gradient("grad", entry);
      tolerance.absolute = rate_ * (gradient.absolute + gradient.of_maximum * largest_of("grad/" + entry));
    }
    return tolerance;
  }

  double largest_of(const std::string& name) const {
    const auto found = file_.content.tensors.find(name);
    return found == file_.content.tensors.end() ? 0 : largest_value(found->second);
  }
  double value(const std::string& name) const { return largest_of(name); }

  static constexpr double kVanishing = 1e-8;  // of gradients of a bias before a norm
  const File& file_;
  DType precision_;
  bool f32_, smooth_;
  double rate_, gradient_;
};

}  // namespace

std::optional<Tolerance> shot_vae_tolerance(const File& file, const std::string& name, DType precision) {
  return ShotVaeTolerances(file, precision).of(name);
}

}  // namespace vae::golden
