#include "tools/ml_vae/options.h"

#include "tools/common/cli.h"

namespace vae {

models::MlVaeConfig MlVaeOptions::model(int64_t x_size) const {
  using namespace models;
  return {.x_size = x_size,
          .hidden = hidden,
          .style_dim = style_dim,
          .class_dim = class_dim,
          .class_gradient = class_gradient == "attached" ? ClassGradient::attached : ClassGradient::detached,
          .class_kl_count = class_kl == "per_group" ? ClassKlCount::per_group : ClassKlCount::per_member,
          .class_noise = class_noise == "per_image" ? ClassNoise::per_image : ClassNoise::per_group,
          .divisor = divisor == "groups" ? LossDivisor::groups : LossDivisor::pixels,
          .noise_std = noise_std,
          .reconstruction_coef = reconstruction_coef,
          .kl_coef = kl_coef};
}

nn::Adam::Settings MlVaeOptions::adam() const {
  return {.learning_rate = learning_rate, .rule = {.beta1 = beta_1, .beta2 = beta_2}};
}

MlVaeOptions ml_vae_preset(const std::string& preset) {
  MlVaeOptions o;
  o.preset = preset;
  o.run.run = "runs/ml_vae";
  o.run.epochs = 400;
  o.run.iters_per_epoch = 0;
  if (preset == "reference") return o;
  if (preset == "reference-std1") {
    o.noise_std = 1;
    return o;
  }
  o.class_gradient = "attached";
  if (preset == "attached") return o;
  if (preset == "paper") {
    o.class_kl = "per_group";
    o.noise_std = 1;
    return o;
  }
  fail(ErrorKind::usage, "unknown preset '{}': expected reference, reference-std1, attached or paper",
       preset);
}

void add_ml_vae_options(CLI::App& command, MlVaeOptions& o) {
  command.add_option("--preset", o.preset, "defaults: reference, reference-std1, attached or paper")
      ->capture_default_str();
  add_run_options(command, o.run);
  add_image_options(command, o.images);
  const auto option = [&](const std::string& name, auto& value, const std::string& text) {
    return command.add_option(name, value, text)
        ->default_str(fmt::format("{}", value))  // all digits: a stored configuration repeats a run exactly
        ->group("ML-VAE");
  };
  const auto rate = number_that<double>([](double v) { return v >= 0 && v < 1; }, "number from 0 to below 1");
  option("--batch", o.batch, "images per iteration")->check(count(1));
  option("--hidden", o.hidden, "hidden units of encoder and decoder")->check(count(1));
  option("--style-dim", o.style_dim, "style variables, per image")->check(count(1));
  option("--class-dim", o.class_dim, "class variables, per group")->check(count(1));
  option("--class-gradient", o.class_gradient, "whether losses reach the encoder through the class code")
      ->check(CLI::IsMember({"detached", "attached"}));
  option("--class-kl", o.class_kl, "how often a group's divergence counts")
      ->check(CLI::IsMember({"per_member", "per_group"}));
  option("--class-noise", o.class_noise, "draws of the class code")
      ->check(CLI::IsMember({"per_group", "per_image"}));
  option("--noise-std", o.noise_std, "deviation of the noise of the class code; 0: the mean")
      ->check(non_negative());
  option("--divisor", o.divisor, "losses divided by images times pixels, or by the groups of the batch")
      ->check(CLI::IsMember({"pixels", "groups"}));
  option("--reconstruction-coef", o.reconstruction_coef, "weight of the squared error")
      ->check(non_negative());
  option("--kl-coef", o.kl_coef, "weight of both divergences")->check(non_negative());
  option("--lr", o.learning_rate, "Adam's rate")->check(positive());
  option("--beta-1", o.beta_1, "Adam's first moment")->check(rate);
  option("--beta-2", o.beta_2, "Adam's second moment")->check(rate);
  option("--reshuffle", o.reshuffle, "new batches in each pass; else those of the first are replayed");
}

void add_inspection_options(CLI::App& command, const std::string& what, MlVaeOptions& o) {
  const auto option = [&](const char* name, auto& value, const char* text) {
    return command.add_option(name, value, text)->capture_default_str();
  };
  if (what == "import") {
    option("--weights", o.weights, "safetensors file of the reference's parameters")->required();
  } else if (what == "swap") {
    option("--references", o.references, "digits: the published ten, or random; auto: published on MNIST")
        ->check(CLI::IsMember({"auto", "fixed", "random"}));
    option("--evidence-images", o.evidence_images, "random test images of the evidence")->check(count(1));
  } else if (what == "classify") {
    option("--iterations", o.iterations, "of each classifier; whole thousands from 1000 on")->check(count(1));
    option("--classifier-batch", o.classifier_batch, "images per iteration")->check(count(1));
    option("--classifier-lr", o.classifier_rate, "Adam's rate")->check(positive());
  } else if (what == "probe") {
    option("--fit", o.fit, "training images that the probes are fitted on")->check(count(2));
    option("--ridge", o.ridge, "added to the variances of a class")->check(non_negative());
  } else if (what == "tsne") {
    option("--code", o.code, "what is embedded")->check(CLI::IsMember({"style", "class", "pixels"}));
    command.add_flag("--evidence", o.evidence,
                     "class code of all images of the label; else each image's own");
    command.add_flag("--means", o.means, "means, not samples");
    option("--images", o.tsne_images, "first test images")->check(count(1));
    option("--perplexity", o.perplexity, "effective number of neighbours")->check(positive());
    option("--iterations", o.tsne_iterations, "of gradient descent")->check(count(1));
    option("--exaggeration", o.exaggeration, "of the attraction in the first 250 iterations")
        ->check(positive());
    option("--learning-rate", o.tsne_rate, "of gradient descent")->check(positive());
  }
}

}  // namespace vae
