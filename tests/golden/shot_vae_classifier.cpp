#include "models/shot_vae/classifier.h"
#include "nn/train/update.h"
#include "shot_vae_deep.h"
#include "shot_vae_run.h"
#include "shot_vae_state.h"
#include "shot_vae_tolerance.h"

namespace vae::golden {
namespace {

using autograd::Var;

bool classifier_fits(const nlohmann::json& config) { return config.value("algorithm", "") == "classifier"; }

/// "drop_0" is the mask whose name ends so.
Tensor noise(Numbers& numbers, const std::string& name, Shape shape) {
  const std::string last = name.substr(name.rfind('_'));
  for (const auto& [mask, tensor] : numbers.file().content.tensors)
    if (mask.starts_with("noise/drop_") && mask.ends_with(last)) return dropout_noise(numbers, mask, shape);
  fail(ErrorKind::data, "no noise for {}", name);
}

Values run_classifier(Numbers& numbers) {
  const nlohmann::json& config = numbers.file().config;
  shot_vae::Classifier model(backbone_of(config), config.at("num_classes"), numbers.options());
  train::Groups groups({{"model", &model, sgd_of(config), {}}});
  ShotVaeState state(numbers, model);

  const int64_t rows = config.at("n_labeled");
  const shot_vae::Images images{Var(image_batch(numbers, "input/image_l", rows)),
                                label_batch(numbers, "input/label_l", rows, model.classes())};
  train::Notes notes;
  const train::Step step = train::Step(0, Tensor::scalar(int64_t{0}, golden_device()), numbers.dtype())
                               .with_noise([&](const std::string& name, Shape shape, train::Draw) {
                                 return noise(numbers, name, shape);
                               })
                               .with_notes(notes);
  Values values;
  groups.run({.losses = {[&] {
                const Var loss = model.loss(images, step);
                values["output/loss_total"] = loss.value().reshape({1}).clone();
                return loss;
              }}},
             step.iteration());
  values["output/logits"] = notes.at("logits").value();
  state.put_gradients(values);
  state.put_after(values, "", 1);

  const nn::TestMode test(model);
  const auto tested = numbers.file().content.at("input/eval_image").size(0);
  values["output/eval_logits"] =
      model(Var(image_batch(numbers, "input/eval_image", tested)), tested, step).value();
  return values;
}

}  // namespace

FileKind shot_vae_classifier() {
  return {.name = "classifier",
          .fits = classifier_fits,
          .precisions = {DType::f64, DType::f32},
          .run = run_classifier,
          .tolerance = shot_vae_tolerance};
}

}  // namespace vae::golden
