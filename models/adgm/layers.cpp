#include "models/adgm/layers.h"

#include "nn/train/image_set.h"

namespace vae::adgm {

Var Rows::normal(const Step& step, const std::string& name, int64_t columns) const {
  return kept(step.normal(name, noise(), columns));
}

Var Rows::kept(const Var& of_all) const {
  return counted ? autograd::gather_rows(of_all, counted->rows_of(samples)) : of_all;
}

Var Rows::of_images(const Var& x) const {
  return repeating(counted ? autograd::gather_rows(x, counted->images_of) : x);
}

Var Rows::of_samples(const Var& x) const {
  if (counted) return autograd::gather_rows(x, counted->images_of_samples(samples));
  return classes == 1 ? x : autograd::repeat_rows(x, classes, samples);
}

Rows labeled_rows(train::Share images, const Tensor& labels, int64_t classes, DType dtype, int64_t samples) {
  return {images, 1, samples, Var(train::one_hot(labels, classes, dtype))};
}

Var under_labels(const Var& per_image, const Rows& rows, const Var& weight) {
  if (rows.labels.defined()) return autograd::linear(rows.labels, weight, per_image);
  const Var by_class = autograd::transpose(weight);
  if (!rows.counted) return autograd::outer_add(per_image, by_class);
  return rows.of_images(per_image) + autograd::gather_rows(by_class, rows.counted->classes_of);
}

Var add_labels(const Var& per_row, const Rows& rows, const Var& weight) {
  if (rows.labels.defined()) return per_row + repeating(linear(rows.labels, weight, {}));
  const Var by_class = autograd::transpose(weight);
  if (rows.counted) return per_row + repeating(autograd::gather_rows(by_class, rows.counted->classes_of));
  return autograd::add_blocks(per_row,
                              rows.samples == 1 ? by_class : autograd::repeat_rows(by_class, rows.samples));
}

JoinedLinear::JoinedLinear(Module* parent, const std::string& name, const Inputs& inputs, int64_t out)
    : Module(parent, name) {
  for (const Input& input : inputs)
    weights.push_back(
        parameter(inputs.size() == 1 ? "weight" : std::string("weight_") + input.name, {out, input.width}));
  bias = parameter("bias", {out});
}

Hidden::Hidden(Module* parent, const std::string& name, const Inputs& inputs,
               const std::vector<int64_t>& units, kernels::Activation activation, const char* first_name,
               const nn::LayerNames& names)
    : Module(parent, name),
      first(this, first_name, inputs, units.front()),
      activation_(activation),
      rest_(this, "", units, {.activation = activation}, names) {}

Decoder::Decoder(Module* parent, const std::string& name, const Inputs& inputs,
                 const std::vector<int64_t>& hidden, const Config& c)
    : Module(parent, name),
      hidden_(this, "hidden", inputs, hidden, c.decoder_activation),
      reconstruction_(this, "reconstruction", hidden.back(), c.x_size) {}

Var Decoder::operator()(const Var& z, const Rows& rows) const {
  const Var u = first()(z);
  return behind(first().weights.size() == 1 ? u : add_labels(u, rows, first().weights[1]));
}

Classifier::Classifier(Module* parent, const std::string& name, const Inputs& inputs, const Config& c)
    : Module(parent, name),
      hidden_(this, "", inputs, c.classifier_units(), kernels::kRelu, "dense", {.layer = "hidden.{}"}),
      logits_(this, "logits", c.classifier_units().back(), c.y_size) {}

Sample draw(const Gaussian& q, const Var& noise) {
  return {sample(repeating(q), noise), autograd::log_normal_draw(noise, repeating(q.log_var))};
}

Var log_likelihood(const Var& x, const Rows& rows, const Var& logits, double eps) {
  const Var target = rows.of_images(x);
  return eps > 0 ? bernoulli_nll_floored(logits, target, eps, -1) : bernoulli_nll(logits, target, -1);
}

void note(const Step& step, const std::string& name, const Gaussian& g) {
  step.note(name + "_mu", g.mean), step.note(name + "_logvar", g.log_var);
}

}  // namespace vae::adgm
