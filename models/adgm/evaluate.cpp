#include "models/adgm/evaluate.h"

namespace vae::adgm {
namespace {

constexpr int64_t kRows = 100;  // at a time: enumerated, their activations stay in the cache

/// A batch of items under evaluation: its inputs, and the step that gives its noise.
struct Batch {
  Batch(const ImageSet& images, const Tensor& items, const Step& of_run, int64_t number)
      : step(of_run.numbered(number)), x(images.draw(items, of_run.key("evaluate/pixels"), step.draw())) {}
  Step step;
  Var x;
};

Tensor most_probable(const Var& logits, int64_t draws) {
  const int64_t classes = logits.shape()[1], rows = logits.shape()[0] / draws;
  const Var q = autograd::mean(autograd::softmax(logits), {1, draws, rows * classes});
  return train::most_probable(q.value().reshape({rows, classes}));
}

/// Rows of the labels that a model's images have under it, or of none.
Rows predicted_rows(const Model& model, Model::Encoded& images, const Step& step) {
  const Config& c = model.config();
  if (!has_labels(c.kind)) return {images.images(), 1, 1, {}};
  const Var logits = images.classify(1, step);
  return labeled_rows(images.images(), most_probable(logits, 1), c.y_size, logits.value().dtype());
}

}  // namespace

std::vector<int64_t> predict(const Model& model, const ImageSet& images, const Tensor& items, int64_t draws,
                             const Step& step) {
  const auto of_batch = [&](int64_t number, const Tensor& part) {
    const Batch batch(images, part, step, number);
    const Var logits = model.encode(batch.x)->classify(draws, batch.step.in("predict"));
    return most_probable(logits, draws).to_vector<int64_t>();
  };
  return eval::for_items(items, of_batch, kRows);
}

double importance_nll(const Model& model, const ImageSet& images, const Tensor& items, int64_t samples,
                      const Step& step) {
  const Config& c = model.config();
  if (!model.has_importance_weights())
    fail(ErrorKind::usage, "the bound of this model has no importance weights");
  const int64_t classes = has_labels(c.kind) ? c.y_size : 1;
  return eval::importance_nll(items, kRows, [&](int64_t number, const Tensor& part, eval::LogMean& estimate) {
    const Batch batch(images, part, step, number);
    const auto inside = model.encode(batch.x);
    const int64_t rows = part.numel();
    for (int64_t s = 0; s < samples; ++s) {
      const Terms terms = inside->terms({rows, classes, 1, {}}, batch.step.in(fmt::format("nll/{}", s)));
      const std::vector<double> weights = to_doubles((terms.log_px - terms.kl).value());
      for (auto at = weights.begin(); at != weights.end(); at += rows)
        estimate.add({at, at + rows});  // p(y) = 1/K: classes are further draws
    }
  });
}

std::map<std::string, eval::ActiveUnits> active_units(const Model& model, const ImageSet& images,
                                                      const Tensor& items, const Step& step) {
  std::map<std::string, eval::ActiveUnits> units;
  const auto add = [&](int64_t number, const Tensor& part) {
    const Batch batch(images, part, step, number);
    const auto inside = model.encode(batch.x);
    const Step in_units = batch.step.in("units");
    const Rows rows = predicted_rows(model, *inside, in_units);
    for (const auto& [layer, mean] : inside->terms(rows, in_units).posterior_means)
      units[layer].add(mean.value());
  };
  eval::for_batches(items, add, kRows);
  return units;
}

Reconstruction reconstruct(const Model& model, const Tensor& x, const Step& step) {
  const Step once = step.in("reconstruct").numbered(0);
  const auto inside = model.encode(Var(x));
  const Terms terms = inside->terms(predicted_rows(model, *inside, once), once);
  return {terms.code.value(), autograd::sigmoid(terms.logits).value()};
}

Tensor generate(const Model& model, const Tensor& z, const Tensor& labels, const Step& step) {
  const Config& c = model.config();
  const Rows rows =
      has_labels(c.kind) ? labeled_rows(z.size(0), labels, c.y_size, z.dtype()) : Rows{z.size(0)};
  return autograd::sigmoid(model.decode(Var(z), rows, step.in("generate").numbered(0))).value();
}

Tensor generate_classes(const Model& model, const Tensor& z, int64_t classes, const Step& step) {
  const int64_t rows = z.size(0);
  std::vector<int64_t> copies, labels;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t k = 0; k < classes; ++k) copies.push_back(r), labels.push_back(k);
  const Tensor images =
      generate(model, autograd::gather_rows(Var(z), train::items_of(copies, z.device())).value(),
               train::items_of(labels, z.device()), step);
  return images.reshape({rows, classes, images.size(1)});
}

}  // namespace vae::adgm
