#include "tools/m1_m2/options.h"

#include <cmath>

#include "tools/common/cli.h"

namespace vae {
namespace {

models::Likelihood likelihood_of(const std::string& name) {
  return name == "bernoulli" ? models::Likelihood::bernoulli : models::Likelihood::gaussian;
}

models::ZTerm term_of(const std::string& name) {
  return name == "marginal" ? models::ZTerm::marginal : models::ZTerm::sampled;
}

void fill_common(const ModelOptions& options, models::CommonConfig& config) {
  config.batch_norm_before_activation = options.batch_norm_before_activation;
  config.batch_norm = options.bn;
  config.weight_scale = options.weight_scale;
  config.p_z = term_of(options.p_z);
  config.q_z = term_of(options.q_z);
}

void fill_net(const ModelOptions& options, models::NetConfig& net) {
  net.hidden.clear();
  for (const uint64_t units : parse_numbers(options.hidden, "hidden")) {
    if (units < 1 || units > 1000000000) fail(ErrorKind::usage, "--hidden: a layer of {} units", units);
    net.hidden.push_back(static_cast<int64_t>(units));
  }
  net.activation = nn::parse_activation(options.activation);
  net.batch_norm = options.batch_norm;
  net.batch_norm_to_input = options.batch_norm_to_input;
  net.dropout = options.dropout;
}

}  // namespace

models::M1Config ModelOptions::m1(int64_t x_size) const {
  models::M1Config config;
  fill_common(*this, config);
  config.decoder = likelihood_of(decoder);
  config.x_size = x_size;
  config.z_size = z;
  config.samples = samples;
  for (models::NetConfig* net : {&config.encoder, &config.decoder_net}) fill_net(*this, *net);
  return config;
}

models::M2Config ModelOptions::m2(int64_t x_size, int64_t y_size) const {
  models::M2Config config;
  fill_common(*this, config);
  config.decoder = likelihood_of(decoder);
  config.x_size = x_size;
  config.y_size = y_size;
  config.z_size = z;
  config.z_terms = z_terms == "kl" ? models::ZTerms::kl : models::ZTerms::explicit_terms;
  for (models::NetConfig* net : {&config.encoder_xy_z, &config.encoder_x_y, &config.decoder_net})
    fill_net(*this, *net);
  return config;
}

nn::Adam::Settings ModelOptions::adam() const {
  nn::Adam::Settings settings = models::reference_adam(clip);
  settings.learning_rate = learning_rate;
  return settings;
}

nn::Schedule ModelOptions::schedule(const RunOptions& run) const {
  return {nn::parse_decay(lr_decay), run.epochs * run.iters_per_epoch, lr_warmup};
}

Options preset_options(Tool tool, const std::string& preset) {
  Options o;
  o.preset = preset;
  o.m1.hidden = "600,600";
  o.m2.hidden = "500";
  o.m2.clip = 5;
  o.run.epochs = 1000;
  if (tool == Tool::m1) o.m1.z = 2;
  if (tool == Tool::m1_m2) o.m2.decoder = "gaussian", o.run.iters_per_epoch = 5000, o.run.epochs = 600;
  o.run.run = tool == Tool::m1 ? "runs/m1" : tool == Tool::m2 ? "runs/m2" : "runs/m1_m2";
  if (preset == "seed") return o;
  if (preset == "chainer19") {  // Chainer >= 1.9 takes the root of the scale
    o.m1.weight_scale = o.m2.weight_scale = std::sqrt(0.1);
    return o;
  }
  if (preset ==
      "paper") {  // arXiv:1406.5298: no batch norm, sums over the data, alpha = 0.1 N in one objective
    for (ModelOptions* m : {&o.m1, &o.m2}) m->batch_norm = m->batch_norm_to_input = false, m->clip = 0;
    o.m1.z = 50;
    o.update = "joint";
    o.weights = "counts";
    o.alpha = 0.1;
    return o;
  }
  fail(ErrorKind::usage, "unknown preset '{}': expected seed, chainer19 or paper", preset);
}

namespace {

void add_model_options(CLI::App& command, const std::string& prefix, bool is_m2, ModelOptions& m) {
  const auto option = [&](const std::string& name, auto& value, const std::string& text) {
    return command.add_option("--" + prefix + name, value, text)
        ->default_str(fmt::format("{}", value))  // all digits: a stored configuration repeats a run exactly
        ->group(is_m2 ? "M2" : "M1");
  };
  option("z", m.z, "latent variables")->check(count(1));
  option("hidden", m.hidden, "units of the hidden layers of every net, e.g. 600,600");
  option("activation", m.activation, "sigmoid, tanh, softplus, relu, leaky_relu or elu");
  option("decoder", m.decoder, "likelihood of the decoder")->check(CLI::IsMember({"bernoulli", "gaussian"}));
  if (is_m2)
    option("z-terms", m.z_terms, "KL in closed form, or two terms")->check(CLI::IsMember({"kl", "explicit"}));
  else
    option("samples", m.samples, "draws of z per image")->check(count(1));
  option("type-pz", m.p_z, "log p(z), where explicit")->check(CLI::IsMember({"marginal", "sampled"}));
  option("type-qz", m.q_z, "log q(z), where explicit")->check(CLI::IsMember({"marginal", "sampled"}));
  option("lr", m.learning_rate, "Adam's rate")->check(positive());
  option("lr-decay", m.lr_decay, "rate over the iterations of the run")
      ->check(CLI::IsMember({"constant", "linear", "cosine"}));
  option("lr-warmup", m.lr_warmup, "iterations in which the rate rises")->check(count(0));
  option("clip", m.clip, "norm to which each sub-net's gradients are clipped; 0: none")
      ->check(non_negative());
  option("wscale", m.weight_scale, "initial weights are N(0, wscale^2 / fan_in)")->check(positive());
  option("dropout", m.dropout, "ratio after hidden layers")->check(CLI::Range(0.0, 0.99));
  option("batchnorm", m.batch_norm, "batch norm in hidden layers but the first");
  option("batchnorm-to-input", m.batch_norm_to_input, "batch norm in the first hidden layer");
  option("batchnorm-before-activation", m.batch_norm_before_activation, "f(BN(Wx + b)), else f(W BN(x) + b)");
  option("bn-eps", m.bn.eps, "batch norm's eps")->check(non_negative());
  option("bn-running-var-includes-eps", m.bn.running_var_includes_eps, "Chainer 1's running variance");
  option("bn-eval-adds-eps", m.bn.eval_adds_eps, "eps in test mode, too (textbook)");
}

void add_semi_options(CLI::App& command, Options& o) {
  const auto option = [&](const char* name, auto& value, const char* text) {
    return command.add_option(name, value, text)
        ->default_str(fmt::format("{}", value))
        ->group("Semi-supervision");
  };
  option("--labels", o.labels, "labelled images, the same number of each class")->check(count(1));
  option("--validation", o.validation, "images held out for validation")->check(count(0));
  option("--split-file", o.split_file, "use the split stored in this file");
  option("--batch-labeled", o.batch_labeled, "labelled images per iteration")->check(count(1));
  option("--batch-unlabeled", o.batch_unlabeled, "unlabelled images per iteration")->check(count(0));
  option("--alpha", o.alpha, "weight of the classification loss")->check(non_negative());
  option("--update", o.update, "classification loss stepped apart or jointly")
      ->check(CLI::IsMember({"separate", "joint"}));
  option("--weights", o.weights, "bounds weighted as batch means, or by the size of their sets")
      ->check(CLI::IsMember({"means", "counts"}));
}

}  // namespace

void add_train_options(CLI::App& command, Tool tool, Options& o) {
  command.add_option("--preset", o.preset, "defaults: seed, chainer19 or paper")->capture_default_str();
  add_run_options(command, o.run);
  add_image_options(command, o.images);
  if (tool != Tool::m1) add_semi_options(command, o);
  if (tool == Tool::m1) {
    command.add_option("--batch", o.m1_batch, "images per iteration")->check(count(1))->capture_default_str();
  }
  if (tool == Tool::m1_m2) {
    command.add_option("--m1-run", o.m1_run, "run directory of a trained M1; default: train one first")
        ->group("M1");
    const auto option = [&](const char* name, int64_t& value, const char* text) {
      command.add_option(name, value, text)->check(count(1))->capture_default_str()->group("M1");
    };
    option("--m1-epochs", o.m1_epochs, "epochs of M1");
    option("--m1-iters-per-epoch", o.m1_iters_per_epoch, "iterations per epoch of M1");
    option("--m1-batch", o.m1_batch, "images per iteration of M1");
  }
  if (tool != Tool::m2) add_model_options(command, tool == Tool::m1 ? "" : "m1-", false, o.m1);
  if (tool != Tool::m1) add_model_options(command, "", true, o.m2);
}

}  // namespace vae
