#pragma once
// What tests of the models share: parameters away from their start, and sets of a few images.
#include "nn/module.h"
#include "nn/train/image_set.h"
#include "nn/train/step.h"
#include "tests/numeric.h"

namespace vae::test {

/// Every parameter spread over [-limit, limit], so that nothing is zero by symmetry; running variances over
/// [0.5, 1.5]. Returns the parameters.
inline std::vector<autograd::Var> scatter(nn::Module& module, double limit = 0.8) {
  std::vector<autograd::Var> parameters;
  uint64_t stream = 20;
  for (const nn::Module::Parameter& p : module.parameters()) {
    p.var.value().copy_from(
        sample_tensor(p.var.shape(), p.var.value().dtype(), p.var.value().device(), -limit, limit, ++stream));
    parameters.push_back(p.var);
  }
  for (const nn::Module::Buffer& b : module.buffers())
    if (b.name.ends_with("running_var"))
      b.tensor.copy_from(
          sample_tensor(b.tensor.shape(), b.tensor.dtype(), b.tensor.device(), 0.5, 1.5, ++stream));
  return parameters;
}

/// The parameter of a module that has this name.
inline autograd::Var parameter_of(const nn::Module& module, const std::string& name) {
  for (const nn::Module::Parameter& p : module.parameters())
    if (p.name == name) return p.var;
  fail(ErrorKind::internal, "no parameter '{}'", name);
}

/// Takes the mean of logits [n, K] over their rows off the bias that gives them, so that several classes win.
inline void balance(const autograd::Var& bias, const autograd::Var& logits) {
  const std::vector<double> values = to_doubles(logits.value());
  std::vector<double> shifted = to_doubles(bias.value());
  const size_t classes = shifted.size();
  for (size_t i = 0; i < values.size(); ++i)
    shifted[i % classes] -= values[i] * static_cast<double>(classes) / static_cast<double>(values.size());
  bias.value().copy_from(tensor_of(shifted, bias.shape(), bias.value().dtype()));
}

/// Images of height x width grey pixels in [0, 1], all different, of the classes 0, 1, ..., in turn.
inline train::ImageSet few_images(int64_t count, int64_t height, int64_t width, int64_t classes,
                                  uint64_t stream = 0, Device device = kCpu) {
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < count; ++i) labels.push_back(i % classes);
  return {sample_tensor({count, height, width, 1}, DType::u8, device, 0, 256, stream),
          Tensor::from(labels, {count}, device), train::Inputs::unit};
}

/// A step whose noise is zero throughout.
inline train::Step without_noise(DType dtype = DType::f32) {
  return train::Step(0, Tensor::scalar(int64_t{0}), dtype)
      .with_noise([=](const std::string&, Shape shape, train::Draw) { return Tensor::zeros(shape, dtype); });
}

/// Rows [begin, end) of a tensor [n, ...] as numbers.
inline std::vector<double> rows_of(const Tensor& x, int64_t begin, int64_t end) {
  return to_doubles(x.slice(begin, end));
}

}  // namespace vae::test
