// Published settings: `notebook` and `script` are those of the library whose numbers docs/adgm.md quotes,
// quirks included; `fixed` corrects what is wrong there; `paper` is arXiv:1602.05473 with its authors' public
// code.
#include "tools/adgm/options.h"

namespace vae::adgm {
namespace {

using Rule = Alpha::Rule;

bool is_auxiliary(const Options& o) { return o.config().kind == Kind::adgm || o.config().kind == Kind::sdgm; }
bool is_ladder(const Options& o) { return o.model == "ladder"; }

void notebook(Options& o) {
  Config& c = o.config();
  const bool ladder = is_ladder(o), auxiliary = is_auxiliary(o);
  if (ladder) c.hidden = {256, 128, 64};
  o.run.iters_per_epoch = 938;
  o.run.epochs = o.semi() ? 10 : 50;
  // the auxiliary nets are made after the library's initial weights
  c.init = auxiliary ? Init::uniform_fan_in : Init::glorot_normal;
  if (o.semi()) {
    if (ladder) c.z = {64, 32, 16};
    o.warmup = ladder || auxiliary ? 200 : 0;
    o.alpha.rule = ladder || auxiliary ? Rule::batches : Rule::unlabeled_batches;
    return;
  }
  if (ladder) c.z = {32, 16, 8}, o.warmup = 50;
  if (o.model == "flow") c.flows = 16;
  if (o.model == "gumbel") c.z = {10}, o.tau = 10, o.tau_factor = 0.7, o.run.epochs = 25;
  if (o.model == "beta") {
    c.hidden = {1200, 1200}, c.decoder_hidden = {1200, 1200, 1200}, c.z = {10};
    c.decoder_activation = kernels::activation(kernels::Map::tanh);
    o.beta = 4, o.settings.batch = 16, o.adagrad = true, o.learning_rate = 1e-2;
    o.run.epochs = 251, o.run.iters_per_epoch = 15360;
  }
}

void script(Options& o) {
  notebook(o);
  const bool ladder = is_ladder(o), auxiliary = is_auxiliary(o);
  o.config().hidden =
      ladder ? std::vector<int64_t>{128, 128, 128} : std::vector<int64_t>(2, auxiliary ? 500 : 600);
  o.config().z = ladder ? std::vector<int64_t>{32, 16, 8} : std::vector<int64_t>{auxiliary ? 100 : 50};
  o.config().a = 100;
  o.settings.batch = o.settings.batch_labeled = 100;
  o.run.iters_per_epoch = 600;
  o.run.epochs = 251;
  o.run.seed = 1337;
  o.alpha.rule = Rule::unlabeled_batches;
  o.warmup = 240000;
}

void fixed(Options& o) {
  Config& c = o.config();
  c.raw_log_var = c.fixed_flow = c.fixed_ladder = c.fixed_gumbel = true;
  c.eps = 0;
}

void paper(Options& o) {
  script(o);
  fixed(o);
  Config& c = o.config();
  if (!is_ladder(o)) c.hidden = c.classifier_hidden = {500, 500}, c.z = {100};
  c.init = Init::glorot_normal;
  c.share_a = true;
  o.settings.redraw_labeled = true;
  o.alpha.rule = Rule::examples;
  o.warmup = 0;
  o.clip = {5, 1};
  o.weight_prior = true;
  o.decay = {.factor = 0.75, .floor = 3e-5, .every = 200};
  o.run.seed = 1;
  o.run.epochs = 1000;
  o.settings.predict_draws = is_auxiliary(o) ? 100 : 1;
}

Kind kind_of(const std::string& model, bool semi) {
  if (model == "adgm") return Kind::adgm;
  if (model == "sdgm") return Kind::sdgm;
  if (model == "m2") return Kind::m2;
  if (model == "stacked") return Kind::stacked;
  if (model == "ladder") return semi ? Kind::ladder_m2 : Kind::ladder;
  return model == "gumbel" ? Kind::gumbel : Kind::vae;
}

}  // namespace

std::vector<std::string> model_names(Tool tool) {
  if (tool == Tool::adgm) return {"adgm", "sdgm", "m2", "stacked", "ladder"};
  return {"vae", "flow", "beta", "ladder", "gumbel"};
}

std::vector<std::string> preset_names(Tool tool) {
  if (tool == Tool::adgm) return {"notebook", "script", "paper", "fixed"};
  return {"notebook", "fixed"};
}

Options preset_options(Tool tool, const tool::Find& find) {
  const std::string model = find("model", tool == Tool::adgm ? "adgm" : "vae"),
                    preset = find("preset", "notebook");
  tool::check_name("model", model, model_names(tool));
  tool::check_name("preset", preset, preset_names(tool));
  Options o;
  o.model = model;
  o.preset = preset;
  o.run.run = tool == Tool::adgm ? "runs/adgm" : "runs/vae";
  o.config().kind = kind_of(model, tool == Tool::adgm);
  if (o.semi()) o.settings.objective.class_threshold = nn::kNegligibleWeight;
  o.config().features_z = 32, o.config().features_hidden = {256, 128};
  if (preset == "script")
    script(o);
  else if (preset == "paper")
    paper(o);
  else
    notebook(o);
  if (preset == "fixed") fixed(o);
  return o;
}

}  // namespace vae::adgm
