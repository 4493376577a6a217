#include <algorithm>

#include "ml_vae_run.h"
#include "models/ml_vae/classifier.h"
#include "nn/train/update.h"

namespace vae::golden {

using autograd::Var;
using nn::Gaussian;

Values run_ml_vae_evidence(Numbers& numbers) {
  const nlohmann::json& config = numbers.file().config;
  const Shape shape{config.at("batch_size").get<int64_t>(), config.at("class_dim").get<int64_t>()};
  const std::vector<int64_t> labels = numbers.integers("input/labels").to_vector<int64_t>();
  std::vector<int64_t> present = labels, of_image;
  std::sort(present.begin(), present.end());
  present.erase(std::unique(present.begin(), present.end()), present.end());
  for (const int64_t label : labels)
    of_image.push_back(std::lower_bound(present.begin(), present.end(), label) - present.begin());
  const auto count = static_cast<int64_t>(present.size());
  const ml_vae::Groups groups =
      ml_vae::make_groups(train::items_of(of_image, golden_device()), count, numbers.dtype());
  Values values;
  values["input/unique_labels"] = train::items_of(present, kCpu);

  const Gaussian images{Var(numbers.get("input/class_mu", shape), true),
                        Var(numbers.get("input/class_logvar", shape), true)};
  const Tensor eps = numbers.get("noise/class_eps", {count, shape[1]});
  autograd::Tape tape;
  const Gaussian group = ml_vae::accumulate_evidence(images, groups);
  const Gaussian members = ml_vae::of_members(group, groups);
  const Var z = autograd::reparameterize(group.mean, group.log_var, Var(eps));
  values["output/grouped_mu"] = values["output/class_z_eval"] = members.mean.value().clone();
  values["output/grouped_logvar"] = members.log_var.value().clone();
  values["output/group_mu_by_label"] = group.mean.value().clone();
  values["output/group_var_by_label"] = autograd::exp(group.log_var).value().clone();
  values["output/class_z"] = autograd::gather_rows(z, groups.of_image).value().clone();
  values["output/kl_per_sample"] =
      autograd::kl_standard_normal(members.mean, members.log_var).value().clone();
  const Var weighted = members.mean * Var(numbers.get("input/cotangent_grouped_mu", shape)) +
                       members.log_var * Var(numbers.get("input/cotangent_grouped_logvar", shape));
  tape.backward(autograd::sum(weighted));
  values["grad/class_mu"] = images.mean.grad();
  values["grad/class_logvar"] = images.log_var.grad();
  return values;
}

Values run_ml_vae_classifier(Numbers& numbers) {
  const nlohmann::json& config = numbers.file().config;
  const int64_t rows = config.at("batch_size").get<int64_t>(), z_dim = config.at("z_dim").get<int64_t>();
  nn::Module root({.dtype = numbers.dtype(), .device = golden_device()});
  ml_vae::LatentClassifier net(&root, "net", z_dim, config.at("hidden").get<int64_t>(),
                               config.at("num_classes").get<int64_t>(), 0);
  train::Groups groups({{"net", &net, ml_vae_adam(config), {}}});
  numbers.load(net, "param/");
  const Tensor z = numbers.get("input/z", {rows, z_dim}), labels = numbers.integers("input/labels");
  Values values;
  groups.run({{}, {[&] {
                const Var logits = net(Var(z)), loss = autograd::cross_entropy(logits, labels);
                values["output/logits"] = logits.value();
                values["output/loss_total"] = loss.value();
                return loss;
              }}},
             Tensor::scalar(int64_t{0}, golden_device()));
  const auto said = train::most_probable(values["output/logits"]).to_vector<int64_t>(),
             truth = labels.to_vector<int64_t>();
  int64_t right = 0;
  for (size_t i = 0; i < said.size(); ++i) right += said[i] == truth[i];
  values["output/num_correct"] = Tensor::scalar(right);
  for (const nn::Module::Parameter& p : net.parameters()) {
    values["grad/" + p.name] = p.var.grad();
    values["after/" + p.name] = p.var.value().clone();
  }
  for (const nn::Module::Buffer& b : net.buffers()) values["after/" + b.name] = b.tensor.clone();
  for (const std::string norm :
       {"fc_model.fc_1_bn", "fc_model.fc_2_bn"}) {  // a count that nothing here reads
    const Tensor before = numbers.integers("param/" + norm + ".num_batches_tracked");
    values["after/" + norm + ".num_batches_tracked"] =
        Tensor::scalar(static_cast<int64_t>(before.item()) + 1);
  }
  // In single precision Adam makes full steps of gradients that are rounding noise, and those of biases
  // before a batch norm cancel in training alone: test mode starts from the file's parameters.
  if (numbers.dtype() == DType::f32) numbers.load(net, "after/");
  net.set_training(false);
  values["output/logits_eval_after"] = net(Var(z)).value();
  return values;
}

Values run_ml_vae_swap(Numbers& numbers) {
  const File& file = numbers.file();
  const auto checkpoint = file.path.parent_path() / file.config.at("checkpoint").get<std::string>();
  const File weights = load_file(checkpoint, checkpoint.parent_path());
  ml_vae::MlVae model(ml_vae_config(weights.config), {.dtype = numbers.dtype(), .device = golden_device()});
  Numbers(weights, numbers.dtype()).load(model, "param/");

  const train::ImageSet& test = *mnist_test();
  const auto encode = [&](const Tensor& items) {
    return model.encode(Var(test.gather(items, numbers.dtype())));
  };
  const ml_vae::Codes digits = encode(numbers.integers("input/reference_test_index"));
  const Tensor evidence = numbers.integers("input/evidence_test_index");
  const Gaussian images = encode(evidence).class_code;
  const Tensor group =
      ml_vae::evidence_of({images.mean.value(), images.log_var.value()}, test.gather_labels(evidence),
                          weights.config.at("num_classes").get<int64_t>())
          .mean;
  const Tensor style = digits.style.mean.value(), single = digits.class_code.mean.value();
  const auto size = weights.config.at("image_size").get<int64_t>();
  const auto grid = [&](const Tensor& class_code) {
    return swap_images(model, style, class_code).reshape({style.size(0), class_code.size(0), size, size});
  };
  return {{"output/style_code", style},
          {"output/class_code_no_evidence", single},
          {"output/class_code_with_evidence", group},
          {"output/grid_no_evidence", grid(single)},
          {"output/grid_with_evidence", grid(group)}};
}

}  // namespace vae::golden
