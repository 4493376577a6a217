#include <algorithm>
#include <cmath>

#include "allowed.h"
#include "hash_unit.h"
#include "models/sym_vae/recipe.h"
#include "sym_vae_case.h"

namespace vae::golden {
namespace {

using autograd::Var;
using sym_vae::kPixels, sym_vae::Learning, sym_vae::SymVaeRecipe;

bool sym_vae_training_fits(const nlohmann::json& config) { return config.contains("algorithm"); }

/// Some iterations of a recipe on a file's numbers.
class SymVaeTraining {
 public:
  explicit SymVaeTraining(Numbers& numbers)
      : numbers_(numbers),
        json_(numbers.file().config),
        rows_(json_.at("bs").get<int64_t>()),
        recipe_(settings(), data(), numbers.options()),
        groups_(recipe_.groups()) {
    load();
    recipe_.chain().copy_from(images_of(numbers_, "input/x_sta", recipe_.chain().size(0)));
  }

  Values run() {
    const auto iterations = json_.at("iterations").get<int64_t>();
    for (int64_t n = 0; n < iterations; ++n) iterate(n);
    put_state(fmt::format("after{}/", iterations));
    return values_;
  }

 private:
  SymVaeRecipe::Settings settings() const {
    const auto number = [&](const char* key) { return json_.at(key).get<double>(); };
    return {
        .model = sym_vae_config(json_),
        .learning = json_.at("algorithm") == "sym" ? Learning::symmetric : Learning::elbo,
        .trained_on = sym_vae::TrainedOn::train,
        .batch = rows_,
        .chains = json_.at("n_chains").get<int64_t>(),
        .adam = {
            .learning_rate = number("stepsize"),
            .rule = {.beta1 = json_.at("betas")[0], .beta2 = json_.at("betas")[1], .eps = number("eps")}}};
  }
  /// Images that are not looked at.
  train::Data data() const {
    const train::ImageSet none{Tensor::zeros({rows_, 28, 28, 1}, DType::u8).to(golden_device()),
                               Tensor::zeros({rows_}, DType::i64).to(golden_device()), train::Inputs::unit};
    return {.train = none, .test = none};
  }

  void load() {
    sym_vae::SymVae& model = recipe_.model();
    if (numbers_.has("param/dummy_param")) dummy_ = numbers_.get("param/dummy_param", {});
    if (!json_.contains("formula_seed")) return load_sym_vae(numbers_, model);
    if (numbers_.has("after/dummy_param") || numbers_.has("after_norm/dummy_param"))
      dummy_ = Tensor::zeros(Shape{}, numbers_.dtype()).to(golden_device());
    uint64_t k = 0;
    std::map<std::string, Tensor> tensors;
    for (const nn::Module::Parameter& p : model.parameters()) tensors[p.name] = p.var.value();
    if (json_.contains("lsigma")) kernels::fill(tensors.at("lsigma"), json_.at("lsigma").get<double>());
    for (const std::string name : json_.at("param_order")) {
      if (name == "dummy_param")
        tensors[name] = dummy_ = Tensor::zeros(Shape{}, numbers_.dtype()).to(golden_device());
      const Tensor& tensor = tensors.at(name);
      const double scale = json_.at("param_scale").at(name).get<double>();
      std::vector<double> by_formula(static_cast<size_t>(tensor.numel()));
      for (size_t i = 0; i < by_formula.size(); ++i)
        by_formula[i] = scale * hash_unit(json_.at("formula_seed").get<uint64_t>(), k, i);
      const Tensor theirs = as_tensor(by_formula, their_shape(tensor.shape()), numbers_.dtype());
      tensor.copy_from(to_ours(theirs));
      const Tensor flat = theirs.reshape({tensor.numel()});
      values_["check/" + name] = flat.slice(0, std::min<int64_t>(4, flat.numel()));
      ++k;
    }
  }

