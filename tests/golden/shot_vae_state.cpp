#include "shot_vae_state.h"

#include <cmath>

namespace vae::golden {
namespace {

/// Number i of key k, uniform in [-1, 1): splitmix64.
double signed_unit(uint64_t k, uint64_t i) {
  uint64_t z = (k << 32) + i + 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  z ^= z >> 31;
  return 2 * (static_cast<double>(z >> 11) * 0x1p-53) - 1;
}

std::vector<double> by_formula(const std::string& name, const Shape& shape, uint64_t key, double gain) {
  std::vector<double> values(static_cast<size_t>(shape.numel()));
  const double columns = static_cast<double>(shape.numel() / shape[0]);
  for (size_t i = 0; i < values.size(); ++i) {
    const double s = signed_unit(key, i);
    values[i] = name.ends_with("running_var")    ? 1 + 0.3 * s
                : name.ends_with("running_mean") ? 0.1 * s
                : shape.rank() >= 2              ? gain * s / std::sqrt(columns)
                : name.ends_with("weight")       ? 1 + 0.2 * s
                                                 : 0.1 * s;
  }
  return values;
}

Tensor norm(const std::vector<double>& x) {
  double squares = 0;
  for (const double v : x) squares += v * v;
  return Tensor::from(std::vector{std::sqrt(squares)}, {1});
}

/// Linear layers take or make maps [channels, pixels] of theirs.
Axes parameter_axes(const std::string& name, const Shape& theirs, int64_t maps) {
  if (maps > 0 && name == "features_to_hidden.0.weight") return {theirs[0], maps, theirs[1] / maps, 1};
  if (maps > 0 && name.starts_with("latent_to_features.2."))
    return {1, maps, theirs[0] / maps, theirs.numel() / theirs[0]};
  return axes_of(theirs);
}

/// "norm" of "norm.running_var"; none of another name.
std::optional<std::string> norm_of(const std::string& name) {
  const std::string last = ".running_var";
  if (!name.ends_with(last)) return {};
  return name.substr(0, name.size() - last.size());
}

}  // namespace

Tensor image_batch(Numbers& numbers, const std::string& name, int64_t rows) {
  const auto image = numbers.file().config.at("image").get<std::vector<int64_t>>();
  return to_ours(numbers.get(name, {rows, image.at(0), image.at(1), image.at(2)}));
}

Tensor label_batch(Numbers& numbers, const std::string& name, int64_t rows, int64_t classes) {
  const Tensor labels = numbers.integers(name);
  if (labels.dtype() != DType::i64 || !(labels.shape() == Shape{rows}))
    fail(ErrorKind::data, "{} is {} {}, the configuration says {} labels", name, name_of(labels.dtype()),
         labels.shape().str(), rows);
  for (const int64_t label : labels.to_vector<int64_t>())
    if (label < 0 || label >= classes) fail(ErrorKind::data, "{} has the label {}", name, label);
  return labels;
}

ShotVaeState::ShotVaeState(Numbers& numbers, nn::Module& model, int64_t maps) : numbers_(numbers) {
  std::map<std::string, std::pair<Tensor, autograd::Var>> ours;
  for (const nn::Module::Parameter& p : model.parameters()) ours[p.name] = {p.var.value(), p.var};
  for (const nn::Module::Buffer& b : model.buffers()) ours[b.name] = {b.tensor, {}};

  const auto& formula = numbers.file().config.at("param_formula");
  if (formula.at("kind") != "splitmix64-v1")
    fail(ErrorKind::data, "parameters by formula '{}'", formula.at("kind").get<std::string>());
  auto key = formula.at("base").get<uint64_t>();
  for (const auto& listed : nlohmann::json::parse(numbers.file().content.metadata.at("param_order"))) {
    const auto name = listed.at(0).get<std::string>();
    const auto extents = listed.at(1).get<std::vector<int64_t>>();
    const auto found = ours.find(name);
    if (found == ours.end()) fail(ErrorKind::data, "no parameter or buffer {} here", name);
    Entry entry{.name = name,
                .key = key++,
                .theirs = Shape(extents),
                .tensor = found->second.first,
                .var = found->second.second};
    if (!(entry.theirs == their_shape(entry.tensor.shape())))
      fail(ErrorKind::data, "{} is {} in the file, {} here", name, entry.theirs.str(),
           entry.tensor.shape().str());
    const std::string param = "param/" + name;
    const Tensor theirs = numbers.has(param)
                              ? numbers.get(param, entry.theirs)
                              : as_tensor(by_formula(name, entry.theirs, entry.key, formula.at("gain")),
                                          entry.theirs, numbers.dtype());
    entry.axes = parameter_axes(name, entry.theirs, maps);
    entry.tensor.copy_from(to_ours(theirs, entry.axes, entry.tensor.shape()));
    entry.before = to_doubles(theirs);
    entries_.push_back(std::move(entry));
    ours.erase(found);
  }
  if (!ours.empty()) fail(ErrorKind::data, "{} is not in the file", ours.begin()->first);
}

void ShotVaeState::put_gradients(Values& values) const {
  for (const Entry& entry : entries_) {
    if (!entry.var.defined() || !entry.var.has_grad()) continue;
    const Tensor gradient = to_file(entry, entry.var.grad());
    values["grad/" + entry.name] = gradient;
    if (!numbers_.has("gradnorm/" + entry.name)) continue;
    const std::vector<double> g = to_doubles(gradient);
    double product = 0;
    for (size_t i = 0; i < g.size(); ++i) product += g[i] * signed_unit(entry.key + 1000000, i);
    values["gradnorm/" + entry.name] = norm(g);
    values["gradproj/" + entry.name] = Tensor::from(std::vector{product}, {1});
  }
}

void ShotVaeState::put_after(Values& values, const std::string& suffix, int64_t passes) {
  for (Entry& entry : entries_) {
    const Tensor theirs = to_file(entry, entry.tensor);
    values["after" + suffix + "/" + entry.name] = theirs;
    const std::vector<double> now = to_doubles(theirs);
    for (size_t i = 0; i < now.size(); ++i) entry.before[i] = now[i] - entry.before[i];
    values["stepnorm" + suffix + "/" + entry.name] = norm(entry.before);
    entry.before = now;
    if (const auto batch_norm = norm_of(entry.name)) {
      const std::string counter = *batch_norm + ".num_batches_tracked", start = "param/" + counter;
      const int64_t before = numbers_.has(start) ? static_cast<int64_t>(numbers_.integers(start).item()) : 0;
      values["after" + suffix + "/" + counter] = Tensor::from(std::vector{before + passes}, {1});
    }
  }
}

Tensor ShotVaeState::to_file(const Entry& entry, const Tensor& ours) {
  return to_theirs(ours, entry.axes, entry.theirs);
}

}  // namespace vae::golden
