#include "tools/adgm/options.h"

#include "tools/common/model_options.h"

namespace vae::adgm {

using tool::at_least, tool::choice, tool::non_negative, tool::OptionTable, tool::positive, tool::Spelling;

namespace {

double ratio(double scale, int64_t a, int64_t b) {
  return scale * static_cast<double>(a) / static_cast<double>(b);
}

/// The weight of the classification loss where `unlabeled` images, of which `labeled` have labels, are
/// trained on.
double alpha_of(const Options& o, int64_t labeled, int64_t unlabeled) {
  using Rule = Alpha::Rule;
  const auto batches = [](int64_t images, int64_t size) { return (images + size - 1) / size; };
  const int64_t nu = batches(unlabeled, o.settings.batch), nl = batches(labeled, o.settings.batch_labeled);
  if (labeled == 0) return 0;
  switch (o.alpha.rule) {
    case Rule::given:
      return o.alpha.value;
    case Rule::batches:
      return ratio(o.alpha_scale, nu + nl, nl);
    case Rule::unlabeled_batches:
      return ratio(o.alpha_scale, nu, nl);
    default:
      return ratio(o.alpha_scale, unlabeled, labeled);
  }
}

/// The prior N(0, 1) on every weight, over the number of images: torch's weight decay.
nn::OptimizerSettings rule_of(const Options& o, int64_t images) {
  const double decay = o.weight_prior ? ratio(1, 1, std::max<int64_t>(1, images)) : 0;
  if (o.adagrad) return nn::Adagrad::Settings{o.learning_rate, {.weight_decay = decay}, o.clip};
  return nn::Adam::Settings{o.learning_rate, {.weight_decay = decay}, o.clip};
}

}  // namespace

train::Inputs inputs_of(const Options&) { return train::Inputs::drawn; }

Settings settings_of(const Options& o, const train::Data& data) {
  using kernels::Schedule;
  const int64_t labeled = data.split.labeled.defined() ? data.split.labeled.numel() : 0;
  // the bound of unlabelled images takes all
  const int64_t unlabeled = o.semi() ? labeled + data.split.unlabeled.numel() : data.train.size();
  Settings s = o.settings;
  s.model.x_size = data.train.image_size(), s.model.y_size = data.classes;
  s.iters_per_epoch = o.run.iters_per_epoch;
  s.model.temperature = Schedule::steps(o.tau, o.tau_factor, s.iters_per_epoch);
  s.objective.alpha = alpha_of(o, labeled, unlabeled);
  // The warm-up counts evaluations of bounds, of which an iteration with labels has two.
  s.objective.beta_labeled = Schedule::rise(o.beta, o.warmup, 2, 1);
  s.objective.beta = o.semi() ? Schedule::rise(o.beta, o.warmup, 2, 2) : Schedule::rise(o.beta, o.warmup);
  s.rule = rule_of(o, unlabeled);
  s.rate = Schedule::steps(o.learning_rate, o.decay.factor, o.decay.every * s.iters_per_epoch, o.decay.floor);
  return s;
}

std::unique_ptr<train::Recipe> make_recipe(const Options& o, const train::Data& given, nn::Options of_model) {
  train::Data data = given;
  if (o.semi()) {
    std::vector<int64_t> all = data.split.labeled.to_vector<int64_t>();
    const auto others = data.split.unlabeled.to_vector<int64_t>();
    all.insert(all.end(), others.begin(), others.end());
    data.split.unlabeled = train::items_of(all, data.train.device());
  }
  return make_recipe(settings_of(o, given), data, of_model);
}

void check_training(const Options& o, const train::Data& data) {
  const Kind kind = o.config().kind;
  if (kind != Kind::ladder && kind != Kind::ladder_m2) return;  // the nets with batch norm
  const int64_t labeled = data.split.labeled.numel();
  const int64_t images = o.semi() ? labeled + data.split.unlabeled.numel() : data.train.size();
  tool::check_normalized("batch", o.settings.batch, images);
  if (o.semi()) tool::check_normalized("batch-labeled", o.settings.batch_labeled, labeled);
}

std::optional<tool::Stage> stage_of(const Options& o) {
  if (o.config().kind != Kind::stacked) return {};
  const auto setup = [o](const tool::RunOptions& below) {
    Options stage = preset_options(Tool::vae, [](const auto&, const auto& fallback) { return fallback; });
    stage.tool_name = "vae";
    stage.run = below;
    stage.run.epochs = o.features_epochs;
    stage.images = o.images;
    stage.config().z = {o.config().features_z};
    stage.config().hidden = o.config().features_hidden;
    stage.config().raw_log_var = o.config().raw_log_var;
    stage.settings.batch = o.settings.batch;
    stage.learning_rate = o.learning_rate;
    return tool::setup_of(stage);
  };
  const auto part = [](train::Recipe& recipe) {
    Model* features = dynamic_cast<FamilyRecipe&>(recipe).model().frozen();
    return tool::Stage::Part{features, meta_of(*features)};
  };
  return tool::Stage{"features", "vae", "features", o.features_run, setup, part};
}

namespace {

Spelling<bool> reference_or_fixed() { return choice<bool>({{"reference", false}, {"fixed", true}}); }

/// A rule's name or a number.
Spelling<Alpha> alpha_spelling() {
  using Rule = Alpha::Rule;
  const auto rule = choice<Rule>({{"batches", Rule::batches},
                                  {"unlabeled-batches", Rule::unlabeled_batches},
                                  {"examples", Rule::examples}});
  const auto number = tool::number_that<double>([](double v) { return v >= 0; },
                                                "number from 0, nor batches, unlabeled-batches or examples");
  const auto parse = [=](const std::string& text) -> Alpha {
    for (const Rule r : {Rule::batches, Rule::unlabeled_batches, Rule::examples})
      if (rule.print(r) == text) return {r};
    return {Rule::given, number.parse(text)};
  };
  return {"TEXT", parse,
          [=](const Alpha& a) { return a.rule == Rule::given ? number.print(a.value) : rule.print(a.rule); }};
}

void describe_labeled_model(const OptionTable& t, Options& o) {
  Config& c = o.config();
  t.add("a", c.a, "auxiliary variables", at_least(1));
  t.add("classifier-hidden", c.classifier_hidden,
        "units of q(y|x)'s hidden layers; none: the first of --hidden", tool::layers(true));
  t.add("share-a", c.share_a, "one draw of a per image for all classes and for q(y|a,x)");
  t.add("predict-draws", o.settings.predict_draws, "draws of a that predictions average", at_least(1))
      .of_trained();
}

void describe_unlabeled_model(const OptionTable& t, Options& o) {
  Config& c = o.config();
  t.add("flows", c.flows, "planar flows behind the posterior", at_least(0));
  t.add("flow", c.fixed_flow,
        "reference: log-determinants of the batch in every row, unflowed z decoded; or fixed",
        reference_or_fixed());
  t.add("draws", c.draws, "relaxed samples per image", at_least(1));
  t.add("gumbel", c.fixed_gumbel, "softmax over the draws (reference) or the classes (fixed)",
        reference_or_fixed());
  t.add("tau", o.tau, "temperature of the first epoch", positive());
  t.add("tau-factor", o.tau_factor, "of the temperature after each epoch", positive());
}

void describe_model(const OptionTable& t, Options& o) {
  Config& c = o.config();
  t.add("hidden", c.hidden, "units of hidden layers, bottom to top, e.g. 256,128", tool::layers());
  t.add("z", c.z, "latent variables; of each layer of a ladder", tool::layers());
  t.add("decoder-hidden", c.decoder_hidden, "units of the decoder's hidden layers; none: those reversed",
        tool::layers(true));
  t.add("decoder-activation", c.decoder_activation, tool::activations(), tool::activation());
  t.add("init", c.init, "initial weights: N(0, 2 / (in + out)), or uniform by in",
        choice<Init>({{"glorot", Init::glorot_normal}, {"uniform", Init::uniform_fan_in}}));
  t.add("logvar", c.raw_log_var, "log variances through a softplus (so variances from 1), or raw",
        choice<bool>({{"softplus", false}, {"raw", true}}));
  t.add("eps", c.eps, "inside logarithms of probabilities; 0: exact, through logits",
        tool::number_that<double>([](double v) { return v >= 0 && v <= 0.5; }, "number from 0 to 1/2"));
  t.add("ladder", c.fixed_ladder, "reference: the prior's sample goes down; fixed: the posterior's",
        reference_or_fixed());
  o.semi() ? describe_labeled_model(t, o) : describe_unlabeled_model(t, o);
}

void describe_objective(const OptionTable& t, Options& o) {
  t.add("beta", o.beta, "weight of the KL terms, at the end of the warm-up", non_negative());
  t.add("warmup", o.warmup, "evaluations of bounds in which it rises from 0; 0: none", at_least(0));
  if (!o.semi()) return;
  t.add("mc", o.settings.objective.samples.mc, "Monte Carlo samples outside the logarithm", at_least(1));
  t.add("iw", o.settings.objective.samples.iw, "importance samples inside", at_least(1));
  t.add("alpha", o.alpha,
        "weight of the classification loss: a number, or --alpha-scale times (unlabelled + labelled batches) "
        "per labelled one (batches), unlabelled ones (unlabeled-batches), or images per labelled image "
        "(examples)",
        alpha_spelling());
  t.add("alpha-scale", o.alpha_scale, "see --alpha", non_negative());
  tool::describe_class_threshold(t, o.settings.objective.class_threshold);
}

void describe_updates(const OptionTable& t, Options& o) {
  t.add("batch", o.settings.batch, "images per iteration, without labels", at_least(1));
  t.add("optimizer", o.adagrad, "adam or adagrad", choice<bool>({{"adam", false}, {"adagrad", true}}));
  t.add("lr", o.learning_rate, "learning rate", positive());
  t.add("lr-factor", o.decay.factor, "of the rate after every --lr-every epochs", positive());
  t.add("lr-every", o.decay.every, "epochs; 0: never", at_least(0));
  t.add("lr-floor", o.decay.floor, "the rate falls no further", non_negative());
  t.add("clip", o.clip.norm, "norm to which gradients are clipped; 0: none", non_negative());
  t.add("clamp", o.clip.element, "then each element to [-clamp, clamp]; 0: none", non_negative());
  t.add("weight-prior", o.weight_prior, "prior N(0, 1) on all weights");
  if (!o.semi()) return;
  t.add("batch-labeled", o.settings.batch_labeled, "labelled images per iteration", at_least(1));
  describe(t, o.split);
  t.add("labeled-pixels", o.settings.redraw_labeled,
        "0/1 pixels of labelled images drawn once an epoch or at every step",
        choice<bool>({{"epoch", false}, {"step", true}}));
}

void describe_features(const OptionTable& t, Options& o) {
  t.add("features-run", o.features_run, "finished run of 'vae train --model vae'; default: train one",
        tool::absolute_path());
  t.add("features-epochs", o.features_epochs, "epochs of the VAE that is trained first", at_least(1));
  t.add("features-z", o.config().features_z, "its latent variables", at_least(1));
  t.add("features-hidden", o.config().features_hidden, "its hidden layers", tool::layers());
}

}  // namespace

void describe(const OptionTable& table, Options& o) {
  table.add("model", o.model, tool::listed(model_names(o.tool())));
  table.add("preset", o.preset, "defaults: " + tool::listed(preset_names(o.tool())));
  describe(table, o.run);
  describe(table, o.images);
  describe_model(table.group("Model"), o);
  describe_objective(table.group("Objective"), o);
  describe_updates(table.group("Updates"), o);
  if (o.semi()) describe_features(table.group("Features of --model stacked"), o);
}

}  // namespace vae::adgm