  void iterate(int64_t n) {
    const std::string iteration = n == 0 ? "" : fmt::format("it{}.", n + 1);
    out_ = "output/" + iteration;
    train::Notes notes;
    const train::Step step = train::Step(0, Tensor::scalar(n, golden_device()), numbers_.dtype())
                                 .with_noise([&](const std::string& name, Shape shape, train::Draw draw) {
                                   return sym_vae_noise(numbers_, iteration, name, shape, draw);
                                 })
                                 .with_notes(notes);
    const Var clean(images_of(numbers_, "input/" + iteration + "x_gt0", rows_));
    const Var x = recipe_.corrupted(clean, rows_, step);
    put("x_gt", x);
    std::vector<train::Update> updates = recipe_.updates(x, rows_, step);
    for (size_t i = 0; i < updates.size(); ++i) {
      const auto total = [&, of_update = updates[i].losses[0]] {
        const Var loss = of_update();
        put(settings().learning == Learning::elbo ? "loss" : i == 0 ? "loss_p" : "loss_q", loss);
        if (n == 0) watch(notes);
        return loss;
      };
      updates[i].losses = {total};
      groups_.run(updates[i], step.iteration());
      if (i == 0 && updates.size() == 2) put_checksum();
      if (n == 0) put_gradients();
    }
    for (const auto& [name, value] : notes) put(file_name(name), value);
    put_logged(notes);
    put("lim.mean", Var(recipe_.model().mean_of(notes.at("lim/decoded"))));
    put("x_sta_next", Var(recipe_.chain()));
    if (n > 0) return;
    const auto own = static_cast<double>(recipe_.model().parameter_count());
    double len = recipe_.read()[0].value;
    if (dummy_.defined()) len = (len * own + std::pow(dummy_.item(), 2)) / (own + 1);
    values_[out_ + "len"] = Tensor::scalar(len);
    put_state("after/");
  }

  /// A note under the name of the files: "q/z0" is "q.z0"; of the bound, z's logits are "q.scores_z0".
  std::string file_name(std::string name) const {
    if (settings().learning == Learning::elbo && name.starts_with("scores_z")) return "q." + name;
    std::replace(name.begin(), name.end(), '/', '.');
    return name;
  }

  /// Images as the files have them, and of large ones their summary.
  void put(const std::string& name, const Var& x) {
    Tensor value = x.value().clone();
    if (value.rank() == 2 && value.size(1) == kPixels) value = value.reshape({value.size(0), 1, 28, 28});
    values_[out_ + name] = value;
    const std::vector<double> v = to_doubles(value);
    double sum = 0, absolute = 0;
    for (const double e : v) sum += e, absolute += std::abs(e);
    const auto count = static_cast<double>(v.size());
    values_[out_ + name + ".stats"] =
        Tensor::from(std::vector<double>{sum / count, absolute / count, v.front(), v.back()}, {4});
  }

  /// Gradients at intermediate values, where the walk completes them.
  void watch(const train::Notes& notes) {
    std::map<autograd::detail::Node*, std::vector<std::string>> names;
    for (const auto& [name, value] : notes) names[value.node().get()].push_back(file_name(name));
    for (const auto& [name, value] : notes)
      if (value.needs_grad())
        Var(value).on_final([this, node = value.node().get(), of_node = names[value.node().get()]] {
          if (node->state == autograd::detail::GradState::none) return;  // no loss reaches it
          for (const std::string& each : of_node) put("dloss_d_" + each, Var(node->grad));
        });
  }

  void put_checksum() {
    double squares = 0;
    for (const nn::Module::Parameter& p : recipe_.model().generator().parameters())
      for (const double v : to_doubles(p.var.value())) squares += v * v;
    values_[out_ + "after_p_step_checksum"] = Tensor::scalar(squares);
  }

  static Tensor norm(const Tensor& x) {
    double squares = 0;
    for (const double v : to_doubles(x)) squares += v * v;
    return Tensor::scalar(std::sqrt(squares));
  }

  void put_gradients() {
    for (const nn::Module::Parameter& p : recipe_.model().parameters())
      if (p.var.has_grad() && !values_.contains("grad/" + p.name)) {
        values_["grad/" + p.name] = to_theirs(p.var.grad());
        values_["gradnorm/" + p.name] = norm(p.var.grad());
      }
  }

  void put_state(const std::string& prefix) {
    for (const nn::Module::Parameter& p : recipe_.model().parameters()) {
      values_[prefix + p.name] = to_theirs(p.var.value());
      if (prefix == "after/") values_["after_norm/" + p.name] = norm(p.var.value());
    }
    for (const nn::Module::Buffer& b : recipe_.model().buffers()) values_[prefix + b.name] = b.tensor.clone();
    if (!dummy_.defined()) return;
    values_[prefix + "dummy_param"] = dummy_;
    if (prefix == "after/") values_["after_norm/dummy_param"] = norm(dummy_);
  }

