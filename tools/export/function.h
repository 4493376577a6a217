#pragma once
// A function of a trained model, as it is exported: `mean, log_var = encoder(x, y)`.
#include "nn/train/step.h"

namespace vae::exporter {

using autograd::Var;
using Vars = std::vector<Var>;

struct Input {
  std::string name;
  Shape shape;      ///< of one row of the batch
  std::string doc;  ///< what the values are
};

struct Output {
  std::string name;
  Var value;
  std::string doc;
};

/// What a family says of a function. Noise that it takes from the step becomes an input, "eps_NAME" where it
/// is normal and "u_NAME" where it is uniform.
struct Function {
  std::string name;  ///< of its file
  std::string doc;
  std::vector<Input> inputs;
  std::function<std::vector<Output>(const Vars& inputs, const train::Step& step)> outputs;
};

}  // namespace vae::exporter
