#include "m1_m2_run.h"

namespace vae::golden {
namespace {

using autograd::Var;
using At = std::optional<int64_t>;

double mean_of(const Tensor& x) { return autograd::mean(Var(x)).value().item(); }

std::vector<train::Group> groups_of(m1_m2::M1& model, const nn::Adam::Settings& adam) {
  return {{"encoder", &model.encoder(), adam, {}}, {"decoder", &model.decoder(), adam, {}}};
}

class M1Run {
 public:
  M1Run(const M1M2Case& c, Source& source, DType dtype)
      : c_(c),
        source_(source),
        model_(*c.m1, {.dtype = dtype, .device = golden_device()}),
        groups_(groups_of(model_, c.adam)),
        iteration_(Tensor::scalar(int64_t{0}, golden_device())) {
    source.load(model_, "param/");
    source.load(groups_, model_);
  }

  Values run(const File& file) {
    Values values = run_steps(c_.steps, [&](At at) { return update(at); });
    put_after(values, groups_, model_);
    if (has_evaluation(file)) evaluate(values);
    if (c_.formula) {
      put_norms(values);
      put(values, "output/loss_after_one_step", update({}).at("output/loss").item());
    }
    return values;
  }

 private:
  Tensor images(At at) { return source_.get("input/x", {c_.labeled, c_.m1->x_size}, at); }
  Tensor noise(At at) { return source_.get("noise/eps", {c_.m1->samples, c_.labeled, c_.m1->z_size}, at); }

  Values update(At at) {
    train::Notes notes;
    const train::Step step =
        train::Step(0, iteration_)
            .with_notes(notes)
            .with_noise([&](const std::string&, Shape shape, train::Draw) { return noise(at).reshape(shape); });
    Values values;
    groups_.run({{}, {[&] {
                   const Var loss = model_.loss(images(at), c_.labeled, step);
                   put(values, "output/loss", loss);
                   return loss;
                 }}},
                iteration_);
    put_notes(values, notes);
    double nll = 0;
    for (int64_t l = 0; l < c_.m1->samples; ++l) {
      const std::string draw = fmt::format("_{}", l);
      put(values, "output/nll" + draw, -notes.at("log_px" + draw));
      put(values, "output/logits" + draw, notes["x_logits" + draw]);
      nll -= mean_of(notes.at("log_px" + draw).value()) / static_cast<double>(c_.m1->samples);
    }
    put(values, "output/kl", notes["kl_0"]);  // the same for all draws
    put(values, "output/nll_mean", nll);
    if (const auto kl = values.find("output/kl"); kl != values.end())
      put(values, "output/kl_mean", mean_of(kl->second));
    put_gradients(values, "grad/", "output/gradnorm_", groups_, model_);
    return values;
  }

  void evaluate(Values& values) {
    source_.load_exact(model_);
    model_.set_training(false);
    const nn::Gaussian q = model_.encode(Var(images({})));
    const Tensor eps = noise({}).slice(0, 1).reshape({c_.labeled, c_.m1->z_size});
    const Var z = nn::sample(q, Var(eps));
    put_gaussian(values, "eval/", q);
    put(values, "eval/z", z);
    const nn::Likelihood x = model_.decode(z);
    if (c_.m1->decoder == nn::LikelihoodKind::bernoulli)
      values["eval/x_prob"] = nn::expectation(x);
    else
      put_gaussian(values, "eval/x_", std::get<nn::Gaussian>(x));
  }

  const M1M2Case& c_;
  Source& source_;
  m1_m2::M1 model_;
  train::Groups groups_;
  Tensor iteration_;
};

}  // namespace

Values run_m1(const File& file, const M1M2Case& c, Source& source, DType dtype) {
  return M1Run(c, source, dtype).run(file);
}

}  // namespace vae::golden
