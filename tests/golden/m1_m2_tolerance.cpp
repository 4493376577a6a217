#include <algorithm>
#include <cmath>

#include "allowed.h"
#include "m1_m2_run.h"

namespace vae::golden {
namespace {

/// What is compared, each with an f64 and an f32 tolerance. f64 is the rounding of two orders of summation;
/// f32 was measured with a plain single-precision implementation and widened about tenfold.
enum class Quantity { loss, output, gradient, parameter, buffer, first_moment, second_moment, test_mode };

struct Row {
  Quantity kind;
  Tolerance f64, f32;
};

const Row kTable[] = {
    // Sums of terms of one sign: relative to the value.
    {Quantity::loss, {.of_value = 1e-10}, {.of_value = 5e-6}},
    // Single elements cancel: relative to the largest of the tensor.
    {Quantity::output, {.of_maximum = 1e-10}, {.of_maximum = 5e-6}},
    // As outputs, after two more passes of sums over the batch.
    {Quantity::gradient, {.of_maximum = 1e-9}, {.of_maximum = 5e-5}},
    // Roundings of the value; those of the step come with the rate.
    {Quantity::parameter, {.of_value = 1e-9}, {.of_value = 1e-6}},
    {Quantity::buffer, {.absolute = 1e-9}, {.absolute = 2e-6, .of_value = 2e-6}},
    // Averages of gradients and their squares.
    {Quantity::first_moment, {.of_maximum = 1e-9}, {.of_maximum = 5e-5}},
    {Quantity::second_moment, {.of_maximum = 2e-9}, {.of_maximum = 1e-4}},
    // f64: what is left of the errors of the parameters behind the nets, two of them in M1+M2.
    {Quantity::test_mode, {.absolute = 1e-9, .of_maximum = 1e-9}, {.of_maximum = 1e-5}},
};

struct Name {
  std::string group, rest, net;  ///< "grad/encoder/layer_0/b": grad, encoder/layer_0/b, encoder

  explicit Name(const std::string& name) {
    const size_t slash = name.find('/');
    group = name.substr(0, slash), rest = name.substr(slash + 1);
    net = rest.substr(0, rest.find('/'));
  }
};

class M1M2Tolerances {
 public:
  M1M2Tolerances(const File& file, const M1M2Case& c, DType precision)
      : file_(file),
        c_(c),
        precision_(precision),
        f32_(precision == DType::f32),
        noise_inputs_(c.norm_inputs()),
        cold_(!c.adam_warm),
        rate_(c.adam.learning_rate) {}

  Tolerance of(const std::string& full) const {
    const Name name(full);
    if (name.group == "input") return {};
    if (name.group == "eval") return name.rest == "pred" ? Tolerance{} : test_mode();
    if (name.group == "output") return output(name.rest);
    if (name.group.starts_with("grad")) {
      Tolerance tolerance = row(Quantity::gradient);
      tolerance.absolute = noise(name.group, name);
      return tolerance;
    }
    if (name.group.starts_with("after_adam_")) return moment(name);
    Tolerance tolerance = row(is_buffer(name.rest) ? Quantity::buffer : Quantity::parameter);
    tolerance.absolute += is_buffer(name.rest) ? drift(name) : rate_ * steps() * (f32_ ? 3e-3 : 3e-6);
    if (cold_ && noise_inputs_.biases.count(name.rest) && !has_gradients())
      tolerance.absolute += f32_ ? reach(name.net) : rate_ * steps() * 2e-5;
    // The norm of as many elements as a layer has units.
    if (c_.formula) tolerance.absolute *= std::sqrt(static_cast<double>(widest()));
    return tolerance;
  }

  /// The first updates without history, of gradients that the file holds.
  std::vector<Update> updates(const std::string& full) const {
    const Name name(full);
    const bool mid = name.group == "mid";
    if (!cold_ || c_.steps > 0 || is_buffer(name.rest) || !(mid || name.group == "after")) return {};
    std::vector<Update> updates;
    for (const char* group : {"grad", "grad_cls"}) {
      const std::string gradient = fmt::format("{}/{}", group, name.rest);
      if (!file_.content.contains(gradient) || (mid && !updates.empty())) continue;
      const nn::Adam::Settings& adam = c_.adam;
      const double t = static_cast<double>(c_.adam_t.at(name.net) + 1 + static_cast<int64_t>(updates.size()));
      const double second = std::sqrt(1 - adam.rule.beta2);
      updates.push_back(
          {.gradient = gradient,
           .rate = rate_ * std::sqrt(1 - std::pow(adam.rule.beta2, t)) / (1 - std::pow(adam.rule.beta1, t)) *
                   (1 - adam.rule.beta1) / second,
           .eps = adam.rule.eps / second,
           .scale = clipping(group == std::string("grad") ? "gradnorm_" : "gradnorm_cls_", name.net)});
    }
    if (updates.size() > 1) updates.front().rate *= 1 + c_.adam.rule.beta1;  // remembered in the second
    return updates;
  }

 private:
  Tolerance row(Quantity kind) const {
    for (const Row& row : kTable)
      if (row.kind == kind) return f32_ ? row.f32 : row.f64;
    return {};
  }

