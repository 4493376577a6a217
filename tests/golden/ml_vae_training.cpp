#include <cmath>
#include <numeric>

#include "ml_vae_run.h"
#include "models/ml_vae/codes.h"
#include "nn/train/update.h"

namespace vae::golden {
namespace {

using autograd::Var;
using ml_vae::Config, ml_vae::GaussianRows, ml_vae::Groups, ml_vae::MlVae;
using nn::Gaussian;

/// Mean and population deviation of each column.
void put_statistics(Values& values, const std::string& name, const Tensor& x) {
  const int64_t rows = x.size(0), columns = x.size(1);
  const std::vector<double> v = to_doubles(x);
  std::vector<double> mean(columns), deviation(columns);
  for (int64_t i = 0; i < rows * columns; ++i) mean[i % columns] += v[i] / static_cast<double>(rows);
  for (int64_t i = 0; i < rows * columns; ++i)
    deviation[i % columns] += std::pow(v[i] - mean[i % columns], 2) / static_cast<double>(rows);
  for (double& d : deviation) d = std::sqrt(d);
  values[name + "_mean"] = as_tensor(mean, {columns}, DType::f64);
  values[name + "_std"] = as_tensor(deviation, {columns}, DType::f64);
}

/// Mean over the rows of KL(N(mean, e^log_var) || N(0, 1)) of each column.
Tensor kl_per_dim(const GaussianRows& g) {
  const int64_t rows = g.mean.size(0), columns = g.mean.size(1);
  const std::vector<double> mean = to_doubles(g.mean), log_var = to_doubles(g.log_var);
  std::vector<double> kl(columns);
  for (int64_t i = 0; i < rows * columns; ++i)
    kl[i % columns] +=
        0.5 * (mean[i] * mean[i] + std::exp(log_var[i]) - 1 - log_var[i]) / static_cast<double>(rows);
  return as_tensor(kl, {columns}, DType::f64);
}

class Training {
 public:
  explicit Training(Numbers& numbers)
      : numbers_(numbers),
        json_(numbers.file().config),
        config_(ml_vae_config(json_)),
        rows_(json_.at("batch_size").get<int64_t>()),
        classes_(json_.at("num_classes").get<int64_t>()),
        steps_(json_.value("steps", int64_t{0})),
        model_(config_, {.dtype = numbers.dtype(), .device = golden_device()}),
        optimizers_({{"model", &model_, ml_vae_adam(json_), {}}}),
        groups_(ml_vae::make_groups(numbers.integers("input/labels"), classes_, numbers.dtype())) {
    load(model_);
    const int64_t size = json_.at("image_size").get<int64_t>(),
                  channels = json_.at("num_channels").get<int64_t>();
    image_ = {rows_, channels, size, size};
    x_ = numbers.get("input/images", image_).reshape({rows_, config_.x_size});
  }

  Values run() {
    check_test_images();
    // Before the update, which moves the parameters.
    for (const char* of : {"mu", "logvar"})
      if (numbers_.has(std::string("output/grad_wrt_grouped_") + of)) put_gradients_at_groups();
    if (numbers_.has("output/reconstruction_mean_single")) put_author_outputs();
    std::vector<double> trajectory;
    for (int64_t step = 0; step < std::max<int64_t>(1, steps_); ++step) {
      const auto losses = update(step);
      trajectory.insert(trajectory.end(), losses.begin(), losses.end());
    }
    if (steps_ > 0) values_["output/loss_trajectory"] = as_tensor(trajectory, {steps_, 3}, DType::f64);
    for (const nn::Module::Parameter& p : model_.parameters())
      put_with_norms(values_, "after", p.name, p.var.value());
    return values_;
  }

