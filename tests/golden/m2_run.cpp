#include <algorithm>

#include "m1_m2_run.h"

namespace vae::golden {
namespace {

using autograd::Var;
using Step = std::optional<int64_t>;

Tensor one_hot(const Tensor& labels, int64_t classes, DType dtype) {
  const Tensor y = Tensor::empty({labels.size(0), classes}, dtype, labels.device());
  kernels::one_hot(labels, y);
  return y;
}

/// Rows k * B + b of [K * B, D] as [B, K, D].
Tensor rows_first(const Tensor& x, int64_t classes) {
  const int64_t rows = x.size(0) / classes, width = x.size(1);
  const std::vector<double> from = as_doubles(x);
  std::vector<double> to(from.size());
  for (int64_t k = 0; k < classes; ++k)
    for (int64_t b = 0; b < rows; ++b)
      for (int64_t i = 0; i < width; ++i)
        to[static_cast<size_t>((b * classes + k) * width + i)] =
            from[static_cast<size_t>((k * rows + b) * width + i)];
  return as_tensor(to, {rows, classes, width}, x.dtype());
}

Tensor argmax_rows(const Tensor& x) {
  const std::vector<double> values = as_doubles(x);
  std::vector<int64_t> best;
  for (auto row = values.begin(); row != values.end(); row += x.size(1))
    best.push_back(std::max_element(row, row + x.size(1)) - row);
  return Tensor::from(best, {x.size(0)});
}

double sum_of(const Tensor& x) { return autograd::sum(Var(x)).value().item(); }

class M2Run {
 public:
  M2Run(const M1M2Case& c, Source& source, DType dtype)
      : c_(c),
        source_(source),
        dtype_(dtype),
        model_(*c.m2, {.dtype = dtype, .device = golden_device()}),
        trainer_(model_, c.update, c.alpha, c.adam) {
    source.load(model_, "param/");
    source.load(trainer_.nets(), model_);
    if (!c.m1) return;
    frozen_ = std::make_unique<models::M1>(*c.m1, nn::Options{.dtype = dtype, .device = golden_device()});
    frozen_->set_training(false);
    source.load(*frozen_, "param_m1/");
  }

  Values run(const File& file) {
    Values values = run_steps(c_.steps, [&](Step step) { return update(step); });
    put_after(values, trainer_.nets(), model_);
    if (has_evaluation(file)) evaluate(values);
    if (c_.formula) summarize(values);
    if (c_.unlabeled == 0)  // the terms of no rows
      for (const auto& [name, expected] : file.content.tensors)
        if (name.starts_with("output/") && name.ends_with("_u") && expected.numel() == 0)
          values[name] = expected;
    return values;
  }

 private:
  /// Labelled ("_l") or unlabelled ("_u") inputs of M2.
  Tensor inputs(const std::string& part, int64_t rows, Step step) {
    if (!frozen_) return source_.get("input/x" + part, {rows, c_.m2->x_size}, step);
    const Tensor images = source_.get("input/image" + part, {rows, c_.m1->x_size}, step);
    const Tensor eps = source_.get("noise/eps_m1" + part, {rows, c_.m1->z_size}, step);
    const models::Gaussian q = frozen_->encode(Var(images));
    return autograd::reparameterize(q.mean, q.log_var, Var(eps)).value();
  }

  models::M2Batch batch(Step step) {
    const models::M2Config& m2 = *c_.m2;
    return {.x_labeled = inputs("_l", c_.labeled, step),
            .labels = source_.labels(step),
            .x_unlabeled = inputs("_u", c_.unlabeled, step),
            .eps_labeled = source_.get("noise/eps_l", {c_.labeled, m2.z_size}, step),
            .eps_unlabeled = source_.get("noise/eps_u", {m2.y_size * c_.unlabeled, m2.z_size}, step)};
  }

  static void put_bound(Values& values, const std::string& part, const models::M2Bound& bound) {
    if (!bound.bound.defined()) return;
    put_gaussian(values, "output/", part, bound.q);
    put_decoded(values, "output/", "x_logits", part, bound.terms.x);
    put(values, "output/z" + part, bound.terms.z);
    put(values, "output/logpx" + part, bound.terms.log_px);
    put(values, "output/kl" + part, bound.terms.kl);
    put(values, "output/logpz" + part, bound.terms.log_pz);
    put(values, "output/logqz" + part, bound.terms.log_qz);
    put(values, "output/lb" + part, bound.bound);
  }

