#include "adgm_run.h"

#include <cmath>

#include "models/adgm/trainer.h"
#include "models/adgm/vae.h"

namespace vae::golden {
namespace {

using autograd::Var;
using models::adgm::Draw, models::adgm::Pass, models::adgm::SemiBatch, models::adgm::SemiLosses,
    models::adgm::Trace;

Tensor argmax_rows(const Tensor& x) {
  const Tensor best = Tensor::empty({x.size(0)}, DType::i64, x.device());
  kernels::argmax(x, best);
  return best;
}

/// Rows repeated until they are as many as expected: what is computed once per image stands once per row in
/// the files.
Tensor repeated_to(const Tensor& x, const Shape& expected) {
  if (x.rank() == 0 || expected.rank() != x.rank() || x.size(0) == 0 || expected[0] == x.size(0)) return x;
  std::vector<double> all, once = as_doubles(x);
  for (int64_t i = 0; i < expected[0] / x.size(0); ++i) all.insert(all.end(), once.begin(), once.end());
  return static_cast<int64_t>(all.size()) == expected.numel() ? as_tensor(all, expected, x.dtype()) : x;
}

class AdgmRun {
 public:
  AdgmRun(const File& file, const AdgmCase& c, DType dtype)
      : file_(file),
        c_(c),
        dtype_(dtype),
        model_(models::adgm::make_model(c.model, {.dtype = dtype, .device = golden_device()})),
        trainer_(*model_, rule(c)) {
    if (auto* gumbel = dynamic_cast<models::adgm::GumbelVae*>(model_.get()))
      kernels::fill(gumbel->temperature(), c.temperature);
    load();
  }

  Outcome run() {
    for (int64_t step = 0; step < c_.steps; ++step) {
      step_ = c_.steps > 1 ? fmt::format("step{}/", step) : "";
      has_labels(c_.model.kind) ? semi_step(static_cast<size_t>(step)) : unsupervised_step();
      gradients(step == 0);
    }
    step_ = "";
    after();
    model_->set_training(false);
    sample();
    if (has("output/E/")) evaluate();
    return {.kind = c_.kind(),
            .values = std::move(values_),
            .inputs = std::move(inputs_),
            .tolerance = adgm_tolerance(file_, c_, dtype_)};
  }

 private:
  static models::adgm::UpdateRule rule(const AdgmCase& c) {
    if (c.optimizer == "adam")
      return nn::Adam::Settings{
          .learning_rate = c.learning_rate,
          .rule = {
              .beta1 = c.beta1, .beta2 = c.beta2, .eps = c.optimizer_eps, .weight_decay = c.weight_decay}};
    return nn::Adagrad::Settings{.learning_rate = c.learning_rate,
                                 .rule = {.eps = c.optimizer_eps, .weight_decay = c.weight_decay},
                                 .initial_sum = c.initial_sum};
  }

  bool has(const std::string& prefix) const {
    const auto found = file_.content.tensors.lower_bound(prefix);
    return found != file_.content.tensors.end() && found->first.starts_with(prefix);
  }

  Tensor raw(const std::string& name) {
    inputs_.insert(name);
    return file_.content.at(name);
  }
  Tensor get(const std::string& name) {
    const Tensor x = raw(name);
    return as_tensor(as_doubles(x), x.shape(), dtype_);
  }

  void load() {
    int64_t k = 0;
    for (const StateEntry& entry : state_entries(*model_, c_)) {
      if (entry.parts.empty()) {
        if (!c_.formula) batches_[entry.name] = as_doubles(raw("param/" + entry.name)).front();
      } else if (c_.formula) {
        split_parts(by_formula(entry, k), entry.parts);
      } else {
        const Tensor value = raw("param/" + entry.name), ours = join_parts(entry.parts);
        if (!(value.shape() == ours.shape()))
          fail(ErrorKind::data, "param/{} is {}, the configuration says {}", entry.name, value.str(),
               ours.str());
        split_parts(value, entry.parts);
      }
      ++k;
    }
  }

