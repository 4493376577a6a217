#include "models/m1_m2/nets.h"

#include "nn/train/image_set.h"

namespace vae::m1_m2 {
namespace {

constexpr nn::LayerNames kNames{"layer_{}", "batchnorm_{}"};

}  // namespace

Net::Merge::Merge(Net* net, int64_t out)
    : Module(net, ""),
      x(this, std::string("layer_merge_") + net->input.name, net->input.width, out),
      y(this, "layer_merge_y", net->input.classes, out),
      norm(this, "batchnorm_merge", net->rule.norm_before_activation ? out : net->input.width,
           *net->rule.batch_norm),
      all_labels(train::one_hot(train::item_range(0, net->input.classes, options().device),
                                net->input.classes, options().dtype)) {}

Net::Net(Module* parent, const std::string& name, NetInput in, const NetConfig& net,
         const CommonConfig& common)
    : Module(parent, name),
      config(net),
      input(in),
      rule{net.activation, common.batch_norm, common.batch_norm_before_activation, net.dropout} {
  if (net.hidden.empty()) fail(ErrorKind::usage, "a net needs at least one hidden layer");
  std::vector<int64_t> units = net.hidden;
  if (in.classes > 0)
    merge_.emplace(this, units.front());
  else
    units.insert(units.begin(), in.width);
  layers_.emplace(this, "", units, rule, kNames, name);
}

std::unique_ptr<nn::HiddenLayer> Net::make_output(int64_t out) {
  const auto number = static_cast<int64_t>(layers_->size());
  return std::make_unique<nn::HiddenLayer>(this, kNames.layer_name(number), kNames.norm_name(number),
                                           last_width(), out, rule);
}

Var Net::hidden(const Var& x) const { return (*layers_)(x, config.batch_norm_to_input, config.batch_norm); }

Var Net::hidden(const Var& x, const Var& y) const {
  const bool normalise_input = config.batch_norm_to_input && !rule.norm_before_activation;
  return finish(merge_->x(normalise_input ? merge_->norm(x) : x) + merge_->y(y));
}

Var Net::hidden_all(const Var& x, bool shared, const nn::ClassRows* rows) const {
  const Var per_class = merge_->y(Var(merge_->all_labels));
  if (!rows) return finish(merged_all(x, shared, per_class));
  if (mixes_rows()) return autograd::gather_rows(finish(merged_all(x, shared, per_class)), rows->rows);
  const Var u = merge_->x(x);
  return finish((shared ? autograd::gather_rows(u, rows->images_of) : u) +
                autograd::gather_rows(per_class, rows->classes_of));
}

Var Net::merged_all(const Var& x, bool shared, const Var& per_class) const {
  if (config.batch_norm_to_input && !rule.norm_before_activation) {
    // The statistics are those of the rows of all classes.
    const Var rows = merge_->norm(shared ? autograd::repeat_rows(x, input.classes) : x);
    return autograd::add_blocks(merge_->x(rows), per_class);
  }
  const Var u = merge_->x(x);
  return shared ? autograd::outer_add(u, per_class) : autograd::add_blocks(u, per_class);
}

Var Net::finish(const Var& merged) const {
  const bool normalise = config.batch_norm_to_input && rule.norm_before_activation;
  const Var h =
      normalise ? merge_->norm(merged, rule.activation) : autograd::activate(rule.activation, merged);
  return (*layers_)(h, config.batch_norm, config.batch_norm);
}

GaussianHead::GaussianHead(Net* net, int64_t out)
    : heads_(net, "",
             net->input.classes > 0 ? nn::GaussianHead::Names{"layer_output_mean", "layer_output_var"}
                                    : nn::GaussianHead::Names{"layer_mean", "layer_var"},
             net->last_width(), out) {}

LogitsHead::LogitsHead(Net* net, int64_t out, bool norm_on_input)
    : layer_(net->make_output(out)),
      normalise_(norm_on_input && !net->rule.norm_before_activation && net->config.batch_norm_to_input) {}

LikelihoodHead::LikelihoodHead(Net* net, int64_t out, LikelihoodKind kind) {
  if (kind == LikelihoodKind::bernoulli)
    logits_.emplace(net, out, net->input.classes == 0);
  else
    gaussian_.emplace(net, out);
}

Likelihood LikelihoodHead::operator()(const Var& h) const {
  if (logits_) return nn::Bernoulli{(*logits_)(h)};
  return (*gaussian_)(h);
}

}  // namespace vae::m1_m2
