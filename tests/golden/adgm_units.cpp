// Files of single functions: warm-up, sampling, densities, flows, selection of labelled images.
#include <algorithm>
#include <cmath>
#include <regex>

#include "adgm_run.h"
#include "data/split.h"

namespace vae::golden {
namespace {

using adgm::Config, adgm::Kind;
using autograd::Var;

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
              return f32 ? Tolerance{.absolute = 1e-6, .of_maximum = 2e-6}
                         : Tolerance{.absolute = 1e-15, .of_value = 1e-9, .of_maximum = 1e-15};
            }};
  }

 private:
  Var get(const std::string& name) {
    inputs_.insert(name);
    const Tensor& x = file_.content.at(name);
    return Var(as_tensor(to_doubles(x), x.shape(), dtype_));
  }
  void put(const std::string& name, const Var& x) { values_["output/" + name] = x.value(); }

  /// Calls body with every output whose name is `pattern`, and the numbers in it.
  template <class Body>
  void for_outputs(const char* pattern, const Body& body) const {
    std::smatch match;
    for (const auto& [name, expected] : file_.content.tensors)
      if (const std::string rest = name.substr(name.find('/') + 1);
          name.starts_with("output/") && std::regex_match(rest, match, std::regex(pattern))) {
        std::vector<int64_t> numbers;
        for (size_t i = 1; i < match.size(); ++i) numbers.push_back(std::stoll(match[i]));
        body(rest, numbers);
      }
  }

  void warm_up() {
    for (const auto& [name, rule] : file_.config.items()) {
      if (!name.starts_with("warmup_")) continue;
      const int64_t count = file_.content.at("output/" + name).numel();
      std::vector<double> betas;
      for (int64_t call = 1; call <= count; ++call)
        betas.push_back(kernels::Schedule::rise(rule.at("t_max"), rule.at("n")).at(call - 1));
      values_["output/" + name] = Tensor::from(betas, {count});
    }
  }

  void rows() {
    const Var x = get("input/enum_x");
    const int64_t images = x.value().size(0), classes = file_.content.at("output/enum_y").size(1);
    put("enum_x", autograd::repeat_rows(x, classes));
    for_outputs("resample_mc(\\d+)_iw(\\d+)", [&](const std::string& name, const std::vector<int64_t>& n) {
      put(name, autograd::repeat_rows(x, n[0] * n[1]));
    });
    const Tensor eye = autograd::enumerate_labels(classes, 1, dtype_, golden_device());
    put("enum_y", adgm::under_labels(Var(Tensor::zeros({images, classes}, dtype_, golden_device())),
                                     {images, classes, 1, {}}, Var(eye)));
  }

  void densities() {
    const Var z = get("input/g_z");
    put("log_gaussian", nn::log_density(z, {get("input/g_mu"), get("input/g_logvar")}));
    put("log_standard_gaussian", autograd::log_standard_normal(z));
    const Var r = get("input/bce_r"), x = get("input/bce_x");
    std::vector<double> logits = to_doubles(r.value());
    for (double& p : logits) p = std::log(p / (1 - p));
    const Var logit(as_tensor(logits, {r.value().numel(), 1}, dtype_));
    put("bce_elements", autograd::bernoulli_nll_floored(logit, autograd::reshape(x, {-1, 1}), 1e-8));
  }

  /// What the bound makes of terms that are given: its rows before and after sampling.
  train::Notes bound_of(const Config& config, const Var& log_px, const adgm::Rows& rows,
                        adgm::Samples samples) const {
    const auto model = adgm::make_model(config, {.dtype = dtype_, .device = golden_device()});
    train::Notes notes;
    const train::Step step =
        train::Step(0, Tensor::scalar(int64_t{0}, golden_device()), dtype_).with_notes(notes);
    const Var zero(Tensor::zeros(log_px.shape(), dtype_, golden_device()));
    adgm::bound(*model, {log_px, zero, {}, {}}, rows, zero, samples, step);
    return notes;
  }

  void importance_weights() {
    const Var elbo = get("input/iw_elbo");
    const Config vae{.kind = Kind::vae};
    for_outputs("iw_mc(\\d+)_iw(\\d+)", [&](const std::string& name, const std::vector<int64_t>& n) {
      const int64_t samples = n[0] * n[1], images = elbo.value().numel() / samples;
      put(name, bound_of(vae, elbo, {images, 1, samples, {}}, {n[0], n[1]}).at("bound_rows"));
    });
    for_outputs("log_standard_categorical_k(\\d+)",
                [&](const std::string& name, const std::vector<int64_t>& n) {
                  const Config m2{.kind = Kind::m2, .y_size = n[0]};
                  const Var nothing(Tensor::zeros({n[0]}, dtype_, golden_device()));
                  put(name, -bound_of(m2, nothing, {1, n[0], 1, {}}, {}).at("elbo_rows"));
                });
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
    const int64_t types = *std::max_element(classes.begin(), classes.end()) + 1;
    for_outputs("split_labelled_n(\\d+)", [&](const std::string& name, const std::vector<int64_t>& n) {
      const data::Split split = data::make_split(labels, order, n[0] * types, 0, static_cast<int>(types));
      values_["output/" + name] = by_class(split.labeled);
    });
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
