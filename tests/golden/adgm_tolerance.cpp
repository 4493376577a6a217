#include <algorithm>
#include <cmath>

#include "adgm_run.h"

namespace vae::golden {
namespace {

/// The largest expected gradient of a file.
double largest_gradient(const File& file) {
  double largest = 0;
  for (const auto& [name, value] : file.content.tensors)
    if (name.starts_with("grad/"))
      for (const double g : as_doubles(value)) largest = std::max(largest, std::abs(g));
  return largest;
}

bool is_loss(const std::string& name) {
  for (const char* loss : {"J", "L", "U", "ce", "loss", "accuracy"})
    if (name == loss || name.ends_with(std::string("/") + loss)) return true;
  return false;
}

}  // namespace

std::function<std::optional<Tolerance>(const std::string&)> adgm_tolerance(const File& file,
                                                                           const AdgmCase& c,
                                                                           DType precision) {
  const bool f32 = precision == DType::f32, norms = c.model.kind == models::adgm::Kind::ladder ||
                                                    c.model.kind == models::adgm::Kind::ladder_m2;
  const bool large = c.model.x_size >= 500, later = c.steps > 1;
  return [=, &file, largest = largest_gradient(file)](const std::string& name) -> std::optional<Tolerance> {
    const size_t slash = name.find('/');
    const std::string group = name.substr(0, slash), rest = name.substr(slash + 1);
    if (group == "input" || rest.ends_with("num_batches_tracked")) return Tolerance{};
    // The stacked model's classifier takes the mean of the features; their sample belongs to noise that no
    // file holds.
    if (rest.ends_with("/cls_feat")) return {};
    if (group == "gradsum")  // terms of both signs: relative to their norm
      return Tolerance{.absolute =
                           (f32 ? 1e-4 : 1e-9) * as_doubles(file.content.at("gradnorm/" + rest)).front()};
    if (group.starts_with(
            "grad"))  // vanishing gradients (biases before a batch norm) leave roundings of the largest
      return f32 ? Tolerance{.absolute = 2e-6 * largest, .of_maximum = 1e-4}
                 : Tolerance{.absolute = 1e-13 * largest, .of_maximum = 1e-9};
    if (group.starts_with("after")) {
      // Adam's first step turns gradients into signs: what rounding leaves of those that vanish moves by far
      // less than its rate in f64. In f32 such elements are not compared; buffers are means and variances.
      const bool buffer = rest.ends_with("running_mean") || rest.ends_with("running_var");
      if (!f32) return Tolerance{.absolute = 1e-9, .of_value = 1e-9};
      return buffer ? Tolerance{.absolute = 2e-6, .of_maximum = 1e-5}
                    : Tolerance{.absolute = later ? 3e-6 : 1e-6};
    }
    // After the update: outputs carry its errors through the nets. In test mode, biases before a batch norm
    // that rounding noise moved by Adam's rate no longer cancel.
    if (rest.starts_with("S/") || rest.starts_with("E/"))
      return f32 ? Tolerance{.absolute = norms ? 2e-3 : 1e-5, .of_maximum = norms ? 2e-3 : 1e-4}
                 : Tolerance{.absolute = 1e-9, .of_maximum = 1e-9};
    if (is_loss(rest))
      return f32 ? Tolerance{.of_value = large || later ? 1e-5 : 2e-6} : Tolerance{.of_value = 1e-9};
    // Differences of log densities of tens of nats.
    if (rest.find("/kl_") != std::string::npos || rest.starts_with("kl_"))
      return f32 ? Tolerance{.absolute = large ? 5e-5 : 5e-6, .of_maximum = 1e-5}
                 : Tolerance{.absolute = 1e-12, .of_maximum = 1e-9};
    return f32 ? Tolerance{.absolute = 1e-6, .of_maximum = later ? 3e-5 : 1e-5}
               : Tolerance{.absolute = 1e-12, .of_maximum = 1e-9};
  };
}

}  // namespace vae::golden