  static Tensor by_formula(const StateEntry& entry, int64_t k) {
    const Tensor ours = join_parts(entry.parts);
    std::vector<double> values(static_cast<size_t>(ours.numel()));
    const bool mean = entry.name.ends_with("running_mean"), variance = entry.name.ends_with("running_var");
    const bool gamma = entry.name.find("batchnorm") != std::string::npos && entry.name.ends_with(".weight");
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = mean       ? 0
                  : variance ? 1
                             : (gamma ? 1 : 0) +
                                   0.05 * std::sin(0.37 * static_cast<double>(i) + static_cast<double>(k));
    return as_tensor(values, ours.shape(), DType::f64);
  }

  /// Noise of a call out of the file; its trace is kept until put_trace().
  Pass pass(const std::string& call) {
    return {.noise =
                [this, call](const std::string& draw, Shape shape, Draw) {
                  const Tensor noise = get("noise/" + step_ + call + "/" + draw);
                  if (!(noise.shape() == shape))
                    fail(ErrorKind::data, "noise {}/{} is {}, the model draws {}", call, draw, noise.str(),
                         shape.str());
                  return noise;
                },
            .trace = &traces_[call]};
  }

  void put(const std::string& name, const Tensor& value) {
    const std::string full = "output/" + step_ + name;
    const auto expected = file_.content.tensors.find(full);
    if (expected != file_.content.tensors.end())
      values_[full] = repeated_to(value, expected->second.shape()).clone();
  }

  void put_trace(const std::string& call, const std::string& prefix) {
    for (const auto& [name, value] : traces_[call]) {
      if (name == "x_logits")
        put(prefix + "x_mu", autograd::sigmoid(value).value());
      else
        put(prefix + name, value.value());
      if (name == "probs")
        put(prefix + "entropy_rows",
            autograd::rowsum(kernels::Map::weighted_bound,
                             {value, Var(models::adgm::number(0, value.value()))}, {c_.model.eps, 0})
                .value());
    }
    traces_.erase(call);
  }

  void semi_step(size_t step) {
    const Tensor x = get("input/" + step_ + "x");
    const SemiBatch batch{.x = x,
                          .y = get("input/" + step_ + "y"),
                          .u = get("input/" + step_ + "u"),
                          .beta_labelled = models::adgm::number(c_.beta_l.at(step), x),
                          .beta_unlabelled = models::adgm::number(c_.beta_u.at(step), x)};
    values_["input/" + step_ + "label"] = argmax_rows(batch.y);
    const SemiLosses losses =
        trainer_.step(batch, c_.alpha, c_.sampler, [this](const char* call) { return pass(call); });
    put("J", losses.total.value()), put("L", losses.labelled.value()), put("U", losses.unlabelled.value());
    put("ce", losses.classifier.value()), put("accuracy", losses.accuracy);
    for (const char* call : {"L", "U", "C"}) put_trace(call, std::string(call) + "/");
    for (auto& [name, count] : batches_) count += 2;
  }

  void unsupervised_step() {
    const Tensor x = get("input/" + step_ + "x");
    put("loss", trainer_.step(Var(x), Var(models::adgm::number(c_.beta_l.front(), x)), pass("F")));
    put_trace("F", "");
    for (auto& [name, count] : batches_) count += 1;
  }

  /// Gradients of the first step; which elements are too small for the sign that Adam makes of them.
  void gradients(bool first) {
    double largest = 0;
    std::map<std::string, std::vector<double>> all;
    for (const StateEntry& entry : state_entries(*model_, c_)) {
      if (entry.parameters.empty() || !entry.parameters.front().needs_grad()) continue;
      std::vector<Tensor> parts;
      for (const Var& p : entry.parameters) parts.push_back(p.node()->grad);
      const Tensor gradient = join_parts(parts);
      if (first) put_gradient(entry.name, gradient);
      all[entry.name] = as_doubles(gradient);
      for (const double g : all[entry.name]) largest = std::max(largest, std::abs(g));
    }
    for (const auto& [name, gradient] : all) {
      double maximum = 0;
      for (const double g : gradient) maximum = std::max(maximum, std::abs(g));
      std::vector<bool>& small = too_small_[name];
      small.resize(gradient.size());
      const double part = c_.steps > 1 ? 1e-3 : 1e-5;  // of several steps Adam sees ratios, not signs
      for (size_t i = 0; i < gradient.size(); ++i)
        small[i] = small[i] || !(std::abs(gradient[i]) > std::max(part * maximum, 2e-6 * largest));
    }
  }