  static bool is_buffer(const std::string& rest) {
    return rest.ends_with("/avg_mean") || rest.ends_with("/avg_var");
  }
  bool has_gradients() const { return !c_.formula && c_.steps == 0; }
  double steps() const { return static_cast<double>(std::max<int64_t>(1, c_.steps)); }

  /// What rounding leaves of the largest gradient of a sub-net: more where gradients vanish, those of biases
  /// that feed a batch norm, and all behind the norm of two rows, which are their own mean and deviation.
  double noise(const std::string& group, const Name& name) const {
    const double largest = largest_value(file_, group + "/" + name.net + "/");
    if (c_.labeled == 2 || c_.unlabeled == 2) return 16 * vanishing_gradient(largest, precision_);
    return noise_inputs_.biases.count(name.rest) ? vanishing_gradient(largest, precision_)
                                                 : rounding_noise(largest, precision_);
  }

  double clipping(const std::string& norm, const std::string& net) const {
    const auto found = file_.content.tensors.find("output/" + norm + net);
    if (found == file_.content.tensors.end() || c_.adam.clip.norm == 0) return 1;
    return std::min(1.0, c_.adam.clip.norm / to_doubles(found->second).front());
  }

  /// How far biases that feed a batch norm may have gone in single precision before its last batch.
  double reach(const std::string& net) const {
    const bool twice = net == "encoder_x_y" && c_.update == m1_m2::M2Update::separate;
    return rate_ * (twice ? 2 * steps() - 1 : steps() - 1);
  }

  /// The running mean follows them.
  double drift(const Name& name) const {
    if (!f32_ || !cold_ || !noise_inputs_.running_means.count(name.rest)) return 0;
    const double biases = name.rest.find("_merge/") == std::string::npos ? 1 : 2,
                 updates = reach(name.net) / rate_,
                 decay = 1 - (c_.m2 ? c_.m2->batch_norm.momentum : c_.m1->batch_norm.momentum);
    return biases * reach(name.net) * (1 - std::pow(decay, updates));
  }

  Tolerance output(const std::string& rest) const {
    if (rest.starts_with("gradnorm_")) return row(Quantity::gradient);
    const bool loss = rest.starts_with("loss") || rest.ends_with("_mean");
    Tolerance tolerance = row(loss ? Quantity::loss : Quantity::output);
    double terms = 0;
    if (rest.starts_with("kl"))  // m^2 + e^l - l - 1, each of which rounds at one
      terms = std::sqrt(static_cast<double>(c_.m2 ? c_.m2->z_size : c_.m1->z_size));
    if (loss)  // log densities have either sign
      terms = std::max(largest_value(file_, "output/logpx_"), largest_value(file_, "output/nll_"));
    tolerance.absolute = 8 * unit_roundoff(precision_) * terms;
    return tolerance;
  }

  /// Test mode answers the moves of biases that feed a batch norm, some times over.
  Tolerance test_mode() const {
    Tolerance tolerance = row(Quantity::test_mode);
    if (f32_ || !cold_) return tolerance;
    const double noise = rounding_noise(largest_gradient(file_), precision_), eps = c_.adam.rule.eps;
    tolerance.absolute += 4 * rate_ * noise / (noise + eps);
    return tolerance;
  }

  /// Averages of gradients and their squares: of both updates of a net.
  Tolerance moment(const Name& name) const {
    const double off = noise("grad", name) + noise("grad_cls", name);
    if (name.group == "after_adam_m") {
      Tolerance tolerance = row(Quantity::first_moment);
      tolerance.absolute = (1 - c_.adam.rule.beta1) * off;
      return tolerance;
    }
    const double gradient =
        std::max(largest_value(file_, "grad/" + name.rest), largest_value(file_, "grad_cls/" + name.rest));
    Tolerance tolerance = row(Quantity::second_moment);
    tolerance.absolute = (1 - c_.adam.rule.beta2) * off * (2 * gradient + off);
    return tolerance;
  }

  int64_t widest() const {
    int64_t widest = 1;
    const auto look_at = [&](const m1_m2::NetConfig& net) {
      for (const int64_t units : net.hidden) widest = std::max(widest, units);
    };
    if (c_.m2) {
      look_at(c_.m2->encoder_xy_z), look_at(c_.m2->encoder_x_y), look_at(c_.m2->decoder_net);
    } else {
      look_at(c_.m1->encoder), look_at(c_.m1->decoder_net);
    }
    return widest;
  }

  const File& file_;
  const M1M2Case c_;
  DType precision_;
  bool f32_;
  M1M2Case::NormInputs noise_inputs_;
  bool cold_;
  double rate_;
};

}  // namespace

void set_m1_m2_tolerances(Outcome& outcome, const File& file, const M1M2Case& c, DType precision) {
  const auto tolerances = std::make_shared<const M1M2Tolerances>(file, c, precision);
  outcome.tolerance = [tolerances](const std::string& name) { return tolerances->of(name); };
  outcome.updates = [tolerances](const std::string& name) { return tolerances->updates(name); };
}

}  // namespace vae::golden
