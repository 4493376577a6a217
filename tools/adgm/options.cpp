#include "tools/adgm/options.h"

#include <cmath>

#include "tools/common/cli.h"

namespace vae::adgm_tools {
namespace {

using models::adgm::Config, models::adgm::Kind;

std::vector<int64_t> sizes_of(const std::string& text, const std::string& option) {
  std::vector<int64_t> sizes;
  if (text.empty()) return sizes;
  for (const uint64_t units : parse_numbers(text, option)) {
    if (units < 1 || units > 1000000000) fail(ErrorKind::usage, "--{}: a layer of {} units", option, units);
    sizes.push_back(static_cast<int64_t>(units));
  }
  return sizes;
}

/// The prior N(0, 1) on every weight, over the number of images: torch's weight decay.
double prior_decay(int64_t images) { return 1 / static_cast<double>(std::max<int64_t>(1, images)); }

}  // namespace

Kind Options::kind(Tool tool) const {
  if (model == "ladder") return tool == Tool::adgm ? Kind::ladder_m2 : Kind::ladder;
  if (model == "adgm") return Kind::adgm;
  if (model == "sdgm") return Kind::sdgm;
  if (model == "m2") return Kind::m2;
  if (model == "stacked") return Kind::stacked;
  if (model == "gumbel") return Kind::gumbel;
  return Kind::vae;
}

Config Options::config(Tool tool, int64_t x_size, int64_t classes) const {
  Config c;
  c.kind = kind(tool);
  c.x_size = x_size;
  c.y_size = classes;
  c.z = sizes_of(z, "z");
  c.a = a;
  c.hidden = sizes_of(hidden, "hidden");
  c.classifier_hidden = sizes_of(classifier_hidden, "classifier-hidden");
  c.decoder_hidden = sizes_of(decoder_hidden, "decoder-hidden");
  c.decoder_activation = nn::parse_activation(decoder_activation);
  c.features_z = features_z;
  c.features_hidden = sizes_of(features_hidden, "features-hidden");
  c.flows = flows;
  c.draws = draws;
  c.eps = eps;
  c.init = init == "glorot" ? models::adgm::Init::glorot_normal : models::adgm::Init::uniform_fan_in;
  c.raw_log_var = log_var == "raw";
  c.share_a = share_a;
  c.fixed_flow = flow == "fixed";
  c.fixed_ladder = ladder == "fixed";
  c.fixed_gumbel = gumbel == "fixed";
  c.check();
  return c;
}

double Options::alpha_of(int64_t labeled, int64_t unlabeled) const {
  const auto batches = [](int64_t images, int64_t size) {
    return static_cast<double>((images + size - 1) / std::max<int64_t>(1, size));
  };
  const double nu = batches(unlabeled, batch), nl = batches(labeled, batch_labeled);
  if (alpha == "batches") return alpha_scale * (nu + nl) / nl;
  if (alpha == "unlabeled-batches") return alpha_scale * nu / nl;
  if (alpha == "examples") return alpha_scale * static_cast<double>(unlabeled) / static_cast<double>(labeled);
  double value = 0;
  if (!CLI::detail::lexical_cast(alpha, value) || !std::isfinite(value) || value < 0)
    fail(ErrorKind::usage,
         "--alpha: '{}' is neither batches, unlabeled-batches, examples nor a number from 0", alpha);
  return value;
}

models::adgm::TaskOptions Options::task(int64_t labeled, int64_t unlabeled) const {
  models::adgm::TaskOptions task;
  task.batch = batch;
  task.batch_labeled = batch_labeled;
  task.seed = run.seed;
  task.iters_per_epoch = run.iters_per_epoch;
  task.alpha = labeled > 0 ? alpha_of(labeled, unlabeled) : 0;
  task.warm_up = {warmup, beta};
  task.sampler = {mc, iw};
  const double decay = weight_prior ? prior_decay(unlabeled) : 0;
  if (optimizer == "adam")
    task.update = nn::Adam::Settings{learning_rate, {.weight_decay = decay}, {clip, clamp}};
  else
    task.update = nn::Adagrad::Settings{learning_rate, {.weight_decay = decay}, {clip, clamp}};
  task.learning_rate = {learning_rate, lr_factor, lr_floor, lr_every};
  task.temperature = {tau, tau_factor, 0, 1};
  task.redraw_labeled = labeled_pixels == "step";
  task.predict_draws = predict_draws;
  task.graph = parse_graph_mode(run.graph);
  return task;
}

namespace {

/// Adds options whose defaults are shown with all digits: a stored configuration repeats a run exactly.
struct Adder {
  CLI::App& command;
  const char* group;
  template <class T>
  CLI::Option* operator()(const char* name, T& value, const char* text) const {
    return command.add_option(name, value, text)->default_str(fmt::format("{}", value))->group(group);
  }
};

void add_model_options(CLI::App& command, Tool tool, Options& o) {
  const Adder option{command, "Model"};
  option("--hidden", o.hidden, "units of hidden layers, bottom to top, e.g. 256,128");
  option("--z", o.z, "latent variables; of each layer of a ladder");
  option("--decoder-hidden", o.decoder_hidden, "units of the decoder's hidden layers; none: those reversed");
  option("--decoder-activation", o.decoder_activation, "sigmoid, tanh, softplus, relu, leaky_relu or elu");
  option("--init", o.init, "initial weights: N(0, 2 / (in + out)), or uniform by in")
      ->check(CLI::IsMember({"glorot", "uniform"}));
  option("--logvar", o.log_var, "log variances through a softplus (so variances from 1), or raw")
      ->check(CLI::IsMember({"softplus", "raw"}));
  option("--eps", o.eps, "inside logarithms of probabilities; 0: exact, through logits")
      ->check(number_that<double>([](double v) { return v >= 0 && v <= 0.5; }, "number from 0 to 1/2"));
  option("--ladder", o.ladder, "reference: the prior's sample goes down; fixed: the posterior's")
      ->check(CLI::IsMember({"reference", "fixed"}));
  if (tool == Tool::adgm) {
    option("--a", o.a, "auxiliary variables")->check(count(1));
    option("--classifier-hidden", o.classifier_hidden,
           "units of q(y|x)'s hidden layers; none: the first of --hidden");
    option("--share-a", o.share_a, "one draw of a per image for all classes and for q(y|a,x)");
    option("--predict-draws", o.predict_draws, "draws of a that predictions average")->check(count(1));
    return;
  }
  option("--flows", o.flows, "planar flows behind the posterior")->check(count(0));
  option("--flow", o.flow,
         "reference: log-determinants of the batch in every row, unflowed z decoded; or fixed")
      ->check(CLI::IsMember({"reference", "fixed"}));
  option("--draws", o.draws, "relaxed samples per image")->check(count(1));
  option("--gumbel", o.gumbel, "softmax over the draws (reference) or the classes (fixed)")
      ->check(CLI::IsMember({"reference", "fixed"}));
  option("--tau", o.tau, "temperature of the first epoch")->check(positive());
  option("--tau-factor", o.tau_factor, "of the temperature after each epoch")->check(positive());
}

void add_objective_options(CLI::App& command, Tool tool, Options& o) {
  const Adder option{command, "Objective"};
  option("--beta", o.beta, "weight of the KL terms, at the end of the warm-up")->check(non_negative());
  option("--warmup", o.warmup, "evaluations of bounds in which it rises from 0; 0: none")->check(count(0));
  if (tool == Tool::vae) return;
  option("--mc", o.mc, "Monte Carlo samples outside the logarithm")->check(count(1));
  option("--iw", o.iw, "importance samples inside")->check(count(1));
  option(
      "--alpha", o.alpha,
      "weight of the classification loss: a number, or --alpha-scale times (unlabelled + labelled batches) "
      "per "
      "labelled one (batches), unlabelled ones (unlabeled-batches), or images per labelled image (examples)");
  option("--alpha-scale", o.alpha_scale, "see --alpha")->check(non_negative());
}

void add_update_options(CLI::App& command, Tool tool, Options& o) {
  const Adder option{command, "Updates"};
  option("--batch", o.batch, "images per iteration, without labels")->check(count(1));
  option("--optimizer", o.optimizer, "adam or adagrad")->check(CLI::IsMember({"adam", "adagrad"}));
  option("--lr", o.learning_rate, "learning rate")->check(positive());
  option("--lr-factor", o.lr_factor, "of the rate after every --lr-every epochs")->check(positive());
  option("--lr-every", o.lr_every, "epochs; 0: never")->check(count(0));
  option("--lr-floor", o.lr_floor, "the rate falls no further")->check(non_negative());
  option("--clip", o.clip, "norm to which gradients are clipped; 0: none")->check(non_negative());
  option("--clamp", o.clamp, "then each element to [-clamp, clamp]; 0: none")->check(non_negative());
  option("--weight-prior", o.weight_prior, "prior N(0, 1) on all weights");
  if (tool == Tool::vae) return;
  option("--batch-labeled", o.batch_labeled, "labelled images per iteration")->check(count(1));
  option("--labels", o.labels, "labelled images, the same number of each class")->check(count(1));
  option("--validation", o.validation, "training images held out for validation")->check(count(0));
  option("--split-file", o.split_file, "use the split stored in this file");
  option("--labeled-pixels", o.labeled_pixels,
         "0/1 pixels of labelled images drawn once an epoch or at every step")
      ->check(CLI::IsMember({"epoch", "step"}));
}

void add_feature_options(CLI::App& command, Options& o) {
  const Adder option{command, "Features of --model stacked"};
  command
      .add_option("--features-run", o.features_run,
                  "finished run of 'vae train --model vae'; default: train one")
      ->group(option.group);
  option("--features-epochs", o.features_epochs, "epochs of the VAE that is trained first")->check(count(1));
  option("--features-z", o.features_z, "its latent variables")->check(count(1));
  option("--features-hidden", o.features_hidden, "its hidden layers");
}

}  // namespace

void add_train_options(CLI::App& command, Tool tool, Options& o) {
  const bool semi = tool == Tool::adgm;
  command
      .add_option("--model", o.model,
                  semi ? "adgm, sdgm, m2, stacked or ladder" : "vae, flow, beta, ladder or gumbel")
      ->capture_default_str();
  command
      .add_option("--preset", o.preset,
                  semi ? "defaults: notebook, script, paper or fixed" : "defaults: notebook or fixed")
      ->capture_default_str();
  add_run_options(command, o.run);
  add_image_options(command, o.images);
  add_model_options(command, tool, o);
  add_objective_options(command, tool, o);
  add_update_options(command, tool, o);
  if (semi) add_feature_options(command, o);
}

}  // namespace vae::adgm_tools
