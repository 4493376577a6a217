#include "m1_m2_config.h"

#include <algorithm>

namespace vae::golden {
namespace {

using m1_m2::LikelihoodKind, m1_m2::NetConfig, m1_m2::ZTerm, m1_m2::ZTerms;
using nlohmann::json;

template <class T>
T choose(const json& config, const char* key, const std::map<std::string, T>& values) {
  const auto name = config.at(key).get<std::string>();
  const auto found = values.find(name);
  if (found == values.end()) fail(ErrorKind::data, "configuration: {} is '{}'", key, name);
  return found->second;
}

NetConfig read_net(const json& config, const std::string& net) {
  if (config.value(net + "_apply_dropout", false))
    fail(ErrorKind::data, "configuration: dropout in {}, but the files hold no noise for it", net);
  return {.hidden = config.at(net + "_hidden_units").get<std::vector<int64_t>>(),
          .activation = kernels::parse_activation(config.at(net + "_activation_function").get<std::string>()),
          .batch_norm = config.at(net + "_apply_batchnorm").get<bool>(),
          .batch_norm_to_input = config.at(net + "_apply_batchnorm_to_input").get<bool>()};
}

void read_common(const json& config, m1_m2::CommonConfig& common) {
  const std::map<std::string, ZTerm> terms{{"gaussianmarg", ZTerm::marginal}, {"gaussian", ZTerm::sampled}};
  const json& norm = config.at("bn");
  common.batch_norm_before_activation = config.at("batchnorm_before_activation").get<bool>();
  common.batch_norm.eps = norm.at("eps").get<double>();
  common.batch_norm.momentum = 1 - norm.at("decay").get<double>();
  common.batch_norm.running_var_includes_eps = norm.at("running_var_includes_eps").get<bool>();
  common.batch_norm.eval_adds_eps = norm.at("eval_adds_eps").get<bool>();
  common.p_z = choose(config, "type_pz", terms);
  common.q_z = choose(config, "type_qz", terms);
}

const std::map<std::string, LikelihoodKind> kLikelihoods{{"bernoulli", LikelihoodKind::bernoulli},
                                                     {"gaussian", LikelihoodKind::gaussian}};

m1_m2::M1Config read_m1(const json& config, int64_t samples) {
  m1_m2::M1Config m1;
  read_common(config, m1);
  m1.decoder = choose(config, "decoder", kLikelihoods);
  m1.x_size = config.at("ndim_x").get<int64_t>();
  m1.z_size = config.at("ndim_z").get<int64_t>();
  m1.samples = samples;
  m1.encoder = read_net(config, "encoder");
  m1.decoder_net = read_net(config, "decoder");
  return m1;
}

m1_m2::M2Config read_m2(const json& config) {
  m1_m2::M2Config m2;
  read_common(config, m2);
  m2.decoder = choose(config, "decoder", kLikelihoods);
  m2.x_size = config.at("ndim_x").get<int64_t>();
  m2.y_size = config.at("ndim_y").get<int64_t>();
  m2.z_size = config.at("ndim_z").get<int64_t>();
  m2.z_terms = choose<ZTerms>(config, "z_terms", {{"kl", ZTerms::kl}, {"explicit", ZTerms::explicit_terms}});
  m2.encoder_xy_z = read_net(config, "encoder_xy_z");
  m2.encoder_x_y = read_net(config, "encoder_x_y");
  m2.decoder_net = read_net(config, "decoder");
  return m2;
}

nn::Adam::Settings read_adam(const json& config) {
  const json& clip = config.at("grad_clip");
  nn::Adam::Settings settings = m1_m2::reference_adam(clip.is_null() ? 0 : clip.get<double>());
  const json& adam = config.at("adam");
  settings.learning_rate = adam.at("alpha").get<double>();
  settings.rule.beta1 = adam.at("beta1").get<double>();
  settings.rule.beta2 = adam.at("beta2").get<double>();
  settings.rule.eps = adam.at("eps").get<double>();
  return settings;
}

/// Adds the hidden layers of a net whose linear maps feed a batch norm. `merging` names the maps into the
/// first layer of a net of two inputs.
void add_norm_inputs(M1M2Case::NormInputs& found, const std::string& name, const NetConfig& net,
                     const std::vector<std::string>& merging) {
  for (size_t i = 0; i < net.hidden.size(); ++i) {
    if (!(i == 0 ? net.batch_norm_to_input : net.batch_norm)) continue;
    const bool merge = i == 0 && !merging.empty();
    const std::string index = merge ? "merge" : std::to_string(merging.empty() ? i : i - 1);
    const std::vector<std::string> maps = merge ? merging : std::vector{"layer_" + index};
    for (const std::string& map : maps) found.biases.insert(name + "/" + map + "/b");
    found.running_means.insert(name + "/batchnorm_" + index + "/avg_mean");
  }
}

}  // namespace

std::string M1M2Case::kind() const {
  std::string kind = !m2 ? "M1" : m1 ? "M1+M2" : "M2";
  kind += steps > 0 ? fmt::format(", trajectory of {}", steps) : m2 ? " iteration" : " step";
  if (formula) kind += " at true dimensions";
  if (m2) kind += update == m1_m2::M2Update::joint ? ", joint" : ", separate";
  return kind;
}

M1M2Case::NormInputs M1M2Case::norm_inputs() const {
  NormInputs found;
  const m1_m2::CommonConfig& common = m2 ? static_cast<const m1_m2::CommonConfig&>(*m2) : *m1;
  if (!common.batch_norm_before_activation) return found;  // an activation comes between
  if (m2) {
    const char* merged = m2->decoder == LikelihoodKind::bernoulli ? "layer_merge_z" : "layer_merge_x";
    add_norm_inputs(found, "encoder_xy_z", m2->encoder_xy_z, {"layer_merge_x", "layer_merge_y"});
    add_norm_inputs(found, "encoder_x_y", m2->encoder_x_y, {});
    add_norm_inputs(found, "decoder", m2->decoder_net, {merged, "layer_merge_y"});
  } else {
    add_norm_inputs(found, "encoder", m1->encoder, {});
    add_norm_inputs(found, "decoder", m1->decoder_net, {});
  }
  return found;
}

M1M2Case read_case(const json& config) try {
  M1M2Case c;
  c.formula = config.contains("kind");
  const bool is_m1 =
      choose<bool>(config, c.formula ? "kind" : "model", {{"m1", true}, {"m2", false}, {"m1+m2", false}});
  const int64_t samples = config.value("L", int64_t{1});
  const json& model = !c.formula ? config : config.at(is_m1 ? "m1" : "m2");
  if (is_m1) {
    c.m1 = read_m1(model, samples);
  } else {
    c.m2 = read_m2(model);
    if (config.contains("m1")) c.m1 = read_m1(config.at("m1"), 1);
    c.alpha = model.at("alpha_cls").get<double>();
    c.update = choose<m1_m2::M2Update>(
        config, "update_mode",
        {{"separate", m1_m2::M2Update::separate}, {"joint", m1_m2::M2Update::joint}});
  }
  c.adam = read_adam(model);
  c.adam_t = config.at("adam_t").get<std::map<std::string, int64_t>>();
  c.adam_warm = config.value("adam_warm", false);
  c.steps = config.value("steps", int64_t{0});
  c.labeled = config.at(config.contains("batch") ? "batch" : "batch_l").get<int64_t>();
  c.unlabeled = is_m1 ? 0 : config.at("batch_u").get<int64_t>();
  return c;
} catch (const json::exception& error) {
  fail(ErrorKind::data, "configuration: {}", error.what());
}

std::string golden_name(std::string name) {
  const size_t dot = name.rfind('.');
  const std::string leaf = name.substr(dot + 1);
  const bool norm = name.find("batchnorm_") != std::string::npos;
  const std::map<std::string, std::string> leaves{{"weight", norm ? "gamma" : "W"},
                                                  {"bias", norm ? "beta" : "b"},
                                                  {"running_mean", "avg_mean"},
                                                  {"running_var", "avg_var"}};
  name = name.substr(0, dot + 1) + leaves.at(leaf);
  std::replace(name.begin(), name.end(), '.', '/');
  return name;
}

}  // namespace vae::golden
