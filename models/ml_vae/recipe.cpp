#include "models/ml_vae/recipe.h"

#include <algorithm>

#include "nn/eval/qda.h"
#include "nn/report/pictures.h"

namespace vae::ml_vae {

MlVaeRecipe::MlVaeRecipe(Settings settings, train::Data data, nn::Options options)
    : settings_(settings),
      data_(std::move(data)),
      items_(train::all_items(data_.train)),
      model_(settings.model, options) {
  train::check_labeled(data_.train);
  settings_.batch = train::batch_of(settings_.batch, data_.train.size());
}

nlohmann::json MlVaeRecipe::meta() const {
  const Config& c = model_.config();
  return {{"model", "ml_vae"},
          {"x_size", c.x_size},
          {"hidden", c.hidden},
          {"style_dim", c.style_dim},
          {"class_dim", c.class_dim}};
}

std::vector<train::Update> MlVaeRecipe::updates(const train::Step& step) {
  const train::Share batch = step.share(settings_.batch);
  const Tensor items =
      step.items("batch", items_, batch, passes(items_.numel(), settings_.batch, settings_.reshuffle));
  const Var x(data_.train.gather(items, step.dtype()));
  const Groups groups = make_groups(data_.train.gather_labels(items), data_.classes, step.dtype());
  const Noise noise = model_.draw_noise(batch, data_.classes, step);
  return {{.losses = {[=, this] {
             const Losses losses = model_.loss(x, batch, groups, noise, step);
             step.metric("loss_reconstruction", losses.reconstruction);
             step.metric("loss_style_kl", losses.style_kl), step.metric("loss_class_kl", losses.class_kl);
             return losses.total;
           }}}};
}

train::Scalars MlVaeRecipe::evaluate(const train::Step&) {
  if (data_.test.size() == 0) return {};
  const ReconstructionErrors errors =
      reconstruction_errors(model_, data_.test, encode_set(model_, data_.test), data_.classes);
  return {{"test_mse_single", errors.single}, {"test_mse_evidence", errors.evidence}};
}

PictureSource MlVaeRecipe::pictures(const train::Step& step) const {
  return {model_, data_.test, data_.classes, data_.name, data_.class_names, step};
}

void MlVaeRecipe::report(report::Summary& summary, const train::Step& step) {
  summary.title = "Multi-level VAE";
  summary.score = "test_mse_single";
  summary.charts = {{"Reconstruction",
                     "squared error per pixel",
                     {"loss_reconstruction", "test_mse_single", "test_mse_evidence"}},
                    {"Divergences", "nats per pixel", {"loss_style_kl", "loss_class_kl"}}};
  const PictureSource source = pictures(step);
  const std::string shown = report::shown_of(report::kMostGridClasses, data_.classes);
  const std::string part = shown.empty() ? "" : "; " + shown;
  summary.pictures = {
      {"swap",
       "Rows: the style of the digit on the left; columns: the class code of the digit above alone" + part,
       [=] { return swap_grid(source, References::automatic, 0); }},
      {"swap_evidence",
       "The same with the class codes of all images of a digit in a random batch, which may lack some digits",
       [=] { return swap_grid(source, References::automatic, kEvidenceImages); }},
      {"reconstructed_x", report::kReconstructionCaption, [=] { return reconstructions(source); }}};
  const Probed probed = probe(step, {});
  summary.results.update(probed.numbers);
  summary.left_out = probed.left_out;
  for (const auto& [name, value] : summary.results.items())
    summary.headline.push_back({name, fmt::format("{:.4g}", value.get<double>())});
  summary.lines.push_back(
      fmt::format("squared error per pixel of the test images {:.4f}, with evidence {:.4f}",
                  summary.results.at("test_mse_single").get<double>(),
                  summary.results.at("test_mse_evidence").get<double>()));
}

namespace {

/// A line for classes of fewer than two images; empty where there are none.
std::string without_variance(const Tensor& labels, int64_t classes) {
  std::vector<int64_t> counts(static_cast<size_t>(classes));
  for (const int64_t label : labels.to_vector<int64_t>()) ++counts[static_cast<size_t>(label)];
  const auto few = [](int64_t count) { return count < 2; };
  const auto first = std::ranges::find_if(counts, few);
  if (first == counts.end()) return "";
  return fmt::format("QDA predicts no class of fewer than two training images: {} classes, the first is {}",
                     std::ranges::count_if(counts, few), first - counts.begin());
}

}  // namespace

Probed MlVaeRecipe::probe(const train::Step& step, const Probes& probes) const {
  Probed probed;
  const auto attempt = [&](const char* what, const auto& compute) {
    try {
      compute(probed.numbers);
    } catch (const std::exception& e) {
      probed.left_out.push_back(fmt::format("no {}: {}", what, e.what()));
    }
  };
  const SetCodes train = encode_set(model_, data_.train), test = encode_set(model_, data_.test);
  attempt("reconstruction errors", [&](auto& numbers) {
    const ReconstructionErrors errors = reconstruction_errors(model_, data_.test, test, data_.classes);
    numbers["test_mse_single"] = errors.single;
    numbers["test_mse_evidence"] = errors.evidence;
  });
  for (const auto& [part, images] : {std::pair{"train", &data_.train}, {"test", &data_.test}})
    attempt("losses", [&, part = part, images = images](auto& numbers) {
      const SetLosses losses = set_losses(model_, *images, data_.classes, settings_.batch, step.seed());
      numbers[fmt::format("{}_reconstruction", part)] = losses.reconstruction;
      numbers[fmt::format("{}_style_kl", part)] = losses.style_kl;
      numbers[fmt::format("{}_class_kl", part)] = losses.class_kl;
      numbers[fmt::format("{}_reconstruction_single", part)] = losses.reconstruction_single;
    });
  const bool all = probes.fit >= data_.train.size();
  const Tensor fitted = all ? train::all_items(data_.train)
                            : train::random_items(data_.train, probes.fit, step.key("probe/fit"));
  const Tensor labels = data_.train.gather_labels(fitted).to(kCpu), test_labels = data_.test.labels.to(kCpu);
  if (const std::string line = without_variance(labels, data_.classes); !line.empty())
    probed.left_out.push_back(line);
  const auto accuracy = [&](const Tensor& x_train, const Tensor& x_test) {
    const eval::Qda qda(autograd::gather_rows(Var(x_train), fitted).value().to(kCpu), labels, data_.classes,
                        probes.ridge);
    return qda.accuracy(x_test.to(kCpu), test_labels);
  };
  const auto sample = [&](const GaussianRows& rows, const char* stream) {
    return rows.sample(train::normal_noise(rows.mean.shape(), step.key(stream), 0, rows.mean));
  };
  for (const bool style : {false, true}) {
    const std::string name = style ? "qda_style" : "qda_class";
    attempt(name.c_str(), [&](auto& numbers) {
      const auto &of_train = style ? train.style : train.class_code,
                 &of_test = style ? test.style : test.class_code;
      numbers[name + "_mean"] = accuracy(of_train.mean, of_test.mean);
      numbers[name + "_sample"] = accuracy(sample(of_train, "probe/train"), sample(of_test, "probe/test"));
    });
  }
  return probed;
}

}  // namespace vae::ml_vae
