#include "nn/layers.h"

#include "autograd/function.h"
#include "tensor/communicator.h"

namespace vae::nn {

BatchNorm::BatchNorm(Module* parent, const std::string& name, int64_t features, BatchNormOptions bn)
    : Module(parent, name),
      weight(parameter("weight", {features}, 1)),
      bias(parameter("bias", {features})),
      running_mean(buffer("running_mean", {features})),
      running_var(buffer("running_var", {features}, bn.initial_running_var)),
      bn_(bn) {}

Var BatchNorm::operator()(const Var& x, const kernels::Activation& activation, int64_t copies) const {
  const autograd::Calling calling("BatchNorm", path());
  if (training())
    return autograd::batch_norm(
        x, weight, bias, running_mean, running_var,
        {bn_.eps, bn_.momentum, bn_.running_var_includes_eps, static_cast<double>(copies)}, activation);
  autograd::detail::check_batch_norm(x, weight, bias);
  return by_running_statistics(x, activation);
}

Var BatchNorm::of_first(const Var& x, const kernels::Activation& activation) const {
  const autograd::Calling calling("BatchNorm", path());
  if (training())
    return autograd::batch_norm_of_first(x, weight, bias, running_mean, running_var,
                                         {bn_.eps, bn_.momentum, bn_.running_var_includes_eps}, activation);
  autograd::detail::check_batch_norm(x, weight, bias, true);
  return by_running_statistics(autograd::slice_columns(x, 0, weight.value().numel()), activation);
}

Var BatchNorm::by_running_statistics(const Var& x, const kernels::Activation& activation) const {
  const Var deviation = autograd::sqrt(Var(running_var) + (bn_.eval_adds_eps ? bn_.eps : 0.0));
  const Var scale = weight / deviation;
  return autograd::activate(activation, x * scale + (bias - Var(running_mean) * scale));
}

namespace {

thread_local const ShareOfBatch* innermost = nullptr;

}  // namespace

ShareOfBatch::ShareOfBatch(kernels::Rows rows) : rows_(rows), outer_(innermost) { innermost = this; }

ShareOfBatch::~ShareOfBatch() { innermost = outer_; }

kernels::Rows ShareOfBatch::rows(const char* who) {
  if (innermost) return innermost->rows_;
  if (!parallel::current().alone())
    autograd::misuse(who,
                     "which rows of the batch are these? Several ranks hold some: name an nn::ShareOfBatch");
  return {};
}

Dropout::Dropout(Module* parent, const std::string& name, double ratio, const std::string& stream)
    : Module(parent, name),
      ratio_(ratio),
      key_(RandomKey::named(options().seed, stream)),
      calls_(buffer("calls", Tensor::scalar(int64_t{0}, options().device))) {
  if (!(ratio >= 0 && ratio < 1)) fail(ErrorKind::usage, "dropout ratio {} outside [0, 1)", ratio);
}

Var Dropout::operator()(const Var& x) const {
  const autograd::Calling calling("Dropout", path());
  autograd::detail::check_operands("dropout(x)", {&x});
  if (!training() || ratio_ == 0) return x;
  const Tensor uniform = Tensor::empty(x.shape(), x.value().dtype(), x.value().device());
  kernels::random_uniform(uniform, key_, calls_, ShareOfBatch::rows("dropout"));
  kernels::increment(calls_);
  return autograd::dropout(x, uniform, ratio_);
}

}  // namespace vae::nn
