#include "m1_m2_run.h"
#include "nn/train/image_set.h"

namespace vae::golden {
namespace {

using autograd::Var;
using At = std::optional<int64_t>;

/// Rows k * B + b of [K * B, D] as [B, K, D].
Tensor rows_first(const Tensor& x, int64_t classes) {
  const int64_t rows = x.size(0) / classes, width = x.size(1);
  const std::vector<double> from = to_doubles(x);
  std::vector<double> to(from.size());
  for (int64_t k = 0; k < classes; ++k)
    for (int64_t b = 0; b < rows; ++b)
      for (int64_t i = 0; i < width; ++i)
        to[static_cast<size_t>((b * classes + k) * width + i)] =
            from[static_cast<size_t>((k * rows + b) * width + i)];
  return as_tensor(to, {rows, classes, width}, x.dtype());
}

double sum_of(const Tensor& x) { return autograd::sum(Var(x)).value().item(); }

class M2Run {
 public:
  M2Run(const M1M2Case& c, Source& source, DType dtype)
      : c_(c),
        source_(source),
        dtype_(dtype),
        model_(*c.m2, {.dtype = dtype, .device = golden_device()}),
        groups_(m1_m2::m2_groups(model_, c.adam, kernels::Schedule::constant(c.adam.learning_rate))),
        iteration_(Tensor::scalar(int64_t{0}, golden_device())) {
    source.load(model_, "param/");
    source.load(groups_, model_);
    if (!c.m1) return;
    frozen_ = std::make_unique<m1_m2::M1>(*c.m1, nn::Options{.dtype = dtype, .device = golden_device()});
    frozen_->set_training(false);
    source.load(*frozen_, "param_m1/");
  }

  Values run(const File& file) {
    Values values = run_steps(c_.steps, [&](At at) { return update(at); });
    put_after(values, groups_, model_);
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
  Tensor inputs(const std::string& part, int64_t rows, At at) {
    if (!frozen_) return source_.get("input/x" + part, {rows, c_.m2->x_size}, at);
    const Tensor images = source_.get("input/image" + part, {rows, c_.m1->x_size}, at);
    const Tensor eps = source_.get("noise/eps_m1" + part, {rows, c_.m1->z_size}, at);
    return nn::sample(frozen_->encode(Var(images)), Var(eps)).value();
  }

  Values update(At at) {
    const bool separate = c_.update == m1_m2::M2Update::separate;
    const m1_m2::M2Batch batch{inputs("_l", c_.labeled, at), source_.labels(at),
                               inputs("_u", c_.unlabeled, at), c_.labeled, c_.unlabeled};
    if (c_.unlabeled == 0) source_.get("noise/eps_u", {0, c_.m2->z_size}, at);  // of no rows: not asked for
    Values values;
    train::Notes notes;
    const train::Step step = train::Step(0, iteration_, dtype_)
                                 .with_notes(notes)
                                 .with_noise([&](const std::string& name, Shape shape, train::Draw) {
                                   return source_.get("noise/" + name, shape, at);
                                 });
    const auto updates = m1_m2::m2_updates(model_, {.update = c_.update, .alpha = c_.alpha}, batch, step);
    groups_.run(updates[0], iteration_);
    put_gradients(values, "grad/", "output/gradnorm_", groups_, model_);
    if (separate) {
      put_state(values, "mid/", model_, "encoder_x_y");
      groups_.run(updates[1], iteration_);
      put_gradients(values, "grad_cls/", "output/gradnorm_cls_", groups_, model_, "encoder_x_y");
    }
    put_notes(values, notes);
    const auto loss = [&](const char* name) { return notes.at(name).value().item(); };
    const double bounds = loss("loss_labeled") + loss("loss_unlabeled");
    put(values, "output/loss_lower_bound", bounds);
    if (!separate) put(values, "output/loss_total", bounds + loss("loss_classifier"));
    values["input/y_l"] = train::one_hot(batch.labels, c_.m2->y_size, dtype_);
    if (frozen_) values["output/feature_l"] = batch.x_labeled, values["output/feature_u"] = batch.x_unlabeled;
    return values;
  }

  void evaluate(Values& values) {
    const m1_m2::M2Config& m2 = *c_.m2;
    source_.load_exact(model_);
    model_.set_training(false);
    const Var x(inputs("_l", c_.labeled, {}));
    const Var probabilities = autograd::softmax(model_.classify(x));
    put(values, "eval/probs", probabilities);
    values["eval/pred"] = train::most_probable(probabilities.value());
    const nn::Gaussian q = model_.encode(x, source_.labels({}));
    const Var z = nn::sample(q, Var(source_.get("noise/eps_eval", {c_.labeled, m2.z_size})));
    put(values, "eval/z", z);
    const Tensor analogy = analogies(model_.decode_all_classes(z));
    values["eval/analogy"] = analogy;
    if (!frozen_) return;
    const Tensor features = analogy.reshape({c_.labeled * m2.y_size, m2.x_size});
    values["eval/analogy_image"] =
        nn::expectation(frozen_->decode(Var(features))).reshape({c_.labeled, m2.y_size, c_.m1->x_size});
  }

  /// Every row under every class [B, K, D]: probabilities, or samples of a Gaussian.
  Tensor analogies(const nn::Likelihood& x) {
    const int64_t classes = c_.m2->y_size;
    if (c_.m2->decoder == nn::LikelihoodKind::bernoulli) return rows_first(nn::expectation(x), classes);
    const auto& gaussian = std::get<nn::Gaussian>(x);
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
  m1_m2::M2 model_;
  train::Groups groups_;
  Tensor iteration_;
  std::unique_ptr<m1_m2::M1> frozen_;
};

}  // namespace

Values run_m2(const File& file, const M1M2Case& c, Source& source, DType dtype) {
  return M2Run(c, source, dtype).run(file);
}

}  // namespace vae::golden