  Values update(Step step) {
    const bool separate = c_.update == models::M2Update::separate;
    Values values;
    models::M2Trace trace;
    trace.after_bounds = [&] {
      put_gradients(values, "grad/", "output/gradnorm_", trainer_.nets(), model_);
      if (separate) put_state(values, "mid/", model_, "encoder_x_y");
    };
    const models::M2Batch data = batch(step);
    const models::M2Losses losses = trainer_.step(data, &trace);
    if (separate)
      put_gradients(values, "grad_cls/", "output/gradnorm_cls_", trainer_.nets(), model_, "encoder_x_y");
    const double bounds = losses.labeled.item() + losses.unlabeled.item();
    values["output/loss_labeled"] = losses.labeled;
    values["output/loss_unlabeled"] = losses.unlabeled;
    values["output/loss_classifier"] = losses.classifier;
    put(values, "output/loss_lower_bound", bounds);
    if (!separate) put(values, "output/loss_total", bounds + losses.classifier.item());
    put_bound(values, "_l", trace.labeled);
    put_bound(values, "_u", trace.unlabeled);
    put(values, "output/q_u", trace.q);
    put(values, "output/cls_logits", trace.logits);
    values["input/y_l"] = one_hot(data.labels, c_.m2->y_size, dtype_);
    if (frozen_) values["output/feature_l"] = data.x_labeled, values["output/feature_u"] = data.x_unlabeled;
    return values;
  }

  void evaluate(Values& values) {
    const models::M2Config& m2 = *c_.m2;
    model_.set_training(false);
    const Var x(inputs("_l", c_.labeled, {}));
    const Var probabilities = autograd::softmax(model_.classify(x));
    put(values, "eval/probs", probabilities);
    values["eval/pred"] = argmax_rows(probabilities.value());
    const models::Gaussian q = model_.encode(x, Var(one_hot(source_.labels({}), m2.y_size, dtype_)));
    const Tensor eps = source_.get("noise/eps_eval", {c_.labeled, m2.z_size});
    const Var z = autograd::reparameterize(q.mean, q.log_var, Var(eps));
    put(values, "eval/z", z);
    const Tensor analogy = analogies(model_.decode_all_classes(z));
    values["eval/analogy"] = analogy;
    if (!frozen_) return;
    const Tensor features = analogy.reshape({c_.labeled * m2.y_size, m2.x_size});
    values["eval/analogy_image"] =
        models::expectation(frozen_->decode(Var(features))).reshape({c_.labeled, m2.y_size, c_.m1->x_size});
  }

  /// Every row under every class [B, K, D]: probabilities, or samples of a Gaussian.
  Tensor analogies(const models::Decoded& x) {
    const int64_t classes = c_.m2->y_size;
    if (c_.m2->decoder == models::Likelihood::bernoulli) return rows_first(models::expectation(x), classes);
    const auto& gaussian = std::get<models::Gaussian>(x);
    const Tensor eps = source_.get("noise/eps_eval_dec", {c_.labeled, classes, c_.m2->x_size});
    return autograd::reparameterize(Var(rows_first(gaussian.mean.value(), classes)),
                                    Var(rows_first(gaussian.log_var.value(), classes)), Var(eps))
        .value();
  }

  /// What cases of true dimensions hold in place of large tensors.
  void summarize(Values& values) {
    put_norms(values);
    for (const std::string name : {"output/lb_u", "output/q_u"})
      if (const auto found = values.find(name); found != values.end())
        values[name + "_row0"] = found->second.slice(0, 1).reshape({c_.m2->y_size});
    for (const std::string name : {"output/feature_l", "output/feature_u"})
      if (const auto found = values.find(name); found != values.end())
        put(values, name + "_sum", sum_of(found->second));
    const Values again = update({});
    for (const std::string name : {"output/loss_labeled", "output/loss_unlabeled", "output/loss_classifier"})
      values[name + "_after_one_iteration"] = again.at(name);
  }

  const M1M2Case& c_;
  Source& source_;
  DType dtype_;
  models::M2 model_;
  models::M2Trainer trainer_;
  std::unique_ptr<models::M1> frozen_;
};

}  // namespace

Values run_m2(const File& file, const M1M2Case& c, Source& source, DType dtype) {
  return M2Run(c, source, dtype).run(file);
}

}  // namespace vae::golden
