// Files of single functions: warm-up, sampling, densities, flows, selection of labelled images.
#include <algorithm>
#include <cmath>

#include "adgm_run.h"
#include "autograd/ops_losses.h"
#include "data/split.h"
#include "models/adgm/schedule.h"

namespace vae::golden {
namespace {

using autograd::Var;
using models::adgm::Config, models::adgm::Kind, models::adgm::Pass, models::adgm::Trace;

class Units {
 public:
  Units(const File& file, DType dtype) : file_(file), dtype_(dtype) {}

  Outcome run() {
    warm_up();
    rows();
    densities();
    importance_weights();
    flows();
    split();
    const bool f32 = dtype_ == DType::f32;
    return {.kind = "units",
            .values = std::move(values_),
            .inputs = std::move(inputs_),
            // Sums of a few terms; logarithms next to one leave roundings of one.
            .tolerance = [f32](const std::string& name) {
              if (name.starts_with("output/split")) return Tolerance{};
              if (f32 && name == "output/bce_elements")
                return Tolerance{.absolute = 1e-7, .of_value = 0.06};  // 1 - r has few digits left
              return f32 ? Tolerance{.absolute = 1e-6, .of_maximum = 2e-6}
                         : Tolerance{.absolute = 1e-15, .of_value = 1e-9};
            }};
  }

 private:
  Var get(const std::string& name) {
    inputs_.insert(name);
    const Tensor& x = file_.content.at(name);
    return Var(as_tensor(as_doubles(x), x.shape(), dtype_));
  }
  void put(const std::string& name, const Var& x) { values_["output/" + name] = x.value(); }

  void warm_up() {
    for (const auto& [name, rule] : file_.config.items()) {
      if (!name.starts_with("warmup_")) continue;
      const int64_t count = file_.content.at("output/" + name).numel();
      std::vector<double> betas;
      for (int64_t call = 1; call <= count; ++call)
        betas.push_back(models::adgm::WarmUp{rule.at("n").get<int64_t>(), rule.at("t_max")}.beta(call));
      values_["output/" + name] = Tensor::from(betas, {count});
    }
  }

  void rows() {
    const Var x = get("input/enum_x");
    const int64_t images = x.value().size(0), classes = file_.content.at("output/enum_y").size(1);
    const int64_t copies = file_.content.at("output/resample_mc2_iw2").size(0) / images;
    put("enum_x", autograd::repeat_rows(x, classes));
    put("resample_mc2_iw2", autograd::repeat_rows(x, copies));
    const Tensor eye = autograd::enumerate_labels(classes, 1, dtype_, golden_device());
    put("enum_y", models::adgm::under_labels(Var(Tensor::zeros({images, classes}, dtype_, golden_device())),
                                             {images, classes, 1, {}}, Var(eye)));
  }

  void densities() {
    const Var z = get("input/g_z");
    put("log_gaussian", models::adgm::log_density(z, {get("input/g_mu"), get("input/g_logvar")}));
    put("log_standard_gaussian", autograd::log_standard_normal(z));
    const Var r = get("input/bce_r"), x = get("input/bce_x");
    std::vector<double> logits = as_doubles(r.value());
    for (double& p : logits) p = std::log(p / (1 - p));
    const Var logit(as_tensor(logits, {5, 1}, dtype_));
    put("bce_elements", autograd::bernoulli_nll_floored(logit, autograd::reshape(x, {5, 1}), 1e-8));
  }

  /// What the bound makes of terms that are given: its rows before and after sampling.
  Trace bound_of(const Config& config, const Var& log_px, const models::adgm::Rows& rows,
                 models::adgm::Sampler sampler) const {
    const auto model = models::adgm::make_model(config, {.dtype = dtype_, .device = golden_device()});
    Trace trace;
    const Var zero(Tensor::zeros(log_px.shape(), dtype_, golden_device()));
    models::adgm::bound(*model, {log_px, zero}, rows, zero, sampler, Pass{.noise = {}, .trace = &trace});
    return trace;
  }

  void importance_weights() {
    const Var elbo = get("input/iw_elbo");
    const Config vae{.kind = Kind::vae};
    for (const auto& [mc, iw] : {std::pair<int64_t, int64_t>{1, 6}, {2, 3}, {6, 1}}) {
      const int64_t images = elbo.value().numel() / (mc * iw);
      put(fmt::format("iw_mc{}_iw{}", mc, iw),
          bound_of(vae, elbo, {images, 1, mc * iw, {}}, {mc, iw}).at("bound_rows"));
    }
    const Config m2{.kind = Kind::m2};
    const Var nothing(Tensor::zeros({m2.y_size}, dtype_, golden_device()));
    put("log_standard_categorical_k10", -bound_of(m2, nothing, {1, m2.y_size, 1, {}}, {}).at("elbo_rows"));
  }

  void flows() {
    Var z = get("input/g_z"), log_det;
    for (int64_t i = 0; file_.content.contains(fmt::format("param/flow.flows.{}.u", i)); ++i) {
      const std::string flow = fmt::format("param/flow.flows.{}.", i);
      const auto f = autograd::planar_flow(z, get(flow + "u"), get(flow + "w"), get(flow + "b"), 1e-8);
      z = f.z;
      log_det = log_det.defined() ? log_det + f.log_det : f.log_det;
    }
    put("flow_z", z), put("flow_logdet_rows", log_det);
  }

  /// The reference lists class by class; the order within a set has no effect.
  void split() {
    const Tensor& labels = file_.content.at("input/split_labels");
    const std::vector<int64_t> classes = labels.to_vector<int64_t>();
    const auto by_class = [&](std::vector<int64_t> items) {
      std::stable_sort(items.begin(), items.end(), [&](int64_t a, int64_t b) {
        return classes[static_cast<size_t>(a)] < classes[static_cast<size_t>(b)];
      });
      return Tensor::from(items, {static_cast<int64_t>(items.size())});
    };
    const auto order = file_.content.at("input/split_shuffled").to_vector<int64_t>();
    inputs_.insert("input/split_labels"), inputs_.insert("input/split_shuffled");
    const int64_t labelled = file_.content.at("output/split_labelled_n3").numel();
    values_["output/split_labelled_n3"] = by_class(data::make_split(labels, order, labelled, 0, 10).labeled);
    values_["output/split_unlabelled"] = by_class(order);
  }

  const File& file_;
  DType dtype_;
  std::map<std::string, Tensor> values_;
  std::set<std::string> inputs_;
};

}  // namespace

Outcome run_adgm_units(const File& file, DType dtype) { return Units(file, dtype).run(); }

}  // namespace vae::golden
