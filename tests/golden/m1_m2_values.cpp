#include "m1_m2_values.h"

#include <cmath>

namespace vae::golden {
namespace {

bool in_net(const std::string& name, const std::string& net) {
  return net.empty() || name.starts_with(net + ".");
}

double norm(const Tensor& x) {
  double sum = 0;
  for (const double value : to_doubles(x)) sum += value * value;
  return std::sqrt(sum);
}

Tensor stack(const std::vector<Values>& steps, const std::string& name) {
  std::vector<double> all;
  for (const Values& step : steps) {
    const std::vector<double> values = to_doubles(step.at(name));
    all.insert(all.end(), values.begin(), values.end());
  }
  const Shape one = steps.front().at(name).shape();
  std::vector<int64_t> extents(one.extents().begin(), one.extents().end());
  extents.insert(extents.begin(), static_cast<int64_t>(steps.size()));
  return as_tensor(all, Shape(extents), DType::f64);
}

}  // namespace

void put(Values& values, const std::string& name, const autograd::Var& x) {
  if (x.defined()) values[name] = x.value().clone();
}

void put(Values& values, const std::string& name, double number) { values[name] = Tensor::scalar(number); }

void put_notes(Values& values, const train::Notes& notes) {
  const std::map<std::string, std::string> words{
      {"log_var", "lnvar"}, {"log_p", "logp"}, {"log_q", "logq"}, {"bound_", "lb_"}};
  for (const auto& [note, value] : notes) {
    std::string name = note;
    for (const auto& [ours, theirs] : words)
      if (const size_t at = name.find(ours); at != std::string::npos) name.replace(at, ours.size(), theirs);
    put(values, "output/" + name, value);
  }
}

void put_gaussian(Values& values, const std::string& prefix, const nn::Gaussian& q) {
  put(values, prefix + "mean", q.mean);
  put(values, prefix + "lnvar", q.log_var);
}

void put_state(Values& values, const std::string& prefix, nn::Module& model, const std::string& net) {
  for (const nn::Module::Parameter& p : model.parameters())
    if (in_net(p.name, net)) values[prefix + golden_name(p.name)] = p.var.value().clone();
  for (const nn::Module::Buffer& b : model.buffers())
    if (in_net(b.name, net)) values[prefix + golden_name(b.name)] = b.tensor.clone();
}

void put_gradients(Values& values, const std::string& prefix, const std::string& norm_prefix,
                   train::Groups& nets, nn::Module& model, const std::string& net) {
  for (const nn::Module::Parameter& p : model.parameters()) {
    if (!in_net(p.name, net)) continue;
    train::Groups::Entry& group = group_of(nets, p.name);
    values[prefix + golden_name(p.name)] =
        slice_of(group, group.parameters.gradients(), p.var.value()).clone();
    put(values, norm_prefix + group.name, group.optimizer->gradient_norm());
  }
}

void put_after(Values& values, train::Groups& nets, nn::Module& model) {
  put_state(values, "after/", model);
  for (const nn::Module::Parameter& p : model.parameters()) {
    train::Groups::Entry& group = group_of(nets, p.name);
    const std::string name = golden_name(p.name);
    values["after_adam_m/" + name] = slice_of(group, adam_of(group).m(), p.var.value()).clone();
    values["after_adam_v/" + name] = slice_of(group, adam_of(group).v(), p.var.value()).clone();
  }
}

void put_norms(Values& values) {
  const std::map<std::string, std::string> prefixes{
      {"grad", "gradnorm"}, {"grad_cls", "gradnorm_cls"}, {"after", "statnorm_after"}};
  for (const auto& [name, value] : Values(values)) {
    const size_t slash = name.find('/');
    const auto found = prefixes.find(name.substr(0, slash));
    if (found != prefixes.end()) put(values, found->second + name.substr(slash), norm(value));
  }
}

Values run_steps(int64_t steps, const std::function<Values(std::optional<int64_t>)>& update) {
  if (steps == 0) return update({});
  std::vector<Values> each;
  for (int64_t step = 0; step < steps; ++step) each.push_back(update(step));
  Values all;
  for (const auto& [name, value] : each.front()) all[name] = stack(each, name);
  return all;
}

}  // namespace vae::golden