 private:
  void load(MlVae& model) {
    if (!json_.contains("parameter_formula")) return numbers_.load(model, "param/");
    const auto order = json_.at("parameter_order").get<std::vector<std::string>>();
    for (const nn::Module::Parameter& p : model.parameters()) {
      const auto k = static_cast<double>(std::find(order.begin(), order.end(), p.name) - order.begin());
      std::vector<double> values(static_cast<size_t>(p.var.value().numel()));
      for (size_t i = 0; i < values.size(); ++i)
        values[i] = 0.05 * std::sin(0.37 * static_cast<double>(i) + k);
      p.var.value().copy_from(as_tensor(values, p.var.shape(), numbers_.dtype()));
    }
  }

  Tensor noise(const char* name, int64_t rows, int64_t columns, int64_t step) {
    if (steps_ == 0) return numbers_.get(name, {rows, columns});
    return numbers_.get(name, {steps_, rows, columns}).slice(step, step + 1).reshape({rows, columns});
  }

  ml_vae::Noise noise(int64_t step) {
    return {Var(noise("noise/style_eps", rows_, config_.style_dim, step)),
            Var(noise("noise/class_eps", classes_, config_.class_dim, step))};
  }
  train::Step step() const {
    return train::Step(0, Tensor::scalar(int64_t{0}, golden_device()), numbers_.dtype());
  }

  void put(const std::string& name, const Var& x) { values_["output/" + name] = x.value().clone(); }
  void put(const std::string& prefix, const Gaussian& g, const std::string& suffix = "") {
    put(prefix + "_mu" + suffix, g.mean);
    put(prefix + "_logvar" + suffix, g.log_var);
  }
  Tensor images(const Tensor& rows) const { return rows.reshape(image_.with_leading(rows.size(0))); }

  std::array<double, 3> update(int64_t number) {
    train::Notes notes;
    ml_vae::Losses losses;
    optimizers_.run({{}, {[&] {
                       losses = model_.loss(Var(x_), rows_, groups_, noise(number), step().with_notes(notes));
                       return losses.total;
                     }}},
                    step().iteration());
    const std::array<double, 3> numbers{losses.reconstruction.value().item(), losses.style_kl.value().item(),
                                        losses.class_kl.value().item()};
    if (number > 0) return numbers;  // the other outputs are those of the first step
    for (const char* name : {"style_mu", "style_logvar", "class_mu", "class_logvar", "style_z", "class_z"})
      put(name, notes.at(name));
    const Gaussian group{notes.at("group_mu"), notes.at("group_logvar")};
    put("grouped", ml_vae::of_members(group, groups_));
    put("group", group, "_by_class");
    const Tensor image = images(autograd::sigmoid(notes.at("logits")).value());
    values_["output/reconstruction"] = image;
    values_["output/reconstruction_first8"] = image.slice(0, std::min<int64_t>(8, rows_));
    put("loss_reconstruction", losses.reconstruction);
    put("loss_style_kl", losses.style_kl);
    put("loss_class_kl", losses.class_kl);
    put("loss_total", losses.total);
    put_gradients();
    return numbers;
  }

  void put_gradients() {
    const auto listed = json_.value("without_gradient", std::vector<std::string>{});
    for (const nn::Module::Parameter& p : model_.parameters()) {
      const bool without = std::find(listed.begin(), listed.end(), p.name) != listed.end();
      if (json_.contains("without_gradient") && p.var.has_grad() == without)
        fail(ErrorKind::data, "{} has {} gradient", p.name, without ? "a" : "no");
      if (p.var.has_grad()) put_with_norms(values_, "grad", p.name, p.var.grad());
    }
  }

