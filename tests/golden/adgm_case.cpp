#include "adgm_case.h"

#include <algorithm>
#include <cmath>
#include <regex>

namespace vae::golden {
namespace {

using adgm::Config, adgm::Kind;

template <class T>
std::vector<T> list_of(const nlohmann::json& value) {
  if (value.is_array()) return value.get<std::vector<T>>();
  return {value.get<T>()};
}

Kind kind_of(const std::string& name) {
  static const std::map<std::string, Kind> kinds{{"AuxiliaryDeepGenerativeModel", Kind::adgm},
                                                 {"DeepGenerativeModel", Kind::m2},
                                                 {"StackedDeepGenerativeModel", Kind::stacked},
                                                 {"LadderDeepGenerativeModel", Kind::ladder_m2},
                                                 {"VariationalAutoencoder", Kind::vae},
                                                 {"LadderVariationalAutoencoder", Kind::ladder},
                                                 {"GumbelAutoencoder", Kind::gumbel}};
  const auto found = kinds.find(name);
  if (found == kinds.end()) fail(ErrorKind::data, "configuration: no model '{}'", name);
  return found->second;
}

Config model_of(const nlohmann::json& config) {
  Config c;
  c.kind = kind_of(config.at("model"));
  c.eps = config.at("eps_log");
  c.x_size = config.at("x_dim");
  c.y_size = config.value("y_dim", 0);
  c.z = list_of<int64_t>(config.at("z_dim"));
  c.a = config.value("a_dim", 0);
  c.hidden = list_of<int64_t>(config.at("h_dim"));
  c.flows = config.value("n_flows", 0);
  c.draws = config.value("n_samples", 1);
  c.temperature = kernels::Schedule::constant(config.value("tau", 1.0));
  c.raw_log_var = !config.at("logvar").get<std::string>().starts_with("softplus");
  if (config.contains("features_z_dim")) {
    c.features_z = config["features_z_dim"];
    c.features_hidden = list_of<int64_t>(config.at("features_h_dim"));
  }
  if (config.contains("decoder_h_dim")) c.decoder_hidden = list_of<int64_t>(config["decoder_h_dim"]);
  if (config.contains("decoder_activation"))
    c.decoder_activation = kernels::parse_activation(config["decoder_activation"].get<std::string>());
  if (config.contains("conv_channels")) c.conv_channels = list_of<int64_t>(config["conv_channels"]);
  const bool patched = !config.value("patched", "").empty();
  c.fixed_flow = patched && c.kind == Kind::vae;
  c.fixed_ladder = patched && (c.kind == Kind::ladder || c.kind == Kind::ladder_m2);
  c.fixed_gumbel = patched && c.kind == Kind::gumbel;
  return c;
}

nn::OptimizerSettings rule_of(const nlohmann::json& config) {
  const auto number = [&](const char* key, double fallback) { return config.value(key, fallback); };
  const double rate = config.at("lr"), eps = config.at("eps"), decay = number("weight_decay", 0);
  const std::string name = config.at("name");
  if (name == "adam")
    return nn::Adam::Settings{.learning_rate = rate,
                              .rule = {.beta1 = number("beta1", 0.9),
                                       .beta2 = number("beta2", 0.999),
                                       .eps = eps,
                                       .weight_decay = decay}};
  if (name != "adagrad") fail(ErrorKind::data, "configuration: no optimizer '{}'", name);
  return nn::Adagrad::Settings{.learning_rate = rate,
                               .rule = {.eps = eps, .weight_decay = decay},
                               .initial_sum = number("initial_accumulator", 0)};
}

/// "encoder.hidden.0.weight_x" of ours as the reference calls it.
std::string reference_name(const std::string& name, const AdgmCase& c) {
  std::string result = std::regex_replace(name, std::regex("\\.weight_\\w+$"), ".weight");
  const size_t hidden =
      c.model.decoder_hidden.empty() ? c.model.hidden.size() : c.model.decoder_hidden.size();
  if (c.model.kind == Kind::gumbel) {
    result = std::regex_replace(result, std::regex("^encoder\\."), "encoder.layers.");
    result = std::regex_replace(result, std::regex("^decoder\\.hidden\\."), "decoder.layers.");
    result = std::regex_replace(result, std::regex("^decoder\\.reconstruction"),
                                fmt::format("decoder.layers.{}", hidden));
  }
  std::smatch match;
  if (c.sequential && std::regex_match(result, match, std::regex("decoder\\.hidden\\.(\\d+)\\.(.*)")))
    return fmt::format("decoder.{}.{}", 2 * std::stoi(match[1]), match[2].str());
  if (c.sequential)
    result = std::regex_replace(result, std::regex("^decoder\\.reconstruction"),
                                fmt::format("decoder.{}", 2 * hidden));
  return result;
}

void add_entries(std::vector<StateEntry>& entries, const nn::Module& module, const std::string& prefix,
                 const AdgmCase& c) {
  std::map<std::string, Tensor> buffers;
  for (const nn::Module::Buffer& b : module.buffers()) buffers[b.name] = b.tensor;
  for (const nn::Module::Parameter& p : module.parameters()) {
    const std::string name = prefix + reference_name(p.name, c);
    if (entries.empty() || entries.back().name != name) entries.push_back({name, {}, {}});
    entries.back().parts.push_back(p.var.value());
    entries.back().parameters.push_back(p.var);
    const std::string layer = p.name.substr(0, p.name.rfind('.') + 1);
    if (!p.name.ends_with(".bias") || !buffers.count(layer + "running_mean")) continue;
    for (const char* buffer : {"running_mean", "running_var"})
      entries.push_back({prefix + layer + buffer, {buffers.at(layer + buffer)}, {}});
    entries.push_back({prefix + layer + "num_batches_tracked", {}, {}});
  }
}

/// Element (i, y, x, c) of [I, Y, X, C] to (i, c, y, x), or back.
Tensor permuted(const Tensor& from, bool to_channels_first) {
  const int64_t n = from.size(0), channels = from.size(to_channels_first ? 3 : 1);
  const int64_t pixels = channels ? from.numel() / (n * channels) : 0;
  const std::vector<double> values = to_doubles(from);
  std::vector<double> moved(values.size());
  for (int64_t i = 0; i < n; ++i)
    for (int64_t p = 0; p < pixels; ++p)
      for (int64_t k = 0; k < channels; ++k) {
        const auto last = static_cast<size_t>((i * pixels + p) * channels + k),
                   first = static_cast<size_t>((i * channels + k) * pixels + p);
        to_channels_first ? moved[first] = values[last] : moved[last] = values[first];
      }
  const Shape shape = to_channels_first ? Shape{n, channels, from.size(1), from.size(2)}
                                        : Shape{n, from.size(2), from.size(3), channels};
  return as_tensor(moved, shape, from.dtype());
}

}  // namespace

std::string AdgmCase::kind() const {
  std::string text = name_of(model.kind);
  if (model.flows) text += fmt::format(", {} flows", model.flows);
  if (samples.count() > 1) text += fmt::format(", {} x {} samples", samples.mc, samples.iw);
  if (model.fixed_flow || model.fixed_ladder || model.fixed_gumbel) text += ", fixed";
  if (steps > 1) text += fmt::format(", {} steps", steps);
  return text;
}

adgm::Objective AdgmCase::objective(size_t step) const {
  using kernels::Schedule;
  if (!has_labels(model.kind)) return {.samples = samples, .beta = Schedule::constant(beta_l.front())};
  return {alpha, samples, Schedule::constant(beta_l.at(step)), Schedule::constant(beta_u.at(step))};
}

AdgmCase read_adgm_case(const nlohmann::json& config) {
  try {
    AdgmCase c;
    c.model = model_of(config);
    c.formula = config.contains("formula");
    c.sequential = config.contains("decoder_h_dim");
    c.rule = rule_of(config.at("optimizer"));
    c.learning_rate = config["optimizer"].at("lr"), c.optimizer_eps = config["optimizer"].at("eps");
    c.weight_decay = config["optimizer"].value("weight_decay", 0.0);
    c.steps = config.value("steps", int64_t{1});
    c.alpha = config.value("alpha", 0.0);
    c.samples = {config.value("mc", int64_t{1}), config.value("iw", int64_t{1})};
    const bool both = has_labels(c.model.kind) && config.contains("beta_L");
    c.beta_l = list_of<double>(config.at(both ? "beta_L" : "beta"));
    c.beta_u = list_of<double>(config.at(both ? "beta_U" : "beta"));
    const auto each_step = [&](std::vector<double>& beta) {  // one number stands for all steps
      if (beta.size() == 1) beta.resize(static_cast<size_t>(c.steps), beta.front());
    };
    each_step(c.beta_l), each_step(c.beta_u);
    std::smatch match;
    const std::string pass = config.value("eval_pass", "");
    if (std::regex_search(pass, match, std::regex("beta=([0-9.]+)"))) c.beta_eval = std::stod(match[1]);
    return c;
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorKind::data, "configuration: {}", error.what());
  }
}

