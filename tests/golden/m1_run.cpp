#include "m1_m2_run.h"

namespace vae::golden {
namespace {

using autograd::Var;
using Step = std::optional<int64_t>;

double mean_of(const Tensor& x) { return autograd::mean(Var(x)).value().item(); }

class M1Run {
 public:
  M1Run(const M1M2Case& c, Source& source, DType dtype)
      : c_(c), source_(source), model_(*c.m1, {.dtype = dtype, .device = golden_device()}), trainer_(model_, c.adam) {
    source.load(model_, "param/");
    source.load(trainer_.nets(), model_);
  }

  Values run(const File& file) {
    Values values = run_steps(c_.steps, [&](Step step) { return update(step); });
    put_after(values, trainer_.nets(), model_);
    if (has_evaluation(file)) evaluate(values);
    if (c_.formula) {
      put_norms(values);
      put(values, "output/loss_after_one_step", update({}).at("output/loss").item());
    }
    return values;
  }

 private:
  Tensor images(Step step) { return source_.get("input/x", {c_.labeled, c_.m1->x_size}, step); }
  Tensor noise(Step step) {
    return source_.get("noise/eps", {c_.m1->samples, c_.labeled, c_.m1->z_size}, step);
  }

  Values update(Step step) {
    models::M1Trace trace;
    Values values;
    values["output/loss"] = trainer_.step(images(step), noise(step), &trace);
    put_gaussian(values, "output/", "", trace.q);
    double nll = 0;
    for (size_t l = 0; l < trace.draws.size(); ++l) {
      const models::Terms& draw = trace.draws[l];
      const std::string suffix = fmt::format("_{}", l);
      put(values, "output/z" + suffix, draw.z);
      put_decoded(values, "output/", "logits", suffix, draw.x);
      put(values, "output/nll" + suffix, -draw.log_px);
      put(values, "output/kl", draw.kl);
      put(values, "output/logpz" + suffix, draw.log_pz);
      put(values, "output/logqz" + suffix, draw.log_qz);
      nll -= mean_of(draw.log_px.value()) / static_cast<double>(trace.draws.size());
    }
    put(values, "output/nll_mean", nll);
    if (const auto kl = values.find("output/kl"); kl != values.end())
      put(values, "output/kl_mean", mean_of(kl->second));
    put_gradients(values, "grad/", "output/gradnorm_", trainer_.nets(), model_);
    return values;
  }

  void evaluate(Values& values) {
    model_.set_training(false);
    const models::Gaussian q = model_.encode(Var(images({})));
    const Tensor eps = noise({}).slice(0, 1).reshape({c_.labeled, c_.m1->z_size});
    const Var z = autograd::reparameterize(q.mean, q.log_var, Var(eps));
    put_gaussian(values, "eval/", "", q);
    put(values, "eval/z", z);
    const models::Decoded x = model_.decode(z);
    if (c_.m1->decoder == models::Likelihood::bernoulli)
      values["eval/x_prob"] = models::expectation(x);
    else
      put_decoded(values, "eval/", "", "", x);
  }

  const M1M2Case& c_;
  Source& source_;
  models::M1 model_;
  models::M1Trainer trainer_;
};

}  // namespace

Values run_m1(const File& file, const M1M2Case& c, Source& source, DType dtype) {
  return M1Run(c, source, dtype).run(file);
}

}  // namespace vae::golden
