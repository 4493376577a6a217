#include "models/shot_vae/recipe.h"

#include "models/shot_vae/beta.h"
#include "nn/eval/estimate.h"

namespace vae::shot_vae {
namespace {

Tensor number(double value, nn::Options options) {
  const Tensor x = Tensor::empty({}, options.dtype, options.device);
  kernels::fill(x, value);
  return x;
}

}  // namespace

ShotRecipe::ShotRecipe(const Settings& settings, train::Data data, nn::Options options)
    : DeepRecipe(settings.training, checked(data, settings.model.side, settings.model.backbone.channels),
                 options.device),
      settings_(settings),
      model_(settings.model, options),
      lambda_l_(number(1, options)),
      lambda_u_(number(1, options)),
      rows_(train::item_range(0, std::max(source().settings().batch_labeled, source().settings().batch),
                              options.device)) {}

nlohmann::json ShotRecipe::meta() const {
  const Config& c = model_.config();
  return {{"model", "shot_vae"},
          {"backbone", training().net},
          {"z_size", c.z_size},
          {"classes", c.classes},
          {"side", c.side},
          {"channels", c.backbone.channels},
          {"decoder_width", c.decoder_width}};
}

void ShotRecipe::prepare(int64_t iteration) {
  DeepRecipe::prepare(iteration);
  const uint64_t seed = model_.options().seed;
  const auto draw = [&](const Tensor& lambda, double a, const char* stream) {
    kernels::fill(lambda, symmetric_beta(a, RandomKey::named(seed, stream), iteration));
  };
  draw(lambda_l_, settings_.epsilon, "lambda_l");
  draw(lambda_u_, 2, "lambda_u");
}

std::vector<train::Update> ShotRecipe::updates(const train::Step& step) {
  const Images labeled = source().labeled(step), unlabeled = source().unlabeled(step);
  const Terms terms(settings_.objective, source().epoch_length(), step);
  if (settings_.method == Method::m2)
    return {{.losses = model_.m2_losses(labeled, unlabeled, settings_.objective, terms, step)}};
  const auto permutation = [&](const Images& images, const char* stream) {
    return step.items(stream, rows_.slice(0, images.batch().total), images.batch());
  };
  const Mixing of_labeled{Var(lambda_l_), permutation(labeled, "perm_l")};
  Mixing of_unlabeled{Var(lambda_u_), {}};
  if (settings_.partner == Partner::random) of_unlabeled.partner = permutation(unlabeled, "perm_u");
  return {{.losses = model_.shot_losses(labeled, of_labeled, unlabeled, of_unlabeled, settings_.objective,
                                        terms, settings_.decode_mixed, step)}};
}

std::vector<std::string> ShotRecipe::training_metrics() const {
  std::vector<std::string> names{"loss_l", "loss_u", "cls_l"};
  if (settings_.method == Method::shot) names.insert(names.end(), {"cls_u", "post_z_l", "post_z_u"});
  for (const char* set : {"l", "u"})
    for (const char* term : {"recon", "kl_z", "kl_y"}) names.push_back(fmt::format("{}_{}", term, set));
  names.emplace_back("kl_inference");
  return names;
}

std::vector<std::string> ShotRecipe::evaluation_metrics() const {
  std::vector<std::string> names;
  for (const char* set : {"valid", "test"})
    for (const char* what : {"accuracy", "kl_z", "kl_y", "log_p", "elbo"})
      names.push_back(fmt::format("{}_{}", set, what));
  return names;
}

Evaluation ShotRecipe::evaluation(const train::ImageSet& set, const Tensor& items,
                                  const std::string& augmentation, const train::Step& step) const {
  Evaluator evaluator(model_, settings_.objective);
  const auto add = [&](int64_t number, const Tensor& of_batch) {
    evaluator.add(source().images(set, of_batch, augmentation, step.numbered(number)), number, step);
  };
  eval::for_batches(items, add, source().evaluation_batch());
  return evaluator.result();
}

train::Scalars ShotRecipe::scores(const train::ImageSet& set, const Tensor& items,
                                  const std::string& augmentation, const train::Step& step) const {
  const Evaluation e = evaluation(set, items, augmentation, step);
  return {{"accuracy", e.classification.accuracy()},
          {"kl_z", e.kl_z},
          {"kl_y", e.kl_y},
          {"log_p", e.log_p},
          {"elbo", e.elbo()}};
}

std::optional<train::MemoryProbe> ShotRecipe::memory_probe() {
  const auto loss = [this](int64_t n) {
    const auto [step, images] = Blank(data().train, n, model_.options());
    return model_.m2_losses(images, images, settings_.objective, {settings_.objective, 1, step}, step)[0]();
  };
  const SourceSettings& s = source().settings();
  if (s.batch_labeled > s.batch) return train::MemoryProbe{"batch-labeled", s.batch_labeled, loss};
  return train::MemoryProbe{"batch", s.batch, loss};
}

PictureSource ShotRecipe::pictures() const {
  return {data().test, model_.config().classes, model_.config().z_size,
          [this](const Tensor& items) {
            const train::Step none(0, Tensor::scalar(int64_t{0}, items.device()));
            const Posterior q =
                model_.encode(source().images(data().test, items, "", none).x, items.numel(), none);
            return PictureSource::Code{q.mean.value(), q.alpha().value()};
          },
          [this](const PictureSource::Code& code) {
            return autograd::flatten(autograd::sigmoid(model_.decode(Var(code.z), Var(code.y)))).value();
          }};
}

void ShotRecipe::report(report::Summary& summary, const train::Step& step) {
  summary.title = settings_.method == Method::shot ? "SHOT-VAE" : "M2 on a deep backbone";
  summary.charts = {{"Accuracy", "share of right predictions", {"valid_accuracy", "test_accuracy"}},
                    {"Reconstruction", "half the squared error per image", {"valid_log_p", "test_log_p"}},
                    {"KL(q(z|x) || p(z))", "nats", {"kl_z_l", "kl_z_u", "test_kl_z"}},
                    {"KL(q(y|x) || p(y))", "nats", {"kl_y_l", "kl_y_u", "test_kl_y"}},
                    {"Classification", "nats", {"cls_l", "cls_u"}}};
  if (settings_.method == Method::m2) summary.charts.back().columns.pop_back();
  const Evaluation of_test = evaluation(data().test, train::all_items(data().test), "", step.in("report"));
  const eval::Classification& classes = of_test.classification;
  report::add_predictions(summary, classes.labels(), classes.predictions(), static_cast<int>(data().classes),
                          data().class_names, data().name, classes.scores());
  add_pictures(summary, pictures(), step);
}

std::optional<report::Image> ShotRecipe::preview(const train::Step& step) {
  return reconstructions(pictures(), step);
}

}  // namespace vae::shot_vae
