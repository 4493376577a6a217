#pragma once
// What a forward pass takes from outside, noise under the name of the draw, and what it shows: values under
// names.
#include <functional>
#include <map>
#include <string>

#include "autograd/variable.h"

namespace vae::models::adgm {

using autograd::Var;

enum class Draw { normal, uniform };

using Trace = std::map<std::string, Var>;

struct Pass {
  std::function<Tensor(const std::string& name, Shape shape, Draw draw)> noise;
  Trace* trace = nullptr;

  Var normal(const std::string& name, Shape shape) const { return Var(noise(name, shape, Draw::normal)); }
  Var uniform(const std::string& name, Shape shape) const { return Var(noise(name, shape, Draw::uniform)); }
  /// Shows a value, where somebody looks.
  void note(const std::string& name, const Var& value) const {
    if (trace) (*trace)[name] = value;
  }
};

}  // namespace vae::models::adgm
