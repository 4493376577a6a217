#include "models/adgm/layers.h"

#include "autograd/ops_losses.h"

namespace vae::models::adgm {

Var under_labels(const Var& per_image, const Rows& rows, const Var& weight) {
  if (rows.labels.defined()) return autograd::linear(rows.labels, weight, per_image);
  return autograd::outer_add(per_image, autograd::transpose(weight));
}

Var add_labels(const Var& per_row, const Rows& rows, const Var& weight) {
  if (rows.labels.defined()) return per_row + autograd::linear(rows.labels, weight, {});
  const Var by_class = autograd::transpose(weight);
  return autograd::add_blocks(per_row,
                              rows.samples == 1 ? by_class : autograd::repeat_rows(by_class, rows.samples));
}

JoinedLinear::JoinedLinear(const std::vector<Input>& inputs, int64_t out, nn::Options options) {
  weights.reserve(inputs.size());  // the module tree holds addresses
  for (const Input& input : inputs) {
    weights.emplace_back(Tensor::zeros({out, input.width}, options.dtype, options.device), true);
    add_parameter(inputs.size() == 1 ? "weight" : std::string("weight_") + input.name, weights.back());
  }
  bias = Var(Tensor::zeros({out}, options.dtype, options.device), true);
  add_parameter("bias", bias);
}

GaussianHead::GaussianHead(int64_t in, int64_t out, bool raw, nn::Options options)
    : mu_(in, out, options), log_var_(in, out, options), raw_(raw) {
  add_child("mu", mu_);
  add_child("log_var", log_var_);
}

Gaussian GaussianHead::operator()(const Var& h) const {
  const Var log_var = log_var_(h);
  return {mu_(h), raw_ ? log_var : autograd::softplus(log_var)};
}

Hidden::Hidden(const std::vector<Input>& inputs, const std::vector<int64_t>& sizes, nn::Activation activation,
               nn::Options options)
    : first(inputs, sizes.front(), options), activation_(activation) {
  add_child("0", first);
  for (size_t i = 1; i < sizes.size(); ++i) {
    rest_.push_back(std::make_unique<nn::Linear>(sizes[i - 1], sizes[i], options));
    add_child(std::to_string(i), *rest_.back());
  }
}

Var Hidden::operator()(const Var& u) const {
  Var h = nn::activate(activation_, u);
  for (const auto& layer : rest_) h = nn::activate(activation_, (*layer)(h));
  return h;
}

Encoder::Encoder(const std::vector<Input>& inputs, const std::vector<int64_t>& hidden, int64_t out, bool raw,
                 nn::Options options)
    : hidden_(inputs, hidden, nn::Activation::relu, options), sample_(hidden.back(), out, raw, options) {
  add_child("hidden", hidden_);
  add_child("sample", sample_);
}

Decoder::Decoder(const std::vector<Input>& inputs, const std::vector<int64_t>& hidden, int64_t out,
                 nn::Activation activation, nn::Options options)
    : reconstruction(hidden.back(), out, options), hidden_(inputs, hidden, activation, options) {
  add_child("hidden", hidden_);
  add_child("reconstruction", reconstruction);
}

Var Decoder::operator()(const Var& z, const Rows& rows) const {
  const Var u = first().onto(0, z, first().bias);
  return behind(first().weights.size() == 1 ? u : add_labels(u, rows, first().weights[1]));
}

Classifier::Classifier(const std::vector<Input>& inputs, const std::vector<int64_t>& hidden, int64_t classes,
                       nn::Options options)
    : dense_(inputs, hidden.front(), options), logits_(hidden.back(), classes, options) {
  add_child("dense", dense_);
  for (size_t i = 1; i < hidden.size(); ++i) {
    rest_.push_back(std::make_unique<nn::Linear>(hidden[i - 1], hidden[i], options));
    add_child("hidden." + std::to_string(i - 1), *rest_.back());
  }
  add_child("logits", logits_);
}

Var Classifier::behind(const Var& u) const {
  Var h = autograd::relu(u);
  for (const auto& layer : rest_) h = autograd::relu((*layer)(h));
  return logits_(h);
}

Var add_per_image(const Var& per_row, const Var& per_image) {
  const int64_t rows = per_row.value().numel(), images = per_image.value().numel();
  if (rows == images) return per_row + per_image;
  return autograd::reshape(autograd::reshape(per_row, {-1, images}) + per_image, {rows});
}

Tensor number(double value, const Tensor& like) {
  const Tensor result = Tensor::empty(Shape{}, like.dtype(), like.device());
  kernels::fill(result, value);
  return result;
}

Sample draw(const Gaussian& q, const Var& noise) {
  const Var half_log_var = autograd::rowsum(kernels::Map::affine, {q.log_var}, {-0.5, 0});
  return {autograd::reparameterize(q.mean, q.log_var, noise),
          add_per_image(autograd::log_standard_normal(noise), half_log_var)};
}

Var log_likelihood(const Var& x, const Var& logits, double eps) {
  return eps > 0 ? -autograd::bernoulli_nll_floored(logits, x, eps) : -autograd::bernoulli_nll(logits, x);
}

}  // namespace vae::models::adgm
