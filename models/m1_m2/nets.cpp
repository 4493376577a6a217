#include "models/m1_m2/nets.h"

#include <numeric>

namespace vae::models {

Net::Net(NetConfig net, const CommonConfig& common, nn::Options options)
    : net_(std::move(net)), common_(common), options_(options) {
  if (net_.hidden.empty()) fail(ErrorKind::usage, "a net needs at least one hidden layer");
  for (const int64_t units : net_.hidden)
    if (units <= 0) fail(ErrorKind::usage, "a hidden layer of {} units", units);
  if (net_.dropout > 0) {
    dropout_ = std::make_unique<nn::Dropout>(net_.dropout,
                                             RandomKey::named(options.seed, "dropout/" + net_.name), options);
    add_child("dropout", *dropout_);
  }
}

void Net::add_layer(int64_t in, int64_t out) {
  const std::string index = std::to_string(layers_.size());
  const int64_t norm_width = common_.batch_norm_before_activation ? out : in;
  layers_.push_back(std::make_unique<nn::Linear>(in, out, options_));
  norms_.push_back(std::make_unique<nn::BatchNorm1d>(norm_width, common_.batch_norm, options_));
  add_child("layer_" + index, *layers_.back());
  add_child("batchnorm_" + index, *norms_.back());
}

Var Net::hidden(size_t i, const Var& x, bool normalise) const {
  const nn::Linear& layer = *layers_[i];
  const nn::BatchNorm1d& norm = *norms_[i];
  const Var h = normalise && common_.batch_norm_before_activation
                    ? norm(layer(x), nn::kernel_of(net_.activation))
                    : nn::activate(net_.activation, layer(normalise ? norm(x) : x));
  return dropout_ ? (*dropout_)(h) : h;
}

Var Net::hidden_chain(Var x, size_t before, size_t bare) const {
  for (size_t i = 0; i + bare < layers_.size(); ++i)
    x = hidden(i, x, before + i == 0 ? net_.batch_norm_to_input : net_.batch_norm);
  return x;
}

GaussianNet::GaussianNet(int64_t in, int64_t out, NetConfig net, const CommonConfig& common,
                         nn::Options options)
    : Net(std::move(net), common, options),
      mean_(net_.hidden.back(), out, options),
      log_var_(net_.hidden.back(), out, options) {
  for (const int64_t units : net_.hidden) {
    add_layer(in, units);
    in = units;
  }
  add_child("layer_mean", mean_);
  add_child("layer_var", log_var_);
}

Gaussian GaussianNet::operator()(const Var& x) const {
  const Var h = hidden_chain(x, 0, 0);
  return {mean_(h), log_var_(h)};
}

LogitsNet::LogitsNet(int64_t in, int64_t out, bool norm_on_last, NetConfig net, const CommonConfig& common,
                     nn::Options options)
    : Net(std::move(net), common, options), norm_on_last_(norm_on_last) {
  for (const int64_t units : net_.hidden) {
    add_layer(in, units);
    in = units;
  }
  add_layer(in, out);
}

Var LogitsNet::operator()(const Var& x) const {
  const Var h = hidden_chain(x, 0, 1);
  const bool normalise = norm_on_last_ && !common_.batch_norm_before_activation && net_.batch_norm_to_input;
  return (*layers_.back())(normalise ? (*norms_.back())(h) : h);
}

MergeNet::MergeNet(const std::string& name, int64_t in, int64_t classes, NetConfig net,
                   const CommonConfig& common, nn::Options options)
    : Net(std::move(net), common, options),
      classes_(classes),
      all_classes_(Tensor::empty({classes, classes}, options.dtype, options.device)),
      merge_x_(in, net_.hidden.front(), options),
      merge_y_(classes, net_.hidden.front(), options),
      merge_norm_(common.batch_norm_before_activation ? net_.hidden.front() : in, common.batch_norm,
                  options) {
  std::vector<int64_t> labels(static_cast<size_t>(classes));
  std::iota(labels.begin(), labels.end(), 0);
  kernels::one_hot(Tensor::from(labels, {classes}, options.device), all_classes_);
  add_child("layer_merge_" + name, merge_x_);
  add_child("layer_merge_y", merge_y_);
  add_child("batchnorm_merge", merge_norm_);
}

Var MergeNet::merge(const Var& x, const Var& y) const {
  const bool normalise_input = net_.batch_norm_to_input && !common_.batch_norm_before_activation;
  return finish(merge_x_(normalise_input ? merge_norm_(x) : x) + merge_y_(y));
}

Var MergeNet::merge_all(const Var& x, bool shared) const {
  const Var per_class = merge_y_(Var(all_classes_));
  if (net_.batch_norm_to_input && !common_.batch_norm_before_activation) {
    // The statistics are those of the rows of all classes.
    const Var rows = merge_norm_(shared ? autograd::repeat_rows(x, classes_) : x);
    return finish(autograd::add_blocks(merge_x_(rows), per_class));
  }
  const Var u = merge_x_(x);
  return finish(shared ? autograd::outer_add(u, per_class) : autograd::add_blocks(u, per_class));
}

Var MergeNet::finish(const Var& merged) const {
  const bool normalise = net_.batch_norm_to_input && common_.batch_norm_before_activation;
  return normalise ? merge_norm_(merged, nn::kernel_of(net_.activation))
                   : nn::activate(net_.activation, merged);
}

MergeGaussianNet::MergeGaussianNet(int64_t in, int64_t classes, int64_t out, NetConfig net,
                                   const CommonConfig& common, nn::Options options)
    : MergeNet("x", in, classes, std::move(net), common, options),
      mean_(net_.hidden.back(), out, options),
      log_var_(net_.hidden.back(), out, options) {
  for (size_t i = 1; i < net_.hidden.size(); ++i) add_layer(net_.hidden[i - 1], net_.hidden[i]);
  add_child("layer_output_mean", mean_);
  add_child("layer_output_var", log_var_);
}

Gaussian MergeGaussianNet::heads(const Var& merged) const {
  const Var h = hidden_chain(merged, 1, 0);
  return {mean_(h), log_var_(h)};
}

MergeLogitsNet::MergeLogitsNet(int64_t in, int64_t classes, int64_t out, NetConfig net,
                               const CommonConfig& common, nn::Options options)
    : MergeNet("z", in, classes, std::move(net), common, options) {
  for (size_t i = 1; i < net_.hidden.size(); ++i) add_layer(net_.hidden[i - 1], net_.hidden[i]);
  add_layer(net_.hidden.back(), out);
}

Var MergeLogitsNet::logits(const Var& merged) const { return (*layers_.back())(hidden_chain(merged, 1, 1)); }

}  // namespace vae::models
