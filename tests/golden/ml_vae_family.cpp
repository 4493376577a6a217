#include <algorithm>
#include <cmath>

#include "data/load.h"
#include "ml_vae_run.h"

namespace vae::golden {
namespace {

enum class Kind { training, author, trajectory, evidence, classifier, swap };

Kind kind_of(const File& file) {
  if (file.config.contains("checkpoint")) return Kind::swap;
  if (file.config.contains("z_dim")) return Kind::classifier;
  if (file.content.contains("input/cotangent_grouped_mu")) return Kind::evidence;
  if (file.content.contains("output/reconstruction_mean_single")) return Kind::author;
  return file.config.contains("steps") ? Kind::trajectory : Kind::training;
}

template <class T>
T choose(const nlohmann::json& config, const char* key, const char* fallback,
         const std::map<std::string, T>& values) {
  const auto name = config.value(key, std::string(fallback));
  const auto found = values.find(name);
  if (found == values.end()) fail(ErrorKind::data, "configuration: {} is '{}'", key, name);
  return found->second;
}

/// The tolerances of the family's specification. f64: two orders of summation. f32: ten times what a plain
/// single-precision implementation is off.
struct Row {
  Kind kind;
  double f64, f32;
  const char* text;
};
constexpr Row kTable[] = {
    {Kind::training, 1e-11, 1e-5, "training step"},
    {Kind::author, 1e-10, 2e-5, "released weights"},
    {Kind::trajectory, 1e-10, 1e-5, "trajectory"},
    {Kind::evidence, 1e-11, 1e-5, "evidence"},
    {Kind::classifier, 1e-10, 1e-4, "classifier step"},
    {Kind::swap, 1e-6, 5e-5, "swap grids"},  // the grids are stored in f32
};
const Row& row_of(Kind kind) { return kTable[static_cast<int>(kind)]; }

/// The two biases before a batch norm have gradients of pure rounding noise.
bool feeds_a_norm(const std::string& name) {
  return name.ends_with("fc_model.fc_1.bias") || name.ends_with("fc_model.fc_2.bias");
}

std::optional<Tolerance> tolerance(const File& file, DType precision, const std::string& name) {
  const Kind kind = kind_of(file);
  const bool f32 = precision == DType::f32;
  if (name.starts_with("input/images")) return Tolerance{.absolute = 1e-7};  // stored from f32
  if (name.starts_with("input/")) return Tolerance{};
  const double relative = f32 ? row_of(kind).f32 : row_of(kind).f64;
  const double rate = file.config.value("lr", 0.0), steps = file.config.value("steps", 1.0);
  if (name.starts_with("after") && !name.ends_with("num_batches_tracked") &&
      name.find("running_") == std::string::npos) {
    if (!f32) return Tolerance{.absolute = relative};
    if (feeds_a_norm(name)) return {};
    // A hundredth of the rate in every step; norms gather many elements.
    return Tolerance{.absolute = rate * 1e-2 * steps, .of_value = 1e-5};
  }
  if (feeds_a_norm(name)) return f32 ? std::nullopt : std::optional(Tolerance{.absolute = 1e-15});
  if (name == "output/loss_trajectory" && f32) return Tolerance{.of_value = 1e-3};
  if (name == "output/logits_eval_after" && f32)
    return Tolerance{.of_maximum = 1e-3};  // through moved biases
  return Tolerance{.of_maximum = relative};
}

/// Elements whose gradient a single-precision run cannot tell from zero move by up to Adam's rate either way:
/// they take the expected value.
void leave_out_noise(const File& file, Values& values) {
  for (const auto& [grad, after] : {std::pair{"grad/", "after/"}, {"gradhead/", "afterhead/"}})
    for (auto& [name, value] : values) {
      const std::string gradient = grad + name.substr(name.find('/') + 1);
      if (!name.starts_with(after) || !file.content.contains(gradient) || !file.content.contains(name))
        continue;
      const std::vector<double> g = as_doubles(file.content.at(gradient)),
                                want = as_doubles(file.content.at(name));
      std::vector<double> have = as_doubles(value);
      for (size_t i = 0; i < have.size() && i < g.size(); ++i)
        if (std::abs(g[i]) <= 1e-6) have[i] = want[i];
      value = as_tensor(have, value.shape(), DType::f64);
    }
}

Outcome run(const File& file, DType dtype) try {
  const Kind kind = kind_of(file);
  Numbers numbers(file, dtype);
  Values values = kind == Kind::swap         ? run_ml_vae_swap(numbers)
                  : kind == Kind::classifier ? run_ml_vae_classifier(numbers)
                  : kind == Kind::evidence   ? run_ml_vae_evidence(numbers)
                                             : run_ml_vae_training(numbers);
  if (dtype == DType::f32) leave_out_noise(file, values);
  std::set<std::string> inputs = numbers.read();
  if (!mnist_test())  // these need the MNIST test images
    for (const auto& [name, tensor] : file.content.tensors)
      if (name.starts_with("output/test_")) inputs.insert(name);
  return {.kind = row_of(kind).text,
          .values = std::move(values),
          .inputs = std::move(inputs),
          .tolerance = [&file, dtype](const std::string& name) { return tolerance(file, dtype, name); }};
} catch (const nlohmann::json::exception& error) {
  fail(ErrorKind::data, "configuration: {}", error.what());
}

}  // namespace

Tensor Numbers::get(const std::string& name, Shape shape) {
  const Tensor& tensor = file_.content.at(name);
  if (!(tensor.shape() == shape))
    fail(ErrorKind::data, "{} is {}, the configuration says {}", name, tensor.shape().str(), shape.str());
  read_.insert(name);
  return as_tensor(as_doubles(tensor), shape, dtype_);
}

Tensor Numbers::integers(const std::string& name) {
  read_.insert(name);
  return file_.content.at(name).to(golden_device());
}

void Numbers::load(nn::Module& module, const std::string& prefix) {
  for (const nn::Module::Parameter& p : module.parameters())
    p.var->value().copy_from(get(prefix + p.name, p.var->shape()));
  for (const nn::Module::Buffer& b : module.buffers())
    b.tensor->copy_from(get(prefix + b.name, b.tensor->shape()));
}

const models::ImageSet* mnist_test() {
  static std::map<std::string, std::optional<models::ImageSet>> sets;
  const Device device = golden_device();
  const auto [set, first] = sets.try_emplace(device.str());
  if (first) try {
      const data::Dataset mnist = data::load_dataset({.name = "mnist", .part = data::Part::test});
      set->second = {mnist.images.to(device), mnist.labels.to(device), kernels::Pixels::unit};
    } catch (const Error&) {  // none here
    }
  return set->second ? &*set->second : nullptr;
}

models::MlVaeConfig ml_vae_config(const nlohmann::json& config) {
  const auto number = [&](const char* key) { return config.at(key).get<int64_t>(); };
  using models::ClassGradient, models::ClassKlCount;
  return {.x_size = number("num_channels") * number("image_size") * number("image_size"),
          .hidden = number("hidden"),
          .style_dim = number("style_dim"),
          .class_dim = number("class_dim"),
          .class_gradient = choose<ClassGradient>(
              config, "class_gradient", "detached",
              {{"detached", ClassGradient::detached}, {"attached", ClassGradient::attached}}),
          .class_kl_count = choose<ClassKlCount>(
              config, "class_kl_count", "per_member",
              {{"per_member", ClassKlCount::per_member}, {"per_group", ClassKlCount::per_group}}),
          .noise_std = config.at("reparam_std").get<double>(),
          .reconstruction_coef = config.at("reconstruction_coef").get<double>(),
          .kl_coef = config.at("kl_divergence_coef").get<double>()};
}

nn::Adam::Settings ml_vae_adam(const nlohmann::json& config) {
  const auto number = [&](const char* key) { return config.at(key).get<double>(); };
  return {.learning_rate = number("lr"),
          .rule = {.beta1 = number("beta_1"), .beta2 = number("beta_2"), .eps = number("adam_eps")}};
}

void put_with_norms(Values& values, const std::string& prefix, const std::string& name, const Tensor& x) {
  const std::vector<double> elements = as_doubles(x);
  double squares = 0;
  for (const double value : elements) squares += value * value;
  const auto head = std::min<int64_t>(16, x.numel());
  values[prefix + "/" + name] = x.clone();
  values[prefix + "norm/" + name] = Tensor::scalar(std::sqrt(squares));
  values[prefix + "head/" + name] = x.reshape({x.numel()}).slice(0, head).clone();
}

Family ml_vae_family() {
  return {.system = "ml-vae",
          .precisions =
              [](const File& file) {  // swap grids show MNIST images
                return kind_of(file) == Kind::swap && !mnist_test() ? std::vector<DType>{}
                                                                    : std::vector{DType::f64, DType::f32};
              },
          .run = run};
}

}  // namespace vae::golden
