#include "nn/train/check_gradients.h"

#include "nn/init.h"
#include "tensor/print.h"

namespace vae::train {

bool check_gradients(nn::Module& module, const std::function<Var(const Step&)>& loss,
                     autograd::GradcheckOptions options) {
  const nn::Options& of = module.options();
  if (of.dtype != DType::f64)
    fail(ErrorKind::usage,
         "check_gradients: differences need f64, the module is {}: make it with {{.dtype = DType::f64}}",
         name_of(of.dtype));
  nn::init_where_zero(module);
  const Step step(of.seed, Tensor::scalar(int64_t{0}, of.device), DType::f64);
  autograd::NamedInputs parameters;
  for (const nn::Module::Parameter& p : module.parameters()) parameters.emplace_back(p.name, p.var);
  const autograd::GradcheckResult result =
      autograd::gradcheck([&] { return loss(step); }, parameters, options);
  say("{}\n", result.str());
  return result.ok;
}

}  // namespace vae::train