  /// Losses per element.
  void put_logged(const train::Notes& notes) {
    const auto config = sym_vae_config(json_);
    const std::map<std::string, int64_t> elements{
        {"p_z1", config.nz1}, {"p_x", kPixels}, {"q_z0", config.nz0}, {"q_z1", config.nz1}};
    const auto put_mean = [&](const std::string& name, double loss, int64_t count) {
      values_[out_ + "logged_loss_" + name] = Tensor::scalar(loss / static_cast<double>(count));
    };
    for (const auto& [name, count] : elements)
      if (const auto loss = notes.find("loss_" + name); loss != notes.end())
        put_mean(name, loss->second.value().item(), count);
    if (const auto p = values_.find(out_ + "loss_p"); p != values_.end()) {
      put_mean("p", p->second.item(), kPixels + config.nz1);
      put_mean("q", values_.at(out_ + "loss_q").item(), config.nz0 + config.nz1);
    }
    if (!notes.contains("loss_log_q_z1")) return;
    double prior = notes.at("loss_kl").value().item();  // of whose parts it is the one that is a constant
    for (const char* part : {"loss_log_q_z1", "loss_log_q_z0", "loss_neg_log_p_z1"})
      prior -= notes.at(part).value().item();
    values_[out_ + "loss_prior_z0"] = Tensor::scalar(prior);
  }

  Numbers& numbers_;
  const nlohmann::json& json_;
  int64_t rows_;
  SymVaeRecipe recipe_;
  train::Groups groups_;
  std::string out_;
  Tensor
      dummy_;  ///< a number of the reference's reverse models that takes part in nothing but the mean square
  Values values_;
};

Values run_sym_vae_training(Numbers& numbers) { return SymVaeTraining(numbers).run(); }

bool is_bits(const std::string& name) {
  const std::string last = name.substr(name.find_last_of("./") + 1);
  return last == "z0" || last == "z1";
}

/// Among the millions of ReLUs of true sizes some have an operand within rounding of zero, which falls on
/// either side: a pixel's gradient more or less, and what follows from it.
std::optional<Tolerance> beside_kinks(const std::string& name) {
  if (name.starts_with("gradnorm/")) return Tolerance{.of_value = 5e-3};
  if (name.find("dloss_d") != std::string::npos) return Tolerance{.of_maximum = 5e-2};
  if (name.starts_with("after_norm/")) return Tolerance{.absolute = 1e-4};
  if (name.starts_with("after/")) return Tolerance{.absolute = 2e-5};
  if (name.find("lim.") != std::string::npos || name.ends_with("x_sta_next"))
    return Tolerance{.absolute = 2e-4};
  return {};
}

std::optional<Tolerance> sym_vae_training_tolerance(const File& file, const std::string& name,
                                                    DType precision) {
  const bool f32 = precision == DType::f32;
  if (is_bits(name) && name.find("dloss_d") == std::string::npos) return Tolerance{};
  if (f32 && file.config.contains("formula_seed") && file.config.at("act_decoder_conv") == "relu")
    if (const auto loose = beside_kinks(name)) return loose;
  const double relative = f32 ? 1e-5 : 1e-10;
  if (name.starts_with("grad") || name.find("dloss_d") != std::string::npos)
    return Tolerance{.of_maximum = f32 ? 1e-4 : 1e-10};
  if (name.starts_with("after")) {
    const double iterations = name.starts_with("after/") ? 1 : file.config.at("iterations").get<double>();
    return Tolerance{.absolute = (f32 ? 1e-6 : 1e-11) * iterations, .of_value = f32 ? 2e-7 : 1e-13};
  }
  if (name.ends_with("loss_prior_z0")) return Tolerance{.absolute = f32 ? 1e-5 : 1e-12};  // a difference
  // Log-densities and divergences may be sums of terms that cancel.
  const double rounding = f32 ? 1e-7 : 1e-15;
  if (name.find("logged_loss") != std::string::npos)
    return Tolerance{.absolute = rounding, .of_maximum = relative};
  if (name.find("loss") != std::string::npos) {
    const bool of_pixels = file.config.at("likelihood") == "gaussian";
    const auto terms =
        of_pixels ? 784 : file.config.at("nz0").get<double>() + file.config.at("nz1").get<double>();
    return Tolerance{.absolute = rounding * terms, .of_maximum = relative};
  }
  return Tolerance{.of_maximum = relative};
}

/// Adam's first steps move by the rate, whatever the size of a gradient.
std::vector<Update> sym_vae_training_updates(const File& file, const std::string& name) {
  const std::string gradient = "grad" + name.substr(name.find('/'));
  if (!name.starts_with("after") || !file.content.contains(gradient)) return {};
  const double iterations = name.starts_with("after/") ? 1 : file.config.at("iterations").get<double>();
  return {{.gradient = gradient,
           .rate = file.config.at("stepsize").get<double>() * iterations,
           .eps = file.config.at("eps").get<double>()}};
}

}  // namespace

FileKind sym_vae_training() {
  return {.name = "training",
          .fits = sym_vae_training_fits,
          .precisions = {DType::f64, DType::f32},
          .run = run_sym_vae_training,
          .tolerance = sym_vae_training_tolerance,
          .updates = sym_vae_training_updates};
}

}  // namespace vae::golden
