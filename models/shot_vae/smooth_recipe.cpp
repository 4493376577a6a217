#include "models/shot_vae/smooth_recipe.h"

#include "models/shot_vae/pictures.h"
#include "nn/eval/estimate.h"

namespace vae::shot_vae {
SmoothRecipe::SmoothRecipe(Settings settings, train::Data data, nn::Options options)
    : settings_(std::move(settings)),
      data_(checked(data, settings_.model.side, settings_.model.channels)),
      model_(settings_.model, options),
      labeled_("batch/labeled", data_.split.labeled, settings_.batch_labeled, settings_.order),
      all_("batch", data_.split.unlabeled, settings_.batch, settings_.order),
      epoch_loss_({"loss"}, options.device) {
  if (settings_.plateau) plateau_.emplace(settings_.adam.learning_rate, *settings_.plateau, options.device);
}

nlohmann::json SmoothRecipe::meta() const {
  const SmoothConfig& c = model_.config();
  return {{"model", "smooth_elbo"}, {"side", c.side},     {"channels", c.channels}, {"conv", c.conv},
          {"deconv", c.deconv},     {"hidden", c.hidden}, {"z_size", c.z_size},     {"classes", c.classes}};
}

void SmoothRecipe::add_state(nn::StateDict& state) {
  model_.add_state(state);
  if (!plateau_) return;
  plateau_->add_state(state);
  epoch_loss_.add_state(state, "epoch_loss");
}

std::vector<train::Group> SmoothRecipe::groups() {
  const auto rate = plateau_ ? train::Rate(plateau_->rate()) : train::Rate();
  return {{"model", &model_, settings_.adam, rate}};
}

void SmoothRecipe::prepare(int64_t iteration) {
  iteration_ = iteration;
  if (plateau_ && iteration > 0 && iteration % steps_per_pass() == 0)
    plateau_->step(epoch_loss_.drain()[0].value);
}

std::vector<int64_t> SmoothRecipe::sizes(int64_t iteration) const {
  return {labeled_.rows(iteration), all_.rows(iteration)};
}

Tensor SmoothRecipe::images(const train::ImageSet& set, const Tensor& items) const {
  const Shape shape = set.pixels.shape().with_leading(items.numel());
  const Var unit(set.gather(items, model_.options().dtype));
  return autograd::affine(unit, 2, -1).value().reshape(shape);
}

Var SmoothRecipe::loss(const Var& unlabeled, train::Share of_unlabeled, const Var& labeled,
                       train::Share of_labeled, const Var& labels, const train::Step& step) const {
  const Var total = model_.loss(unlabeled, {}, settings_.objective, of_unlabeled, "u", step) +
                    model_.loss(labeled, labels, settings_.objective, of_labeled, "l", step);
  step.note("loss_total", total);
  return total;
}

std::vector<train::Update> SmoothRecipe::updates(const train::Step& step) {
  const train::Share of_l = step.share(labeled_.rows(iteration_)), of_u = step.share(all_.rows(iteration_));
  const Tensor labeled = labeled_.items(of_l, step), unlabeled = all_.items(of_u, step);
  const Var x_l(images(data_.train, labeled)), x_u(images(data_.train, unlabeled));
  const Var y(train::one_hot(data_.train.gather_labels(labeled), model_.config().classes, step.dtype()));
  return {{.losses = {[=, this] {
             train::Notes terms;
             const Var total = loss(x_u, of_u, x_l, of_l, y, step.with_notes(terms));
             step.metric("loss", total);
             if (plateau_) epoch_loss_.add("loss", total.value()), epoch_loss_.count();
             for (const std::string& name : training_metrics())
               if (name != "loss") step.metric(name, terms.at(name));
             return total;
           }}}};
}

std::vector<std::string> SmoothRecipe::training_metrics() const {
  std::vector<std::string> names{"loss"};
  for (const char* set : {"u", "l"})
    for (const char* name : {"recon_loss", "cont_capacity_loss", "disc_capacity_loss"})
      names.push_back(fmt::format("{}_{}", name, set));
  names.emplace_back("cls_loss_l");
  return names;
}

std::vector<int64_t> SmoothRecipe::predict_test() const {
  return eval::for_items(train::all_items(data_.test), [&](int64_t, const Tensor& items) {
    const Smooth::Code code = model_.encode(Var(images(data_.test, items)));
    return train::most_probable(code.alpha.value()).to_vector<int64_t>();
  });
}

train::Scalars SmoothRecipe::evaluate(const train::Step&) {
  if (data_.test.size() == 0) return {};
  return {{"test_accuracy", eval::accuracy(predict_test(), data_.test.labels.to_vector<int64_t>())}};
}

void SmoothRecipe::report(report::Summary& summary, const train::Step& step) {
  summary.title = "Smooth-ELBO";
  summary.charts = {{"Reconstruction", "squared error per image", {"recon_loss_u", "recon_loss_l"}},
                    {"Cost of the targets", "nats", {"cont_capacity_loss_u", "disc_capacity_loss_u"}},
                    {"Accuracy", "share of right predictions", {"test_accuracy"}}};
  report::add_predictions(summary, data_.test.labels.to_vector<int64_t>(), predict_test(),
                          static_cast<int>(data_.classes), data_.class_names, data_.name);
  const PictureSource source{data_.test, model_.config().classes, model_.config().z_size,
                             [this](const Tensor& items) {
                               const auto [z, alpha] = model_.encode(Var(images(data_.test, items)));
                               const Tensor classes = train::most_probable(alpha.value());
                               return PictureSource::Code{
                                   z.mean.value(),
                                   train::one_hot(classes, model_.config().classes, DType::f32)};
                             },
                             [this](const PictureSource::Code& code) {
                               const Var x = model_.decode(autograd::concat({Var(code.z), Var(code.y)}));
                               return autograd::flatten(autograd::affine(x, 0.5, 0.5)).value();
                             }};
  add_pictures(summary, source, step);
}

}  // namespace vae::shot_vae
