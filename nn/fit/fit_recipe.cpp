#include "nn/fit/fit_recipe.h"

#include <cmath>
#include <set>

#include "autograd/ops.h"
#include "nn/eval/estimate.h"
#include "nn/layers.h"
#include "nn/report/pictures.h"

namespace vae::fit {

FitRecipe::FitRecipe(nn::Module& net, Fit::Loss loss, const FitOptions& options, train::Data data)
    : net_(net), loss_(std::move(loss)), learning_rate_(options.learning_rate), data_(std::move(data)) {
  const bool split = data_.split.labeled.defined();
  pool_ = split ? data_.split.unlabeled : train::all_items(data_.train);
  batch_ = train::batch_of(options.batch, pool_.numel());
  if (split) batch_labeled_ = train::batch_of(options.batch, data_.split.labeled.numel());
  if (const int ranks = parallel::current().size(); batch_ % ranks != 0 || batch_labeled_ % ranks != 0)
    fail(ErrorKind::usage, "Fit: {} ranks take equal parts of a batch, which {} images have not", ranks,
         batch_ % ranks != 0 ? batch_ : batch_labeled_);
  const parallel::Alone alone;
  const nn::TestMode test(net_);
  const nn::KeepBuffers keep(net_);
  const Step probe(0, Tensor::scalar(int64_t{0}, net_.options().device));
  std::set<std::string> names;
  for (const auto& [name, value] :
       losses(test_batch(train::item_range(0, 1, probe.device())), probe).metrics) {
    if (!names.insert(name).second) fail(ErrorKind::usage, "Fit: the loss has two metrics '{}'", name);
    if (!value.defined() || value.value().numel() != 1)
      fail(ErrorKind::usage, "Fit: metric '{}' is {}, not one number: take its mean", name,
           value.defined() ? value.value().str() : "undefined");
    metrics_.push_back(name);
  }
}

std::vector<train::Group> FitRecipe::groups() {
  return {{"net", &net_, nn::Adam::Settings{.learning_rate = learning_rate_, .rule = {}}, {}}};
}

Var FitRecipe::images(const train::ImageSet& set, const Tensor& items) const {
  const Shape& all = set.pixels.shape();
  return Var(set.gather(items).reshape(all.with_leading(items.numel())));
}

Batch FitRecipe::training_batch(const Step& step) const {
  const Tensor items = step.items("batch", pool_, step.share(batch_));
  const Var x = images(data_.train, items);
  if (batch_labeled_ == 0) return {x, x, data_.train.gather_labels(items)};
  const Tensor labeled = step.items("batch/labeled", data_.split.labeled, step.share(batch_labeled_));
  return {x, images(data_.train, labeled), data_.train.gather_labels(labeled)};
}

Batch FitRecipe::test_batch(const Tensor& items) const {
  const Var x = images(data_.test, items);
  return {x, x, data_.test.gather_labels(items)};
}

Losses FitRecipe::losses(const Batch& batch, const Step& step) const {
  Losses losses = loss_(batch, step);
  losses.metrics.insert(losses.metrics.begin(), {"loss", losses.total});
  return losses;
}

std::vector<train::Update> FitRecipe::updates(const Step& step) {
  const train::Share share = step.share(batch_);
  return {{.losses = {[batch = training_batch(step), share, step, this] {
             const nn::ShareOfBatch rows(share.places());
             const Losses of_batch = losses(batch, step);
             const auto part = [&](const Var& mean) {
               return share.rows == share.total ? mean : share.weight() * mean;
             };
             for (const auto& [name, value] : of_batch.metrics) step.metric(name, part(value));
             return part(of_batch.total);
           }}}};
}

std::vector<std::string> FitRecipe::evaluation_metrics() const {
  std::vector<std::string> names;
  for (const std::string& name : metrics_) names.push_back("test_" + name);
  return names;
}

train::Scalars FitRecipe::evaluate(const Step& step) {
  std::vector<double> means(metrics_.size());
  eval::for_batches(train::all_items(data_.test), [&](int64_t number, const Tensor& items) {
    const Losses of_batch = losses(test_batch(items), step.numbered(number));
    const double share = static_cast<double>(items.numel()) / static_cast<double>(data_.test.size());
    for (size_t i = 0; i < means.size(); ++i)
      means[i] += share * of_batch.metrics.at(i).second.value().item();
  });
  eval::sum_over_ranks(means);
  train::Scalars named;
  for (const std::string& name : evaluation_metrics()) named.push_back({name, means[named.size()]});
  return named;
}

void FitRecipe::report(report::Summary& summary, const Step& step) {
  summary.title = "Fit";
  summary.score = "test_loss";
  for (const std::string& name : metrics_) {
    const std::string test = "test_" + name;
    summary.charts.push_back({name, name, {name, test}});
    const double value = summary.results.value(test, 0.0);
    summary.headline.push_back({test, fmt::format("{:.5g}", value)});
    summary.lines.push_back(fmt::format("{} {:.5g}", test, value));
  }
  for (const Picture& picture : pictures_)
    summary.pictures.push_back(
        {picture.name, picture.name, [=, this]() -> report::Picture {
           const Tensor images = autograd::flatten(picture.images(step.in("pictures"))).value();
           const auto columns = static_cast<int>(std::ceil(std::sqrt(static_cast<double>(images.size(0)))));
           const int rows = (static_cast<int>(images.size(0)) + columns - 1) / std::max(1, columns);
           return report::tensor_grid(images, data_.test.pixels.shape(), rows, columns,
                                      {.range = report::TileRange::unit});
         }});
}

}  // namespace vae::fit