std::vector<StateEntry> state_entries(adgm::Model& model, const AdgmCase& c) {
  std::vector<StateEntry> entries;
  add_entries(entries, model, "", c);
  if (const adgm::Model* frozen = model.frozen()) add_entries(entries, *frozen, "features.", c);
  return entries;
}

Tensor join_parts(const std::vector<Tensor>& parts) {
  if (parts.front().rank() == 4) return permuted(parts.front(), true);
  if (parts.size() == 1) return parts.front().clone();
  std::vector<double> joined;
  int64_t columns = 0;
  for (const Tensor& part : parts) columns += part.size(1);
  const int64_t rows = parts.front().size(0);
  for (int64_t r = 0; r < rows; ++r)
    for (const Tensor& part : parts) {
      const std::vector<double> row = to_doubles(part.slice(r, r + 1));
      joined.insert(joined.end(), row.begin(), row.end());
    }
  return as_tensor(joined, {rows, columns}, parts.front().dtype());
}

void split_parts(const Tensor& joined, const std::vector<Tensor>& parts) {
  const DType dtype = parts.front().dtype();
  if (parts.front().rank() == 4)
    return parts.front().copy_from(
        as_tensor(to_doubles(permuted(joined, false)), parts.front().shape(), dtype));
  const std::vector<double> values = to_doubles(joined);
  const size_t rows = parts.size() == 1 ? 1 : static_cast<size_t>(joined.size(0)),
               columns = values.size() / rows;
  size_t begin = 0;
  for (const Tensor& part : parts) {
    const size_t width = static_cast<size_t>(part.numel()) / rows;
    std::vector<double> own;
    for (size_t r = 0; r < rows; ++r)
      own.insert(own.end(), values.begin() + static_cast<ptrdiff_t>(r * columns + begin),
                 values.begin() + static_cast<ptrdiff_t>(r * columns + begin + width));
    part.copy_from(as_tensor(own, part.shape(), dtype));
    begin += width;
  }
  if (begin != columns)
    fail(ErrorKind::data, "{} holds {} columns, the model {}", joined.str(), columns, begin);
}

Tensor value_by_formula(const StateEntry& entry, int64_t k) {
  const Tensor ours = join_parts(entry.parts);
  std::vector<double> values(static_cast<size_t>(ours.numel()));
  const bool mean = entry.name.ends_with("running_mean"), variance = entry.name.ends_with("running_var");
  const bool gamma = entry.name.find("batchnorm") != std::string::npos && entry.name.ends_with(".weight");
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = mean       ? 0
                : variance ? 1
                           : (gamma ? 1 : 0) +
                                 0.05 * std::sin(0.37 * static_cast<double>(i) + static_cast<double>(k));
  return as_tensor(values, ours.shape(), DType::f64);
}

Tensor repeated_to(const Tensor& x, const Shape& expected) {
  if (x.rank() == 0 || expected.rank() != x.rank() || x.size(0) == 0 || expected[0] == x.size(0)) return x;
  std::vector<double> all, once = to_doubles(x);
  for (int64_t i = 0; i < expected[0] / x.size(0); ++i) all.insert(all.end(), once.begin(), once.end());
  return static_cast<int64_t>(all.size()) == expected.numel() ? as_tensor(all, expected, x.dtype()) : x;
}

}  // namespace vae::golden
