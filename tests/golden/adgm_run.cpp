#include "adgm_run.h"

#include "nn/train/image_set.h"
#include "nn/train/update.h"

namespace vae::golden {
namespace {

using autograd::Var;

class AdgmRun {
 public:
  AdgmRun(const File& file, const AdgmCase& c, DType dtype)
      : file_(file),
        c_(c),
        dtype_(dtype),
        model_(adgm::make_model(c.model, {.dtype = dtype, .device = golden_device()})),
        groups_({{"model", model_.get(), c.rule, {}}}),
        iteration_(Tensor::scalar(int64_t{0}, golden_device())) {
    load();
  }

  Outcome run() {
    update();
    after();
    const bool test_mode = has("input/S/") || has("output/E/");
    if (test_mode && dtype_ == DType::f32) take_exact_state();
    model_->set_training(false);
    sample();
    if (has("output/E/")) evaluate();
    Outcome outcome{c_.kind(), std::move(values_), std::move(inputs_)};
    set_adgm_tolerances(outcome, file_, c_, dtype_);
    return outcome;
  }

 private:
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
    return as_tensor(to_doubles(x), x.shape(), dtype_);
  }

  void load() {
    int64_t k = 0;
    for (const StateEntry& entry : state_entries(*model_, c_)) {
      if (entry.parts.empty()) {
        batches_[entry.name] = c_.formula ? 0 : to_doubles(raw("param/" + entry.name)).front();
      } else if (c_.formula) {
        split_parts(value_by_formula(entry, k), entry.parts);
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

  void update() {
    for (size_t step = 0; step < static_cast<size_t>(c_.steps); ++step) {
      step_ = c_.steps > 1 ? fmt::format("step{}/", step) : "";
      has_labels(c_.model.kind) ? semi_step(step) : unsupervised_step(step);
      gradients(step == 0);
    }
    step_ = "";
  }

  /// Test mode starts from the parameters of double precision. In single, Adam makes full steps of gradients
  /// that are rounding noise, and those of biases before a batch norm cancel in training alone.
  void take_exact_state() {
    AdgmRun exact(file_, c_, DType::f64);
    exact.update();
    const std::vector<StateEntry> from = state_entries(*exact.model_, c_), to = state_entries(*model_, c_);
    for (size_t i = 0; i < to.size(); ++i)
      for (size_t k = 0; k < to[i].parts.size(); ++k)
        to[i].parts[k].copy_from(as_tensor(to_doubles(from[i].parts[k]), to[i].parts[k].shape(), dtype_));
  }

  /// A step whose noise comes out of the file; its notes are kept until put_notes().
  train::Step step() {
    return train::Step(0, iteration_, dtype_)
        .with_notes(notes_)
        .with_noise([this](const std::string& name, Shape shape, train::Draw) {
          const Tensor noise = get("noise/" + step_ + name);
          if (noise.numel() != shape.numel())
            fail(ErrorKind::data, "noise {} is {}, the model draws {}", name, noise.str(), shape.str());
          return noise.reshape(shape);
        });
  }

  void put(const std::string& name, const Tensor& value) {
    const std::string full = "output/" + step_ + name;
    const auto expected = file_.content.tensors.find(full);
    if (expected != file_.content.tensors.end())
      values_[full] = repeated_to(value, expected->second.shape()).clone();
  }

  /// What was noted under a scope, under the names of the file.
  void put_notes(const std::string& scope, const std::string& prefix) {
    for (const auto& [full, value] : notes_) {
      if (!full.starts_with(scope + "/")) continue;
      const std::string name = full.substr(scope.size() + 1);
      if (name == "x_logits")
        put(prefix + "x_mu", autograd::sigmoid(value).value());
      else
        put(prefix + name, value.value());
      if (name == "probs")
        put(prefix + "entropy_rows",
            autograd::weighted_bound(value, Var(Tensor::zeros({}, dtype_, golden_device())), c_.model.eps)
                .value());
    }
  }

  void semi_step(size_t number) {
    const Tensor x = get("input/" + step_ + "x"), labels = train::most_probable(get("input/" + step_ + "y")),
                 u = get("input/" + step_ + "u");
    values_["input/" + step_ + "label"] = labels;
    groups_.run({{}, {[&] {
                   const adgm::SemiLosses losses = semi_supervised_loss(
                       *model_, {x, labels, u, x.size(0), u.size(0)}, c_.objective(number), step());
                   put("J", losses.total.value()), put("L", losses.labeled.value());
                   put("U", losses.unlabeled.value()), put("ce", losses.classifier.value());
                   put("accuracy", losses.accuracy.value());
                   return losses.total;
                 }}},
                iteration_);
    for (const char* call : {"L", "U", "C"}) put_notes(call, std::string(call) + "/");
    for (auto& [name, count] : batches_) count += 2;
  }

  void unsupervised_step(size_t number) {
    const Tensor x = get("input/" + step_ + "x");
    groups_.run({{}, {[&] {
                   const Var loss =
                       unsupervised_loss(*model_, x, x.size(0), c_.objective(number), step().in("F")).total;
                   put("loss", loss.value());
                   return loss;
                 }}},
                iteration_);
    put_notes("F", "");
    for (auto& [name, count] : batches_) count += 1;
  }

  /// Gradients of the first step; which elements of any are too small for the steps that Adam makes of them.
  void gradients(bool first) {
    double largest = 0;
    std::map<std::string, std::vector<double>> all;
    for (const StateEntry& entry : state_entries(*model_, c_)) {
      if (entry.parameters.empty() || !entry.parameters.front().needs_grad()) continue;
      std::vector<Tensor> parts;
      for (const Var& p : entry.parameters) parts.push_back(p.node()->grad);
      const Tensor gradient = join_parts(parts);
      if (first) put_gradient(entry.name, gradient);
      all[entry.name] = to_doubles(gradient);
      for (const double g : all[entry.name]) largest = std::max(largest, std::abs(g));
    }
    for (const auto& [name, gradient] : all) {
      double maximum = 0;
      for (const double g : gradient) maximum = std::max(maximum, std::abs(g));
      std::vector<bool>& small = too_small_[name];
      small.resize(gradient.size());
      const bool f32 = dtype_ == DType::f32;
      const double noise = std::max((f32 ? 1e-3 : 0) * maximum, (f32 ? 2e-6 : 1e-13) * largest);
      for (size_t i = 0; i < gradient.size(); ++i) small[i] = small[i] || !(std::abs(gradient[i]) > noise);
    }
  }

  void put_gradient(const std::string& name, const Tensor& gradient) {
    values_["grad/" + name] = gradient;
    if (!c_.formula) return;
    double sum = 0, squares = 0;
    const std::vector<double> g = to_doubles(gradient);
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
        const Tensor count = Tensor::scalar(static_cast<int64_t>(batches_[entry.name]));
        values_[prefix + entry.name] = count;
        const std::string first = "afterhead/" + entry.name;
        const bool scalar = file_.content.contains(first) && file_.content.at(first).rank() == 0;
        if (c_.formula) values_[first] = scalar ? count : head(count);
        continue;
      }
      const Tensor value = join_parts(entry.parts);
      put_after(prefix + entry.name, value, entry.name);
      if (c_.formula) put_after("afterhead/" + entry.name, head(value), entry.name);
    }
  }

  /// After several updates, of which files hold no gradients: elements whose gradient was rounding noise may
  /// have gone either way, but no further than the rate.
  void put_after(const std::string& name, const Tensor& value, const std::string& entry) {
    std::vector<double> values = to_doubles(value);
    const auto expected = file_.content.tensors.find(name);
    const auto small = too_small_.find(entry);
    if (c_.steps > 1 && expected != file_.content.tensors.end() && small != too_small_.end()) {
      const std::vector<double> wanted = to_doubles(expected->second);
      const double reach = 2 * c_.learning_rate * static_cast<double>(c_.steps);
      for (size_t i = 0; i < std::min(wanted.size(), values.size()); ++i)
        if (small->second[i] && std::abs(values[i] - wanted[i]) <= reach) values[i] = wanted[i];
    }
    values_[name] = as_tensor(values, value.shape(), DType::f64);
  }

  void sample() {
    if (!has("input/S/")) return;
    const Var z(get("input/S/z"));
    const int64_t rows = z.value().size(0);
    const adgm::Rows labelled =
        has_labels(c_.model.kind)
            ? adgm::labeled_rows(rows, raw("input/S/label").to(golden_device()), c_.model.y_size, dtype_)
            : adgm::Rows{rows};
    put("S/x_mu", autograd::sigmoid(model_->decode(z, labelled, step().in("S"))).value());
  }

  void evaluate() {
    notes_.clear();
    const Tensor x = get("input/x");
    const kernels::Schedule beta = kernels::Schedule::constant(c_.beta_eval);
    const train::Step in_e = step().in("E");
    if (has_labels(c_.model.kind)) {
      const auto images = model_->encode(Var(x));
      const adgm::Rows rows = adgm::labeled_rows(x.size(0), train::most_probable(get("input/y")),
                                                 c_.model.y_size, dtype_, c_.samples.count());
      const Var bound =
          adgm::bound(*model_, images->terms(rows, in_e), rows, in_e.number("beta", beta), c_.samples, in_e);
      put("E/L", autograd::scaled_sum(bound, -1.0 / static_cast<double>(x.size(0))).value());
    } else {
      put("E/loss", unsupervised_loss(*model_, x, x.size(0), {.beta = beta}, in_e).total.value());
    }
    put_notes("E", "E/");
  }

  const File& file_;
  const AdgmCase& c_;
  DType dtype_;
  std::unique_ptr<adgm::Model> model_;
  train::Groups groups_;
  Tensor iteration_;
  std::string step_;
  std::map<std::string, Tensor> values_;
  std::set<std::string> inputs_;
  std::map<std::string, double> batches_;
  std::map<std::string, std::vector<bool>> too_small_;
  train::Notes notes_;
};

Outcome run(const File& file, DType dtype) {
  if (!file.config.contains("model")) return run_adgm_units(file, dtype);
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
