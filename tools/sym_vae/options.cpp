#include "tools/sym_vae/options.h"

#include "nn/train/checkpoint.h"
#include "tools/common/model_options.h"

namespace vae::sym_vae {

using tool::at_least, tool::choice, tool::non_negative, tool::OptionTable, tool::positive,
    tool::unless_default;

namespace {
const std::vector<std::string> kPresets{"mnist-ladder", "mnist-reverse", "fmnist-ladder"};
}

Options preset_options(const tool::Find& find) {
  const std::string preset = find("preset", "mnist-ladder");
  tool::check_name("preset", preset, kPresets);
  Options o;
  o.preset = preset;
  o.run.run = "runs/sym_vae";
  o.run.epochs = 200;
  o.run.iters_per_epoch = 1000;
  o.run.log_every = 100;
  Config& model = o.settings.model;
  if (preset == "mnist-reverse") model.encoder = EncoderKind::reverse;
  if (preset == "fmnist-ladder") {
    o.images.dataset = "fashion-mnist";
    model.likelihood = nn::LikelihoodKind::gaussian;
    model.encoder_units = 1000;
    model.decoder_activation = kernels::kRelu;
  }
  return o;
}

train::Inputs inputs_of(const Options& o) {
  return o.settings.model.likelihood == nn::LikelihoodKind::bernoulli ? train::Inputs::binary
                                                                      : train::Inputs::unit;
}

std::unique_ptr<train::Recipe> make_recipe(const Options& o, const train::Data& data, nn::Options of_model) {
  auto recipe = std::make_unique<SymVaeRecipe>(o.settings, data, of_model);
  if (!o.load.empty()) {
    nn::StateDict weights;
    recipe->model().add_state(weights);
    train::load_weights(o.load / train::kCheckpointFile, weights, recipe->meta());
  }
  return recipe;
}

void describe(const OptionTable& table, Options& o) {
  table.add("preset", o.preset, "defaults: " + tool::listed(kPresets));
  describe(table, o.run);
  describe(table, o.images);
  const OptionTable t = table.group("Symmetric VAE");
  SymVaeRecipe::Settings& s = o.settings;
  t.add("learn", s.learning, "symmetric equilibrium, or the bound",
        choice<Learning>({{"sym", Learning::symmetric}, {"elbo", Learning::elbo}}));
  t.add("encoder", s.model.encoder, "ladder: q(z0|x) q(z1|z0,x); reverse: q(z1|x) q(z0|z1)",
        choice<EncoderKind>({{"ladder", EncoderKind::ladder}, {"reverse", EncoderKind::reverse}}));
  t.add("likelihood", s.model.likelihood, "of pixels: bits, or Gaussians of one deviation",
        choice<nn::LikelihoodKind>(
            {{"bernoulli", nn::LikelihoodKind::bernoulli}, {"gaussian", nn::LikelihoodKind::gaussian}}));
  t.add("nz0", s.model.nz0, "bits of z0", at_least(1));
  t.add("nz1", s.model.nz1, "bits of z1", at_least(1));
  t.add("width", s.model.width, "channels of the outer convolutions", at_least(1));
  t.add("encoder-units", s.model.encoder_units, "units behind the encoder's convolutions", at_least(1));
  t.add("prior-units", s.model.prior_units, "units of the net z0 -> z1", at_least(1));
  t.add("code-units", s.model.code_units, "units of the net z1 -> z0 of the reverse encoder", at_least(1));
  t.add("decoder-activation", s.model.decoder_activation,
        "behind the decoder's convolutions: " + tool::activations(), tool::activation());
  t.add("trained-on", s.trained_on, "training and test images, as published, or the former alone",
        choice<TrainedOn>({{"all", TrainedOn::all}, {"train", TrainedOn::train}}));
  t.add("load", o.load, "begin with the weights of this run (a resumed run has its own)").unstored();
  t.add("batch", s.batch, "images per update, and images drawn for the encoder's", at_least(1));
  t.add("lr", s.adam.learning_rate, "Adam's rate", positive());
  t.add("flipped", s.flipped, "share of pixels that are flipped in every batch, of bits",
        tool::between(0.0, 1.0));
  t.add("noise", s.noise, "deviation of the noise that is added to every batch, of grey values",
        non_negative());
  t.add("chain-steps", s.chain_steps, "of the Markov chain x -> z -> x behind the report's limiting images",
        unless_default(at_least(1), SymVaeRecipe::Settings().chain_steps));
}

tool::Tool<Options> sym_vae_tool() {
  return {"sym_vae",
          "A VAE of binary codes by symmetric equilibrium learning, Flach et al. (2024), or by the ELBO.",
          preset_options,
          {tool::test_inspection<Options>("bound and likelihood of a trained run"),
           tool::pictures_inspection<Options>("generate"), generate_data(), fid(), plot(), log(),
           exporter::inspection<Options>(exported())}};
}

}  // namespace vae::sym_vae