  void put_gradient(const std::string& name, const Tensor& gradient) {
    values_["grad/" + name] = gradient;
    if (!c_.formula) return;
    double sum = 0, squares = 0;
    const std::vector<double> g = as_doubles(gradient);
    for (const double v : g) sum += v, squares += v * v;
    values_["gradsum/" + name] = Tensor::scalar(sum),
                         values_["gradnorm/" + name] = Tensor::scalar(std::sqrt(squares));
    values_["gradhead/" + name] = head(gradient);
  }

  static Tensor head(const Tensor& x) {
    const int64_t n = std::min<int64_t>(8, x.numel());
    return x.reshape({x.numel()}).slice(0, n).clone();
  }

  void after() {
    const std::string prefix = c_.steps > 1 ? fmt::format("after{}/", c_.steps) : "after/";
    for (const StateEntry& entry : state_entries(*model_, c_)) {
      if (entry.parts.empty()) {
        values_[prefix + entry.name] = Tensor::scalar(static_cast<int64_t>(batches_[entry.name]));
        continue;
      }
      const Tensor value = join_parts(entry.parts);
      put_after(prefix + entry.name, value, entry.name);
      if (c_.formula) put_after("afterhead/" + entry.name, head(value), entry.name);
    }
  }

  /// In single precision, elements whose gradient is rounding noise are not compared.
  void put_after(const std::string& name, const Tensor& value, const std::string& entry) {
    std::vector<double> values = as_doubles(value);
    const auto expected = file_.content.tensors.find(name);
    const auto small = too_small_.find(entry);
    if (dtype_ == DType::f32 && expected != file_.content.tensors.end() && small != too_small_.end()) {
      const std::vector<double> wanted = as_doubles(expected->second);
      for (size_t i = 0; i < std::min(wanted.size(), values.size()); ++i)
        if (small->second[i]) values[i] = wanted[i];
    }
    values_[name] = as_tensor(values, value.shape(), DType::f64);
  }

  void sample() {
    if (!has("input/S/")) return;
    const Var z(get("input/S/z"));
    Var labels;
    if (has_labels(c_.model.kind)) {
      const Tensor y = Tensor::empty({z.value().size(0), c_.model.y_size}, dtype_, golden_device());
      kernels::one_hot(raw("input/S/label").to(golden_device()), y);
      labels = Var(y);
    }
    const Var logits = model_->decode(z, model_->rows_of(labels, z.value().size(0)), pass("S"));
    put("S/x_mu", autograd::sigmoid(logits).value());
  }

  void evaluate() {
    const Tensor x = get("input/x");
    const Var beta(models::adgm::number(c_.beta_eval, x));
    const Pass noise = pass("E");
    if (has_labels(c_.model.kind)) {
      const auto images = model_->look_at(Var(x));
      const models::adgm::Rows rows{images->count(), 1, c_.sampler.samples(), Var(get("input/y"))};
      const Var bound =
          models::adgm::bound(*model_, images->terms(rows, noise), rows, beta, c_.sampler, noise);
      put("E/L", autograd::sum(bound, -1.0 / static_cast<double>(images->count())).value());
    } else {
      put("E/loss", unsupervised_loss(*model_, Var(x), beta, noise).value());
    }
    put_trace("E", "E/");
  }

  const File& file_;
  const AdgmCase& c_;
  DType dtype_;
  std::unique_ptr<models::adgm::Model> model_;
  models::adgm::Trainer trainer_;
  std::string step_;
  std::map<std::string, Tensor> values_;
  std::set<std::string> inputs_;
  std::map<std::string, double> batches_;
  std::map<std::string, std::vector<bool>> too_small_;
  std::map<std::string, Trace> traces_;
};

bool is_units(const File& file) { return !file.config.contains("model"); }

Outcome run(const File& file, DType dtype) {
  if (is_units(file)) return run_adgm_units(file, dtype);
  const AdgmCase c = read_adgm_case(file.config);
  return AdgmRun(file, c, dtype).run();
}

}  // namespace

Family adgm_family() {
  return {.system = "adgm",
          .precisions =
              [](const File&) {
                return std::vector{DType::f64, DType::f32};
              },
          .run = run};
}

}  // namespace vae::golden
