#include "models/shot_vae/smooth_recipe.h"
#include "nn/train/image_set.h"
#include "shot_vae_run.h"
#include "shot_vae_state.h"
#include "shot_vae_tolerance.h"

namespace vae::golden {
namespace {

using autograd::Var;
using shot_vae::Capacity, shot_vae::SmoothRecipe;

bool smooth_fits(const nlohmann::json& config) { return config.value("algorithm", "") == "smooth_elbo"; }

SmoothRecipe::Settings settings_of(const nlohmann::json& config) {
  const auto capacity = [&](const char* key) {
    const nlohmann::json& c = config.at(key);
    return Capacity{.min = c.at(0), .max = c.at(1), .updates = c.at(2), .gamma = c.at(3)};
  };
  const nlohmann::json &image = config.at("image"), &adam = config.at("optimizer");
  return {
      .model = {.side = image.at(1),
                .channels = image.at(0),
                .conv = config.at("conv_channels"),
                .deconv = config.at("deconv_channels"),
                .hidden = config.at("hidden"),
                .z_size = config.at("latent_cont"),
                .classes = config.at("latent_disc").at(0),
                .temperature = config.at("temperature")},
      .objective = {.z = capacity("cont_capacity"),
                    .y = capacity("disc_capacity"),
                    .alpha = config.at("alpha")},
      .adam = {
          .learning_rate = adam.at("lr"),
          .rule = {.beta1 = adam.at("betas").at(0), .beta2 = adam.at("betas").at(1), .eps = adam.at("eps")}}};
}

/// Images that are not looked at.
train::Data no_data(const SmoothRecipe::Settings& settings) {
  const auto& m = settings.model;
  const train::ImageSet one{Tensor::zeros({1, m.side, m.side, m.channels}, DType::u8).to(golden_device()),
                            Tensor::zeros({1}, DType::i64).to(golden_device()), train::Inputs::unit};
  const Tensor first = Tensor::zeros({1}, DType::i64).to(golden_device()), none = first.slice(0, 0);
  return {.train = one,
          .test = one,
          .classes = m.classes,
          .split = {.labeled = first, .unlabeled = first, .validation = none}};
}

class SmoothUpdates {
 public:
  explicit SmoothUpdates(Numbers& numbers)
      : numbers_(numbers),
        json_(numbers.file().config),
        settings_(settings_of(json_)),
        recipe_(settings_, no_data(settings_), numbers.options()),
        groups_(recipe_.groups()),
        state_(numbers, recipe_.model(), settings_.model.conv.back()) {}

  Values run() {
    for (const int64_t number : {1, 2}) update(number);
    const int64_t tested = numbers_.file().content.at("input/label_test").numel();
    label_batch(numbers_, "input/label_test", tested, classes());
    const Var images(image_batch(numbers_, "input/image_test", tested));
    values_["output/alpha_test_after2"] = recipe_.model().encode(images).alpha.value();
    unused("noise/eps_test_unused", tested, settings_.model.z_size);
    unused("noise/unif_test_unused", tested, classes());
    return values_;
  }

 private:
  int64_t classes() const { return settings_.model.classes; }
  /// Noise that the reference draws for nothing.
  void unused(const std::string& name, int64_t rows, int64_t columns) {
    if (numbers_.has(name)) numbers_.get(name, {rows, columns});
  }

  void update(int64_t number) {
    const std::string suffix = fmt::format("_s{}", number);
    const int64_t labeled = json_.at("n_labeled"), unlabeled = json_.at("n_unlabeled");
    train::Notes notes;
    const int64_t before = json_.at("num_steps_before").get<int64_t>() + number - 1;
    const train::Step step = train::Step(0, Tensor::scalar(before, golden_device()), numbers_.dtype())
                                 .with_noise([&](const std::string& name, Shape shape, train::Draw) {
                                   return numbers_.get("noise/" + name + suffix, shape);
                                 })
                                 .with_notes(notes);
    const Var x_u(image_batch(numbers_, "input/image_u" + suffix, unlabeled)),
        x_l(image_batch(numbers_, "input/image_l" + suffix, labeled));
    const Var y(train::one_hot(label_batch(numbers_, "input/label_l" + suffix, labeled, classes()), classes(),
                               numbers_.dtype()));
    groups_.run({.losses = {[&] { return recipe_.loss(x_u, x_u.shape()[0], x_l, x_l.shape()[0], y, step); }}},
                step.iteration());
    unused("noise/unif_l_unused" + suffix, labeled, classes());
    for (const auto& [name, note] : notes) {
      const Tensor value = to_theirs(note.value());
      values_["output/" + name + suffix] = value.rank() == 0 ? value.reshape({1}) : value;
    }
    values_["output/cls_loss_u" + suffix] = Tensor::from(std::vector{0.0}, {1});  // no labels, no such term
    if (number == 1) state_.put_gradients(values_);
    state_.put_after(values_, number == 1 ? "" : "2", 0);
  }

  Numbers& numbers_;
  const nlohmann::json& json_;
  SmoothRecipe::Settings settings_;
  SmoothRecipe recipe_;
  train::Groups groups_;
  ShotVaeState state_;
  Values values_;
};

Values run_smooth(Numbers& numbers) { return SmoothUpdates(numbers).run(); }

/// Adam's first steps move by the rate, whatever the size of a gradient.
std::vector<Update> smooth_updates(const File& file, const std::string& name) {
  const std::string gradient = "grad" + name.substr(name.find('/'));
  if (!name.starts_with("after") || !file.content.contains(gradient)) return {};
  const nlohmann::json& adam = file.config.at("optimizer");
  const double steps = name.starts_with("after/") ? 1 : 2;
  return {{.gradient = gradient, .rate = adam.at("lr").get<double>() * steps, .eps = adam.at("eps")}};
}

}  // namespace

FileKind shot_vae_smooth() {
  return {.name = "smooth-ELBO",
          .fits = smooth_fits,
          .precisions = {DType::f64, DType::f32},
          .run = run_smooth,
          .tolerance = shot_vae_tolerance,
          .updates = smooth_updates};
}

}  // namespace vae::golden
