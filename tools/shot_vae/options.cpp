#include "tools/shot_vae/options.h"

namespace vae::shot_vae {

using tool::at_least, tool::choice, tool::non_negative, tool::OptionTable, tool::positive;

namespace {

/// Images of CIFAR-10 that the published code's share of labelled ones is of.
constexpr double kShareOf = 40000;

/// All ramps of an objective.
std::vector<Ramp*> ramps_of(Objective& o) {
  return {&o.target_z, &o.target_y, &o.beta_z, &o.beta_y, &o.elbo, &o.distance, &o.unlabeled};
}

/// What the runs had that the published numbers come from.
void set_published(Objective& o, const std::string& data) {
  o.target_z.top = data == "cifar100" ? 1280 : 200;
  if (data == "cifar100") o.beta_z.top = 0.1;
}

}  // namespace

Options preset_options(Method method, const tool::Find& find) {
  Options o;
  const std::string data = find("data", "auto");
  const bool of_100 = data == "cifar100", shot = method == Method::shot;
  set_preset(o, find, shot ? "shot_vae" : "shot_m2");
  ShotRecipe::Settings& s = o.settings;
  s.method = method;
  const int64_t epochs = of_100 ? 700 : 600;
  o.training.rate.drops = of_100 ? std::vector<int64_t>{500, 600, 650} : std::vector<int64_t>{400, 500, 550};
  const double labeled = static_cast<double>(asked_for(find, "labels", o.split.labels)) / kShareOf;
  s.objective = reference_objective(method, data == "auto" ? "cifar10" : data, epochs,
                                    o.training.rate.drops[0], labeled);
  if (!of_100) s.objective.reconstruction = Reconstruction::bernoulli;
  o.training.source.equal_batches = method == Method::m2;
  if (o.preset == "published" && shot) set_published(s.objective, data);
  const double by = shrinking(o, find, epochs);
  o.run.epochs = shrunk(epochs, by);
  if (o.preset != "fast") return o;
  for (int64_t& drop : o.training.rate.drops) drop = shrunk(drop, by);
  for (Ramp* ramp : ramps_of(s.objective)) ramp->epochs = shrunk(ramp->epochs, by);
  if (s.objective.boost_after > 0) s.objective.boost_after = shrunk(s.objective.boost_after, by);
  s.model.decoder_width = 16;
  s.decode_mixed = false;
  return o;
}

namespace {

void describe_model(const OptionTable& t, ShotRecipe::Settings& s) {
  t.add("z", s.model.z_size, "latent variables", at_least(1)).alias("latent-dim-continuous").alias("ldc");
  t.add("decoder-width", s.model.decoder_width, "maps of the decoder's last hidden layer", at_least(1));
  t.add("temperature", s.model.temperature, "of the relaxed draw of y", positive());
  t.add("reconstruction", s.objective.reconstruction, "-log p(x|z,y) of pixels, or squared error",
        choice<Reconstruction>(
            {{"bernoulli", Reconstruction::bernoulli}, {"squared", Reconstruction::squared}}));
  t.add("x-sigma", s.objective.sigma, "deviation of the squared error", positive());
}

void describe_objective(const OptionTable& t, Options& o) {
  Objective& c = o.settings.objective;
  t.add("z-target", c.target_z.top, "nats that KL(q(z|x) || p) is held to", non_negative())
      .alias("continuous-mutual-info")
      .alias("cmi");
  t.add("y-target", c.target_y.top, "nats that KL(q(y|x) || p) is held to", non_negative())
      .alias("discrete-mutual-info")
      .alias("dmi");
  t.add("beta-z", c.beta_z.top, "what a nat from the target of z costs", non_negative()).alias("kbmc");
  t.add("beta-y", c.beta_y.top, "what a nat from the target of y costs", non_negative()).alias("kbmd");
  t.add<int64_t>("beta-epochs", {&c.target_z.epochs, &c.target_y.epochs, &c.beta_z.epochs, &c.beta_y.epochs},
                 "epochs in which targets and costs rise", at_least(0))
      .alias("akb");
  t.add("elbo-weight", c.elbo.top, "of the bound beside the classification", non_negative()).alias("ewm");
  t.add("elbo-epochs", c.elbo.epochs, "epochs in which it rises", at_least(0)).alias("aew");
  t.add("elbo-boost", c.elbo_boost, "factor of it behind epoch --boost-after", non_negative());
  t.add("boost-after", c.boost_after, "counted from 0; -1: never",
        tool::number_that<int64_t>([](int64_t v) { return v >= -1; }, "whole number from -1"));
  if (o.settings.method == Method::m2) return;
  t.add("distance-weight", c.distance.top, "of the codes of mixed images from mixed codes", non_negative())
      .alias("pwm");
  t.add("distance-epochs", c.distance.epochs, "epochs in which it rises", at_least(0)).alias("apw");
  t.add("unlabeled-weight", c.unlabeled.top, "of the classification of mixed unlabelled images",
        non_negative())
      .alias("wrd");
  t.add("unlabeled-epochs", c.unlabeled.epochs, "epochs in which it rises", at_least(0));
  t.add("epsilon", o.settings.epsilon, "labelled images are mixed by Beta(e, e); 0: not", non_negative());
  t.add("partner", o.settings.partner, "what an unlabelled image is mixed with: any, or the nearest code",
        choice<Partner>({{"random", Partner::random}, {"nearest", Partner::nearest}}));
  t.add("decode-mixed", o.settings.decode_mixed,
        "decode mixed images, too, for the statistics of the decoder's norms");
}

}  // namespace

void describe(const OptionTable& table, Options& o) {
  describe_run(table, o);
  describe_training(table.group("Training"), o);
  const OptionTable t = table.group(o.settings.method == Method::shot ? "SHOT-VAE" : "M2");
  describe_model(t, o.settings);
  describe_objective(t, o);
}

train::Inputs inputs_of(const Options&) { return train::Inputs::unit; }

ShotRecipe::Settings settings_of(const Options& o, const train::Data& data) {
  ShotRecipe::Settings s = o.settings;
  s.training = training_of(o);
  s.model.backbone = backbone_of(o, data);
  s.model.classes = data.classes;
  s.model.side = data.train.pixels.size(1);
  return s;
}

std::unique_ptr<train::Recipe> make_recipe(const Options& o, const train::Data& data, nn::Options of_model) {
  return std::make_unique<ShotRecipe>(settings_of(o, data), data, of_model);
}

void check_training(const Options& o, const train::Data& data) { check_batches(o, data, true); }

tool::Tool<Options> shot_tool(Method method) {
  const bool shot = method == Method::shot;
  return {shot ? "shot_vae" : "shot_m2",
          shot ? "SHOT-VAE, Feng et al. (2021), on a deep backbone."
               : "The plain semi-supervised bound on a deep backbone, which the SHOT-VAE paper calls M2.",
          [=](const tool::Find& find) { return preset_options(method, find); },
          {tool::report_inspection<Options>("accuracy, calibration and divergences of a trained run"),
           tool::pictures_inspection<Options>("sample"), import_shot(),
           exporter::inspection<Options>(exported_shot())}};
}

}  // namespace vae::shot_vae