  /// Gradient of the total at the Gaussians of the groups, each image with a copy of its own: every image is
  /// a group, whose divergence counts as the image's share.
  void put_gradients_at_groups() {
    Config config = config_;
    config.class_kl_count = ml_vae::ClassKlCount::per_member;
    MlVae model(config, {.dtype = numbers_.dtype(), .device = golden_device()});
    load(model);
    const Var x(x_);
    const ml_vae::Codes codes = model.encode(x);
    const Gaussian members = ml_vae::of_members(accumulate_evidence(codes.class_code, groups_), groups_);
    const Gaussian leaf{Var(members.mean.value(), true), Var(members.log_var.value(), true)};
    Groups single =
        ml_vae::make_groups(train::item_range(0, rows_, golden_device()), rows_, numbers_.dtype());
    if (config_.class_kl_count == ml_vae::ClassKlCount::per_group)
      single.size = autograd::gather_rows(autograd::reciprocal(Var(groups_.size)), groups_.of_image).value();
    ml_vae::Noise noise = this->noise(0);
    noise.class_code = autograd::gather_rows(noise.class_code, groups_.of_image);
    autograd::Tape tape;
    tape.backward(model.loss(x, rows_, codes.style, leaf, single, noise, step()).total);
    values_["output/grad_wrt_grouped_mu"] = leaf.mean.grad();
    values_["output/grad_wrt_grouped_logvar"] = leaf.log_var.grad();
  }

  /// What the weights say without noise: of these images and of all test images.
  void put_author_outputs() {
    const ml_vae::Codes codes = model_.encode(Var(x_));
    const Gaussian members = ml_vae::of_members(accumulate_evidence(codes.class_code, groups_), groups_);
    const auto decoded = [&](const Var& class_code) {
      return images(decode_images(model_, codes.style.mean.value(), class_code.value()));
    };
    values_["output/reconstruction_mean_single"] = decoded(codes.class_code.mean);
    values_["output/reconstruction_mean_evidence"] = decoded(members.mean);
    const train::ImageSet* test = mnist_test();
    if (!test) return;
    const ml_vae::SetCodes all = encode_set(model_, *test, numbers_.dtype());
    put_statistics(values_, "output/test_style_mu", all.style.mean);
    put_statistics(values_, "output/test_style_logvar", all.style.log_var);
    put_statistics(values_, "output/test_class_mu", all.class_code.mean);
    put_statistics(values_, "output/test_class_logvar", all.class_code.log_var);
    values_["output/test_style_kl_per_dim"] = kl_per_dim(all.style);
    values_["output/test_single_class_kl_per_dim"] = kl_per_dim(all.class_code);
    const GaussianRows group = evidence_of(all.class_code, all.labels, classes_);
    values_["output/test_group_mu_by_class"] = group.mean;
    values_["output/test_group_logvar_by_class"] = group.log_var;
    const auto errors = reconstruction_errors(model_, *test, all, classes_);
    values_["output/test_mse_mean_single"] = Tensor::scalar(errors.single);
    values_["output/test_mse_mean_evidence"] = Tensor::scalar(errors.evidence);
  }

  /// The file's images are test images of MNIST: a check of the loader.
  void check_test_images() {
    if (!numbers_.has("input/test_index")) return;
    const Tensor index = numbers_.integers("input/test_index");
    if (numbers_.has("input/pixel_sum")) numbers_.integers("input/pixel_sum");
    const train::ImageSet* test = mnist_test();
    if (!test || test->image_size() != config_.x_size) return;
    values_["input/images"] = test->gather(index, DType::f64).reshape(image_);
    const auto pixels = test->pixels.to_vector<uint8_t>();
    const auto items = index.to_vector<int64_t>();
    std::vector<int64_t> sums;
    for (int64_t i = 0; i < rows_; ++i) {
      const uint8_t* image = pixels.data() + items[static_cast<size_t>(i)] * test->image_size();
      sums.push_back(std::accumulate(image, image + test->image_size(), int64_t{0}));
    }
    values_["input/pixel_sum"] = Tensor::from(sums, {rows_});
  }

  Numbers& numbers_;
  const nlohmann::json& json_;
  Config config_;
  int64_t rows_, classes_, steps_;
  MlVae model_;
  train::Groups optimizers_;
  Groups groups_;
  Shape image_;
  Tensor x_;
  Values values_;
};

}  // namespace

Values run_ml_vae_training(Numbers& numbers) { return Training(numbers).run(); }

}  // namespace vae::golden
