#include "m1_m2_source.h"

#include <algorithm>
#include <cmath>

namespace vae::golden {
namespace {

/// The number of element i under a salt, in (0, 1).
double hashed(uint32_t i, uint32_t salt) {
  uint32_t x = i + salt * 0x9E3779B9U;
  x ^= x >> 16;
  x *= 0x7FEB352DU;
  x ^= x >> 15;
  x *= 0x846CA68BU;
  x ^= x >> 16;
  return (static_cast<double>(x) + 0.5) / 4294967296.0;
}

/// A parameter or buffer of the formula from a number u in (0, 1).
double parameter_value(const std::string& leaf, const Shape& shape, double u) {
  const double centred = 2 * u - 1;
  if (leaf == "W") return std::sqrt(3.0 / static_cast<double>(shape[1])) * centred;
  if (leaf == "gamma") return 1 + 0.1 * centred;
  if (leaf == "avg_var") return 0.5 + u;
  return 0.1 * centred;
}

std::string after_slash(const std::string& name, size_t slash) { return name.substr(slash + 1); }

}  // namespace

Tensor Source::get(const std::string& name, Shape shape, std::optional<int64_t> step) {
  if (case_.formula) return as_tensor(by_formula(name, shape), shape, dtype_);
  if (shape.numel() == 0 && !has(name))
    return Tensor::zeros(shape, dtype_, golden_device());  // no unlabelled rows
  return as_tensor(to_doubles(from_file(name, shape, step)), shape, dtype_);
}

Tensor Source::labels(std::optional<int64_t> step) {
  const Shape shape{case_.labeled};
  if (!case_.formula) return from_file("input/label_l", shape, step).to(golden_device());
  std::vector<int64_t> labels(static_cast<size_t>(case_.labeled));
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int64_t>(i) % case_.m2->y_size;
  return Tensor::from(labels, shape, golden_device());
}

Tensor Source::from_file(const std::string& name, const Shape& shape, std::optional<int64_t> step) {
  Tensor tensor = file_.content.at(name);
  read_.insert(name);
  if (step) {
    VAE_CHECK(tensor.rank() > 0 && tensor.size(0) == case_.steps, "{} is {}, not of {} steps", name,
              tensor.str(), case_.steps);
    const Shape all = tensor.shape();
    tensor = tensor.slice(*step, *step + 1).reshape(Shape(all.extents().subspan(1)));
  }
  if (!(tensor.shape() == shape))
    fail(ErrorKind::data, "{} is {}, the configuration says {}", name, tensor.shape().str(), shape.str());
  return tensor;
}

std::vector<double> Source::by_formula(const std::string& name, const Shape& shape) const {
  const size_t slash = name.find('/');
  const std::string prefix = name.substr(0, slash), rest = after_slash(name, slash);
  const bool parameter = prefix == "param" || prefix == "param_m1";
  uint32_t salt = 0;
  if (parameter) {
    const std::string m1 = prefix == "param" ? "" : "m1_";
    const auto order = file_.config.at(m1 + "param_order").get<std::vector<std::string>>();
    const auto found = std::find(order.begin(), order.end(), rest);
    if (found == order.end()) fail(ErrorKind::data, "{} is not in {}param_order", rest, m1);
    salt = file_.config.at(m1 + "param_salt").get<uint32_t>() + static_cast<uint32_t>(found - order.begin());
  } else {
    // The images of the stacked model go by the names of the features that they become.
    const std::string key = rest.starts_with("image_") ? "x_" + after_slash(rest, rest.find('_')) : rest;
    salt = file_.config.at("salts").at(key).get<uint32_t>();
  }
  const std::string leaf = after_slash(rest, rest.rfind('/'));
  std::vector<double> values(static_cast<size_t>(shape.numel()));
  for (size_t i = 0; i < values.size(); ++i) {
    const double u = hashed(static_cast<uint32_t>(i), salt);
    values[i] = parameter           ? parameter_value(leaf, shape, u)
                : prefix == "noise" ? std::sqrt(3.0) * (2 * u - 1)
                                    : (u < 0.2 ? 1.0 : 0.0);
  }
  return values;
}

void Source::load(nn::Module& model, const std::string& prefix) {
  for (const nn::Module::Parameter& p : model.parameters())
    p.var.value().copy_from(get(prefix + golden_name(p.name), p.var.shape()));
  for (const nn::Module::Buffer& b : model.buffers())
    b.tensor.copy_from(get(prefix + golden_name(b.name), b.tensor.shape()));
}

void Source::load(train::Groups& nets, nn::Module& model) {
  for (const auto& group : nets.all()) {
    const auto t = case_.adam_t.find(group->name);
    if (t == case_.adam_t.end()) fail(ErrorKind::data, "configuration: adam_t lacks {}", group->name);
    adam_of(*group).t().copy_from(Tensor::scalar(t->second));
  }
  if (!case_.adam_warm) return;
  for (const nn::Module::Parameter& p : model.parameters()) {
    train::Groups::Entry& group = group_of(nets, p.name);
    const std::string name = golden_name(p.name);
    slice_of(group, adam_of(group).m(), p.var.value()).copy_from(get("adam_m/" + name, p.var.shape()));
    slice_of(group, adam_of(group).v(), p.var.value()).copy_from(get("adam_v/" + name, p.var.shape()));
  }
}

nn::Adam& adam_of(train::Groups::Entry& group) { return dynamic_cast<nn::Adam&>(*group.optimizer); }

Tensor slice_of(const train::Groups::Entry& group, const Tensor& flat, const Tensor& parameter) {
  const auto* begin = static_cast<const std::byte*>(group.parameters.values().raw());
  const auto offset = (static_cast<const std::byte*>(parameter.raw()) - begin) /
                      static_cast<ptrdiff_t>(size_of(parameter.dtype()));
  return flat.slice(offset, offset + parameter.numel()).reshape(parameter.shape());
}

train::Groups::Entry& group_of(train::Groups& nets, const std::string& parameter) {
  return nets.at(parameter.substr(0, parameter.find('.')));
}

}  // namespace vae::golden
