#include "numbers.h"

namespace vae::golden {

Tensor Numbers::get(const std::string& name, Shape shape) {
  const Tensor& tensor = file_.content.at(name);
  if (!(tensor.shape() == shape))
    fail(ErrorKind::data, "{} is {}, the configuration says {}", name, tensor.shape().str(), shape.str());
  read_.insert(name);
  return as_tensor(to_doubles(tensor), shape, dtype_);
}

Tensor Numbers::integers(const std::string& name) {
  read_.insert(name);
  return file_.content.at(name).to(golden_device());
}

void Numbers::load(nn::Module& module, const std::string& prefix) {
  for (const nn::Module::Parameter& p : module.parameters())
    p.var.value().copy_from(get(prefix + p.name, p.var.shape()));
  for (const nn::Module::Buffer& b : module.buffers())
    b.tensor.copy_from(get(prefix + b.name, b.tensor.shape()));
}

}  // namespace vae::golden
