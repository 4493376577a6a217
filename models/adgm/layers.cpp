#include "models/adgm/layers.h"

#include "nn/train/image_set.h"

namespace vae::adgm {

Rows labeled_rows(train::Share images, const Tensor& labels, int64_t classes, DType dtype, int64_t samples) {
  return {images, 1, samples, Var(train::one_hot(labels, classes, dtype))};
}

Var under_labels(const Var& per_image, const Rows& rows, const Var& weight) {
  if (rows.labels.defined()) return autograd::linear(rows.labels, weight, per_image);
  return autograd::outer_add(per_image, autograd::transpose(weight));
}

Var add_labels(const Var& per_row, const Rows& rows, const Var& weight) {
  if (rows.labels.defined()) return per_row + repeating(linear(rows.labels, weight, {}));
  const Var by_class = autograd::transpose(weight);
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
      hidden_(this, "", inputs, c.classifier_units(), kernels::kRelu, "dense",
              {.layer = "hidden.{}"}),
      logits_(this, "logits", c.classifier_units().back(), c.y_size) {}

Sample draw(const Gaussian& q, const Var& noise) {
  return {sample(repeating(q), noise), autograd::log_normal_draw(noise, repeating(q.log_var))};
}

Var log_likelihood(const Var& x, const Var& logits, double eps) {
  return eps > 0 ? bernoulli_nll_floored(logits, repeating(x), eps, -1)
                 : bernoulli_nll(logits, repeating(x), -1);
}

void note(const Step& step, const std::string& name, const Gaussian& g) {
  step.note(name + "_mu", g.mean), step.note(name + "_logvar", g.log_var);
}

}  // namespace vae::adgm
