// Published settings: `notebook` and `script` are those of the library whose numbers docs/adgm.md quotes,
// quirks included; `fixed` corrects what is wrong there; `paper` is arXiv:1602.05473 with its authors' public
// code.
#include <algorithm>

#include "tools/adgm/options.h"

namespace vae::adgm_tools {
namespace {

void check_names(Tool tool, const std::string& model, const std::string& preset) {
  using Names = std::vector<std::string>;
  const bool semi = tool == Tool::adgm;
  const auto check = [](const char* what, const std::string& name, const Names& known) {
    if (std::find(known.begin(), known.end(), name) == known.end())
      fail(ErrorKind::usage, "unknown {} '{}': expected {}", what, name, fmt::join(known, ", "));
  };
  check("model", model,
        semi ? Names{"adgm", "sdgm", "m2", "stacked", "ladder"}
             : Names{"vae", "flow", "beta", "ladder", "gumbel"});
  check("preset", preset, semi ? Names{"notebook", "script", "paper", "fixed"} : Names{"notebook", "fixed"});
}

bool is_auxiliary(const Options& o) { return o.model == "adgm" || o.model == "sdgm"; }

void notebook(Tool tool, Options& o) {
  const bool ladder = o.model == "ladder";
  o.hidden = ladder ? "256,128,64" : "256,128";
  o.z = "32";
  o.run.iters_per_epoch = 938;
  o.run.epochs = tool == Tool::adgm ? 10 : 50;
  o.init = is_auxiliary(o) ? "uniform"
                           : "glorot";  // the auxiliary nets are made after the library's initial weights
  if (tool == Tool::adgm) {
    if (ladder) o.z = "64,32,16";
    o.warmup = ladder || is_auxiliary(o) ? 200 : 0;
    o.alpha = ladder || is_auxiliary(o) ? "batches" : "unlabeled-batches";
    return;
  }
  if (ladder) o.z = "32,16,8", o.warmup = 50;
  if (o.model == "flow") o.flows = 16;
  if (o.model == "gumbel") o.z = "10", o.tau = 10, o.tau_factor = 0.7, o.run.epochs = 25;
  if (o.model == "beta") {
    o.hidden = "1200,1200", o.decoder_hidden = "1200,1200,1200", o.decoder_activation = "tanh", o.z = "10";
    o.beta = 4, o.batch = 16, o.optimizer = "adagrad", o.learning_rate = 1e-2, o.run.epochs = 251;
    o.run.iters_per_epoch = 15360;
  }
}

void script(Options& o) {
  notebook(Tool::adgm, o);
  const bool ladder = o.model == "ladder";
  o.hidden = ladder ? "128,128,128" : is_auxiliary(o) ? "500,500" : "600,600";
  o.z = ladder ? "32,16,8" : is_auxiliary(o) ? "100" : "50";
  o.a = 100;
  o.batch = o.batch_labeled = 100;
  o.run.iters_per_epoch = 600;
  o.run.epochs = 251;
  o.run.seed = 1337;
  o.alpha = "unlabeled-batches";
  o.warmup = 240000;
}

void fixed(Options& o) {
  o.log_var = "raw";
  o.flow = o.ladder = o.gumbel = "fixed";
  o.eps = 0;
}

void paper(Options& o) {
  const std::string model = o.model;
  script(o);
  fixed(o);
  if (model != "ladder") o.hidden = "500,500", o.z = "100", o.classifier_hidden = "500,500";
  o.init = "glorot";
  o.share_a = true;
  o.labeled_pixels = "step";
  o.alpha = "examples";
  o.warmup = 0;
  o.clip = 5, o.clamp = 1;
  o.weight_prior = true;
  o.lr_factor = 0.75, o.lr_every = 200, o.lr_floor = 3e-5;
  o.run.seed = 1;
  o.run.epochs = 1000;
  o.predict_draws = is_auxiliary(o) ? 100 : 1;
}

}  // namespace

Options preset_options(Tool tool, const std::string& model, const std::string& preset) {
  check_names(tool, model, preset);
  Options o;
  o.model = model;
  o.preset = preset;
  o.run.run = tool == Tool::adgm ? "runs/adgm" : "runs/vae";
  if (preset == "script")
    script(o);
  else if (preset == "paper")
    paper(o);
  else
    notebook(tool, o);
  if (preset == "fixed") fixed(o);
  return o;
}

}  // namespace vae::adgm_tools
