#include "tools/m1_m2/options.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>

#include "tools/common/model_options.h"

namespace vae::m1_m2 {
namespace {

using tool::at_least, tool::choice, tool::OptionTable;

const std::vector<std::string> kPresets{"seed", "chainer19", "paper"};

std::vector<NetConfig*> nets_of(M1Config& c) { return {&c.encoder, &c.decoder_net}; }
std::vector<NetConfig*> nets_of(M2Config& c) { return {&c.encoder_xy_z, &c.encoder_x_y, &c.decoder_net}; }

/// A member of all nets.
template <class T>
std::vector<T*> each(const std::vector<NetConfig*>& nets, T NetConfig::*member) {
  std::vector<T*> members;
  for (NetConfig* net : nets) members.push_back(&(net->*member));
  return members;
}

template <class Options>
Options preset_of(const tool::Find& find) {
  const std::string preset = find("preset", "seed");
  tool::check_name("preset", preset, kPresets);
  Options o;
  o.preset = preset;
  o.run.epochs = 1000;
  if (preset == "chainer19")
    o.settings.model.weight_scale = std::sqrt(0.1);  // Chainer >= 1.9 takes the scale's root
  if (preset == "paper") {                           // arXiv:1406.5298: no batch norm, no clipping
    for (NetConfig* net : nets_of(o.settings.model)) net->batch_norm = net->batch_norm_to_input = false;
    o.settings.adam.clip = {};
  }
  return o;
}

}  // namespace

M1Options m1_preset(const tool::Find& find) {
  auto o = preset_of<M1Options>(find);
  o.run.run = "runs/m1";
  if (o.preset == "paper") o.settings.model.z_size = 50;
  return o;
}

M2Options m2_preset(const tool::Find& find) {
  auto o = preset_of<M2Options>(find);
  o.run.run = "runs/m2";
  o.settings.objective.class_threshold = nn::kNegligibleWeight;
  if (o.preset == "paper") {  // sums over the data, alpha = 0.1 N in one objective
    o.settings.objective.update = M2Update::joint, o.settings.objective.alpha = 0.1;
    o.weights_count = true;
  }
  return o;
}

M2Options m1_m2_preset(const tool::Find& find) {
  M2Options o = m2_preset(find);
  o.run.run = "runs/m1_m2";
  o.run.epochs = 600, o.run.iters_per_epoch = 5000;
  o.settings.model.decoder = LikelihoodKind::gaussian;
  o.m1 = m1_preset(find);
  o.m1->run.epochs = 500;
  o.m1->settings.model.z_size = 50;
  return o;
}

namespace {

void describe_bound(const OptionTable& t, CommonConfig& c) {
  const auto term = choice<ZTerm>({{"marginal", ZTerm::marginal}, {"sampled", ZTerm::sampled}});
  t.add("type-pz", c.p_z, "log p(z), where explicit", term);
  t.add("type-qz", c.q_z, "log q(z), where explicit", term);
}

/// Written where the rate falls, so that a resumed run keeps the length it began with.
void describe_length(const OptionTable& t, RateOptions& rate, const tool::RunOptions& run) {
  const auto epochs = tool::or_none(at_least(1));
  const auto print = [&, number = at_least(1)](const std::optional<int64_t>& given) {
    return rate.decay == kernels::Decay::constant ? std::string() : number.print(given.value_or(run.epochs));
  };
  t.add("lr-epochs", rate.epochs, "epochs in which the rate falls; default: those that the run begins with",
        {epochs.type, epochs.parse, print})
      .kept([&rate, epochs](const std::string& then) {
        if (!rate.epochs) rate.epochs = epochs.parse(then);
      });
}

void describe_updates(const OptionTable& t, nn::Adam::Settings& adam, RateOptions& rate,
                      const tool::RunOptions& run) {
  using kernels::Decay;
  t.add("lr", adam.learning_rate, "Adam's rate", tool::positive());
  t.add("lr-decay", rate.decay, "rate over the iterations",
        choice<Decay>({{"constant", Decay::constant}, {"linear", Decay::linear}, {"cosine", Decay::cosine}}));
  describe_length(t, rate, run);
  t.add("lr-warmup", rate.warmup, "iterations in which the rate rises", at_least(0));
  t.add("clip", adam.clip.norm, "norm to which each sub-net's gradients are clipped; 0: none",
        tool::non_negative());
}

void describe_layers(const OptionTable& t, CommonConfig& c, const std::vector<NetConfig*>& nets) {
  t.add("wscale", c.weight_scale, "initial weights are N(0, wscale^2 / fan_in)", tool::positive());
  t.add("dropout", each(nets, &NetConfig::dropout), "ratio after hidden layers", tool::between(0.0, 0.99));
  t.add("batchnorm", each(nets, &NetConfig::batch_norm), "batch norm in hidden layers but the first");
  t.add("batchnorm-to-input", each(nets, &NetConfig::batch_norm_to_input),
        "batch norm in the first hidden layer");
  t.add("batchnorm-before-activation", c.batch_norm_before_activation, "f(BN(Wx + b)), else f(W BN(x) + b)");
  t.add("bn-eps", c.batch_norm.eps, "batch norm's eps", tool::non_negative());
  t.add("bn-running-var-includes-eps", c.batch_norm.running_var_includes_eps, "Chainer 1's running variance");
  t.add("bn-eval-adds-eps", c.batch_norm.eval_adds_eps, "eps in test mode, too (textbook)");
}

/// The model and its updates.
template <class Options>
void describe_model(const OptionTable& t, Options& o) {
  auto& model = o.settings.model;
  const std::vector<NetConfig*> nets = nets_of(model);
  t.add("z", model.z_size, "latent variables", at_least(1));
  t.add("hidden", each(nets, &NetConfig::hidden), "units of the hidden layers of every net, e.g. 600,600",
        tool::layers());
  t.add("activation", each(nets, &NetConfig::activation), tool::activations(), tool::activation());
  t.add("decoder", model.decoder, "likelihood of the decoder",
        choice<LikelihoodKind>(
            {{"bernoulli", LikelihoodKind::bernoulli}, {"gaussian", LikelihoodKind::gaussian}}));
  if constexpr (requires { model.z_terms; })
    t.add("z-terms", model.z_terms, "KL in closed form, or two terms",
          choice<ZTerms>({{"kl", ZTerms::kl}, {"explicit", ZTerms::explicit_terms}}));
  else
    t.add("samples", model.samples, "draws of z per image", at_least(1));
  describe_bound(t, model);
  describe_updates(t, o.settings.adam, o.rate, o.run);
  describe_layers(t, model, nets);
}

void describe_objective(const OptionTable& t, M2Options& o) {
  describe(t, o.split);
  t.add("batch-labeled", o.settings.batch_labeled, "labelled images per iteration", at_least(1));
  t.add("batch-unlabeled", o.settings.batch_unlabeled, "unlabelled images per iteration", at_least(0));
  t.add("alpha", o.settings.objective.alpha, "weight of the classification loss", tool::non_negative());
  t.add("update", o.settings.objective.update, "classification loss stepped apart or jointly",
        choice<M2Update>({{"separate", M2Update::separate}, {"joint", M2Update::joint}}));
  t.add("weights", o.weights_count, "bounds weighted as batch means, or by the size of their sets",
        choice<bool>({{"means", false}, {"counts", true}}));
  tool::describe_class_threshold(t, o.settings.objective.class_threshold);
}

/// M1 below M2, described as the tool m1 does but for the prefix.
void describe_stage(const OptionTable& t, M2Options& o) {
  t.add("m1-run", o.m1_run, "run directory of a trained M1; default: train one first", tool::absolute_path());
  const OptionTable m1 = t.prefixed("m1-");
  m1.add("epochs", o.m1->run.epochs, "epochs of M1", at_least(1));
  m1.add("iters-per-epoch", o.m1->run.iters_per_epoch, "iterations per epoch of M1", at_least(1));
  m1.add("batch", o.m1->settings.batch, "images per iteration of M1", at_least(1));
  describe_model(m1, *o.m1);
}

template <class Options>
void describe_run(const OptionTable& t, Options& o) {
  t.add("preset", o.preset, "defaults: " + tool::listed(kPresets));
  describe(t, o.run);
  describe(t, o.images);
}

}  // namespace

void describe(const OptionTable& table, M1Options& o) {
  describe_run(table, o);
  table.add("batch", o.settings.batch, "images per iteration", at_least(1));
  describe_model(table.group("M1"), o);
}

void describe(const OptionTable& table, M2Options& o) {
  describe_run(table, o);
  describe_objective(table.group("Semi-supervision"), o);
  if (o.m1) describe_stage(table.group("M1"), o);
  describe_model(table.group("M2"), o);
}

namespace {

/// The rate of a run, from its base.
kernels::Schedule schedule_of(double base, const RateOptions& rate, const tool::RunOptions& run) {
  return kernels::Schedule::decay(base, rate.decay, rate.epochs.value_or(run.epochs) * run.iters_per_epoch,
                                  rate.warmup);
}

template <class Config>
bool has_batch_norm(Config model) {
  for (const NetConfig* net : nets_of(model))
    if (net->batch_norm || net->batch_norm_to_input) return true;
  return false;
}

/// A rate that falls in another time than that of the run is no mistake, but must not go unsaid.
void tell_length(const RateOptions& rate, const tool::RunOptions& run, const std::string& prefix) {
  if (rate.decay == kernels::Decay::constant || rate.epochs.value_or(run.epochs) == run.epochs) return;
  fmt::print(stderr,
             "the learning rate falls in {} epochs, though the run has {}; --{}lr-epochs changes that\n",
             *rate.epochs, run.epochs, prefix);
}

void check_training(const M1Options& o, const train::Data& data, const std::string& prefix) {
  if (has_batch_norm(o.settings.model))
    tool::check_normalized(prefix + "batch", o.settings.batch, data.train.size());
  tell_length(o.rate, o.run, prefix);
}

train::Inputs inputs_of(LikelihoodKind decoder) {
  return decoder == LikelihoodKind::bernoulli ? train::Inputs::binary : train::Inputs::unit;
}

}  // namespace

train::Inputs inputs_of(const M1Options& o) { return inputs_of(o.settings.model.decoder); }
train::Inputs inputs_of(const M2Options& o) {
  return o.m1 ? inputs_of(*o.m1) : inputs_of(o.settings.model.decoder);
}

M1Recipe::Settings settings_of(const M1Options& o, const train::Data& data) {
  M1Recipe::Settings s = o.settings;
  s.model.x_size = data.train.image_size();
  s.rate = schedule_of(s.adam.learning_rate, o.rate, o.run);
  return s;
}

M2Recipe::Settings settings_of(const M2Options& o, const train::Data& data) {
  M2Recipe::Settings s = o.settings;
  s.model.x_size = data.train.image_size(), s.model.y_size = data.classes;
  s.rate = schedule_of(s.adam.learning_rate, o.rate, o.run);
  if (o.m1) {
    s.m1 = o.m1->settings.model;
    s.m1->x_size = data.train.image_size();
    s.model.x_size = s.m1->z_size;
  }
  if (o.weights_count) {
    const auto labeled = static_cast<double>(data.split.labeled.numel()),
               unlabeled = static_cast<double>(data.split.unlabeled.numel());
    s.objective.labeled = labeled / (labeled + unlabeled),
    s.objective.unlabeled = unlabeled / (labeled + unlabeled);
  }
  return s;
}

void check_training(const M1Options& o, const train::Data& data) { check_training(o, data, ""); }

void check_training(const M2Options& o, const train::Data& data) {
  if (has_batch_norm(o.settings.model)) {
    tool::check_normalized("batch-labeled", o.settings.batch_labeled, data.split.labeled.numel());
    tool::check_normalized("batch-unlabeled", o.settings.batch_unlabeled, data.split.unlabeled.numel());
  }
  tell_length(o.rate, o.run, "");
  if (o.m1 && o.m1_run.empty()) check_training(*o.m1, data, "m1-");
}

std::unique_ptr<train::Recipe> make_recipe(const M1Options& o, const train::Data& data,
                                           nn::Options of_model) {
  return std::make_unique<M1Recipe>(settings_of(o, data), data, of_model);
}

std::unique_ptr<train::Recipe> make_recipe(const M2Options& o, const train::Data& data,
                                           nn::Options of_model) {
  return std::make_unique<M2Recipe>(settings_of(o, data), data, of_model);
}

std::optional<tool::Stage> stage_of(const M2Options& o) {
  if (!o.m1) return {};
  const auto setup = [o](const tool::RunOptions& below) {
    M1Options stage = *o.m1;
    stage.tool_name = "m1";
    stage.images = o.images;
    stage.run = below;
    stage.run.epochs = o.m1->run.epochs, stage.run.iters_per_epoch = o.m1->run.iters_per_epoch;
    return tool::setup_of(stage);
  };
  const auto part = [](train::Recipe& recipe) {
    M1* m1 = dynamic_cast<M2Recipe&>(recipe).m1();
    return tool::Stage::Part{m1, meta_of(*m1)};
  };
  return tool::Stage{"M1", "m1", "m1", o.m1_run, setup, part};
}

}  // namespace vae::m1_m2
