#include <algorithm>
#include <cmath>

#include "models/shot_vae/evaluate.h"
#include "nn/train/update.h"
#include "shot_vae_deep.h"
#include "shot_vae_run.h"
#include "shot_vae_state.h"
#include "shot_vae_tolerance.h"

namespace vae::golden {
namespace {

using autograd::Var;
using shot_vae::Images, shot_vae::Mixing, shot_vae::Objective, shot_vae::Reconstruction, shot_vae::ShotVae;

bool shot_vae_training_fits(const nlohmann::json& config) {
  const std::string algorithm = config.value("algorithm", "");
  return algorithm == "shot" || algorithm == "m2";
}

shot_vae::Config backbone_config(const nlohmann::json& config) {
  return {.backbone = backbone_of(config),
          .z_size = config.at("latent_dim_continuous"),
          .classes = config.at("num_classes"),
          .decoder_width = config.at("decoder_num_feature"),
          .side = config.at("image").at(1),
          .temperature = config.at("temperature")};
}

Objective objective_of(const nlohmann::json& config) {
  const auto ramp = [&](const char* top, const char* epochs) {
    return shot_vae::Ramp{config.at(top), config.at(epochs)};
  };
  const auto epochs = std::lround(config.at("wmf").get<double>() * config.at("epochs").get<double>());
  return {.reconstruction = config.at("bce") ? Reconstruction::bernoulli : Reconstruction::squared,
          .sigma = config.at("x_sigma"),
          .target_z = ramp("cmi", "akb"),
          .target_y = ramp("dmi", "akb"),
          .beta_z = ramp("kbmc", "akb"),
          .beta_y = ramp("kbmd", "akb"),
          .elbo = ramp("ewm", "aew"),
          .distance = ramp("pwm", "apw"),
          .unlabeled = {config.at("wrd"), epochs}};
}

Tensor number(double value) { return Tensor::from(std::vector{value}, {1}); }

/// One update in an epoch, and what the net then says of test images.
class ShotUpdate {
 public:
  explicit ShotUpdate(Numbers& numbers)
      : numbers_(numbers),
        json_(numbers.file().config),
        shot_(json_.at("algorithm") == "shot"),
        objective_(objective_of(json_)),
        model_(backbone_config(json_), numbers.options()),
        groups_({{"model", &model_, sgd_of(json_), {}}}),
        state_(numbers, model_) {}

  Values run() {
    update();
    if (numbers_.has("input/eval_image_b0")) evaluate();
    return std::move(values_);
  }

 private:
  int64_t classes() const { return model_.config().classes; }

  /// "eps_l1" is "noise/eps_l1", "l1/drop_0" is "noise/drop_l1_0".
  Tensor noise(const std::string& name, Shape shape) {
    const size_t slash = name.find("/drop_");
    if (slash == std::string::npos) return numbers_.get("noise/" + name, shape);
    return dropout_noise(numbers_, "noise/drop_" + name.substr(0, slash) + name.substr(name.rfind('_')),
                         shape);
  }

  train::Step step() {
    return train::Step(0, Tensor::scalar(json_.at("epoch").get<int64_t>(), golden_device()),
                       numbers_.dtype());
  }

  /// A batch of the file, the first of its rows.
  Images images(const std::string& set, int64_t rows) {
    const auto all = json_.at(set == "l" ? "n_labeled" : "n_unlabeled").get<int64_t>();
    return {Var(image_batch(numbers_, "input/image_" + set, all).slice(0, rows)),
            label_batch(numbers_, "input/label_" + set, all, classes()).slice(0, rows)};
  }

  Mixing mixing(const std::string& set, int64_t rows) {
    Mixing mixing{Var(numbers_.get("noise/lambda_" + set, {1})), {}};
    if (set == "l" || !json_.at("om"))
      mixing.partner = label_batch(numbers_, "noise/perm_" + set, rows, rows);
    return mixing;
  }

  void update() {
    int64_t labeled = json_.at("n_labeled"), unlabeled = json_.at("n_unlabeled");
    if (!shot_) labeled = unlabeled = std::min(labeled, unlabeled);
    train::Notes notes;
    const train::Step step =
        this->step()
            .with_noise([&](const std::string& name, Shape shape, train::Draw) { return noise(name, shape); })
            .with_notes(notes);
    const shot_vae::Terms terms(objective_, 1, step);
    const Images l = images("l", labeled), u = images("u", unlabeled);
    if (shot_) {
      const Mixing of_l = mixing("l", labeled), of_u = mixing("u", unlabeled);
      groups_.run({.losses = model_.shot_losses(l, of_l, u, of_u, objective_, terms, true, step)},
                  step.iteration());
      values_["output/target_label_l"] = gathered(l.labels, of_l.partner);
    } else {
      groups_.run({.losses = model_.m2_losses(l, u, objective_, terms, step)}, step.iteration());
    }
    for (const auto& [name, note] : notes) {
      const Tensor value = note.value().dtype() == DType::i64 ? note.value() : to_theirs(note.value());
      values_["output/" + name] = value.rank() == 0 ? value.reshape({1}) : value;
    }
    values_["output/loss_total"] =
        number(notes.at("loss_l").value().item() + notes.at("loss_u").value().item());
    state_.put_gradients(values_);
    state_.put_after(values_, "", shot_ ? 4 : 2);
  }

  static Tensor gathered(const Tensor& labels, const Tensor& index) {
    const auto label = labels.to_vector<int64_t>();
    std::vector<int64_t> gathered;
    for (const int64_t i : index.to_vector<int64_t>()) gathered.push_back(label[static_cast<size_t>(i)]);
    return Tensor::from(gathered, index.shape());
  }

  void evaluate() {
    const nn::TestMode test(model_);
    shot_vae::Evaluator evaluator(model_, objective_);
    for (int64_t b = 0; numbers_.has(fmt::format("input/eval_image_b{}", b)); ++b) {
      const std::string batch = fmt::format("b{}", b);
      const auto rows = numbers_.file().content.at("input/eval_label_" + batch).numel();
      train::Notes notes;
      evaluator.add({Var(image_batch(numbers_, "input/eval_image_" + batch, rows)),
                     label_batch(numbers_, "input/eval_label_" + batch, rows, classes())},
                    b,
                    step()
                        .with_noise([&](const std::string& name, Shape shape, train::Draw) {
                          return noise("eval_" + name, shape);
                        })
                        .with_notes(notes));
      for (const auto& [name, note] : notes) values_["output/eval_" + name] = note.value();
    }
    const shot_vae::Evaluation of_all = evaluator.result();
    values_["output/eval_kl_z"] = number(of_all.kl_z), values_["output/eval_kl_y"] = number(of_all.kl_y);
    values_["output/eval_mse"] = number(of_all.log_p), values_["output/eval_elbo"] = number(of_all.elbo());
    values_["output/eval_top1"] = number(of_all.classification.accuracy());
    values_["output/eval_top5"] = number(of_all.classification.top_accuracy(5));
  }

  Numbers& numbers_;
  const nlohmann::json& json_;
  bool shot_;
  Objective objective_;
  ShotVae model_;
  train::Groups groups_;
  ShotVaeState state_;
  Values values_;
};

Values run_shot_vae_training(Numbers& numbers) { return ShotUpdate(numbers).run(); }

}  // namespace

FileKind shot_vae_training() {
  return {.name = "SHOT and M2",
          .fits = shot_vae_training_fits,
          .precisions = {DType::f64, DType::f32},
          .run = run_shot_vae_training,
          .tolerance = shot_vae_tolerance};
}

}  // namespace vae::golden
