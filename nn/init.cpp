#include "nn/init.h"

#include <cmath>
#include <map>

#include "kernels/kernels.h"

namespace vae::nn {
namespace {

std::string layer_of(const std::string& name) { return name.substr(0, name.rfind('.') + 1); }

bool is_weight(const Tensor& value) { return value.rank() >= 2; }

/// Inputs of each layer: the sizes of its weights' rows together.
std::map<std::string, int64_t> fan_ins(const Module& module) {
  std::map<std::string, int64_t> in;
  for (const Module::Parameter& p : module.parameters())
    if (const Tensor& value = p.var.value(); is_weight(value) && value.size(0) > 0)
      in[layer_of(p.name)] += value.numel() / value.size(0);
  return in;
}

void draw_uniform(const Tensor& value, double bound, RandomKey key) {
  kernels::random_uniform(value, key, Tensor::scalar(int64_t{0}, value.device()), {});
  kernels::map_fwd(kernels::Map::affine, {2 * bound, -bound}, {&value, 1}, value);
}

void draw_normal(const Tensor& value, double deviation, RandomKey key) {
  kernels::random_normal(value, key, Tensor::scalar(int64_t{0}, value.device()), {});
  kernels::map_fwd(kernels::Map::affine, {deviation, 0}, {&value, 1}, value);
}

/// Calls body(weight, inputs of its layer, outputs), where both count the window of a convolution.
template <class Body>
void for_each_layer(const Module& module, const Body& body) {
  const auto in = fan_ins(module);
  for (const Module::Parameter& p : module.parameters()) {
    const Tensor& value = p.var.value();
    if (!is_weight(value) || value.numel() == 0) continue;
    const int64_t window = value.numel() / (value.size(0) * value.size(value.rank() - 1));
    body(p, static_cast<double>(in.at(layer_of(p.name))), static_cast<double>(window * value.size(0)));
  }
}

}  // namespace

void init_normal_fan_in(const Module& module, double scale, uint64_t seed) {
  for (const Module::Parameter& p : module.parameters()) {
    const Tensor& value = p.var.value();
    if (!is_weight(value) || value.numel() == 0) continue;
    const auto fan_in = static_cast<double>(value.numel() / value.size(0));
    draw_normal(value, scale / std::sqrt(fan_in), RandomKey::named(seed, "init/" + p.name));
  }
}

void init_normal(const Module& module, double deviation, uint64_t seed) {
  for (const Module::Parameter& p : module.parameters())
    if (is_weight(p.var.value()))
      draw_normal(p.var.value(), deviation, RandomKey::named(seed, "init/" + p.name));
}

void init_glorot_normal(const Module& module, uint64_t seed) {
  for_each_layer(module, [&](const Module::Parameter& p, double in, double out) {
    draw_normal(p.var.value(), std::sqrt(2 / (in + out)), RandomKey::named(seed, "init/" + p.name));
  });
}

void init_glorot_uniform(const Module& module, uint64_t seed) {
  for_each_layer(module, [&](const Module::Parameter& p, double in, double out) {
    draw_uniform(p.var.value(), std::sqrt(6 / (in + out)), RandomKey::named(seed, "init/" + p.name));
  });
}

void init_he_uniform(const Module& module, uint64_t seed) {
  for_each_layer(module, [&](const Module::Parameter& p, double in, double) {
    draw_uniform(p.var.value(), std::sqrt(6 / in), RandomKey::named(seed, "init/" + p.name));
  });
}

void init_uniform_fan_in(const Module& module, uint64_t seed) {
  const auto in = fan_ins(module);
  for (const Module::Parameter& p : module.parameters())
    if (const auto layer = in.find(layer_of(p.name)); layer != in.end())
      draw_uniform(p.var.value(), 1 / std::sqrt(static_cast<double>(layer->second)),
                   RandomKey::named(seed, "init/" + p.name));
}

void init_where_zero(const Module& module) {
  for (const Module::Parameter& p : module.parameters()) {
    if (!is_weight(p.var.value())) continue;
    const Tensor squares = Tensor::scalar(0.0, p.var.value().device());
    kernels::sum_squares(p.var.value(), squares);
    if (squares.item() != 0) return;
  }
  init_uniform_fan_in(module, module.options().seed);
}

}  // namespace vae::nn
