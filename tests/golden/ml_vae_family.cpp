#include <cmath>

#include "data/load.h"
#include "ml_vae_run.h"

namespace vae::golden {
namespace {

const char* name_of(MlVaeCase kind) {
  constexpr const char* names[] = {"training step", "released weights", "trajectory",
                                   "evidence",      "classifier step",  "swap grids"};
  return names[static_cast<size_t>(kind)];
}

template <class T>
T choose(const nlohmann::json& config, const char* key, const char* fallback,
         const std::map<std::string, T>& values) {
  const auto name = config.value(key, std::string(fallback));
  const auto found = values.find(name);
  if (found == values.end()) fail(ErrorKind::data, "configuration: {} is '{}'", key, name);
  return found->second;
}

Outcome run_ml_vae(const File& file, DType dtype) try {
  const MlVaeCase kind = ml_vae_case(file);
  Numbers numbers(file, dtype);
  Values values = kind == MlVaeCase::swap         ? run_ml_vae_swap(numbers)
                  : kind == MlVaeCase::classifier ? run_ml_vae_classifier(numbers)
                  : kind == MlVaeCase::evidence   ? run_ml_vae_evidence(numbers)
                                                  : run_ml_vae_training(numbers);
  std::set<std::string> inputs = numbers.read();
  if (!mnist_test())  // these need the MNIST test images
    for (const auto& [name, tensor] : file.content.tensors)
      if (name.starts_with("output/test_")) inputs.insert(name);
  Outcome outcome{name_of(kind), std::move(values), std::move(inputs)};
  set_ml_vae_tolerances(outcome, file, dtype);
  return outcome;
} catch (const nlohmann::json::exception& error) {
  fail(ErrorKind::data, "configuration: {}", error.what());
}

}  // namespace

MlVaeCase ml_vae_case(const File& file) {
  if (file.config.contains("checkpoint")) return MlVaeCase::swap;
  if (file.config.contains("z_dim")) return MlVaeCase::classifier;
  if (file.content.contains("input/cotangent_grouped_mu")) return MlVaeCase::evidence;
  if (file.content.contains("output/reconstruction_mean_single")) return MlVaeCase::author;
  return file.config.contains("steps") ? MlVaeCase::trajectory : MlVaeCase::training;
}

const train::ImageSet* mnist_test() {
  static std::map<std::string, std::optional<train::ImageSet>> sets;
  const Device device = golden_device();
  const auto [set, first] = sets.try_emplace(device.str());
  if (first) try {
      const data::Dataset mnist = data::load_dataset({.name = "mnist", .part = data::Part::test});
      set->second = {mnist.images.to(device), mnist.labels.to(device), train::Inputs::unit};
    } catch (const Error&) {  // none here
    }
  return set->second ? &*set->second : nullptr;
}

ml_vae::Config ml_vae_config(const nlohmann::json& config) {
  const auto number = [&](const char* key) { return config.at(key).get<int64_t>(); };
  using ml_vae::ClassGradient, ml_vae::ClassKlCount;
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
  const std::vector<double> elements = to_doubles(x);
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
                return ml_vae_case(file) == MlVaeCase::swap && !mnist_test()
                           ? std::vector<DType>{}
                           : std::vector{DType::f64, DType::f32};
              },
          .run = run_ml_vae};
}

}  // namespace vae::golden
