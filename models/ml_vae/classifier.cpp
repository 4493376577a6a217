#include "models/ml_vae/classifier.h"

#include "nn/init.h"

namespace vae::ml_vae {
namespace {

constexpr double kSlope = 0.2;

int64_t right_answers(const Var& logits, const std::vector<int64_t>& labels) {
  const std::vector<int64_t> classes = train::most_probable(logits.value()).to_vector<int64_t>();
  int64_t right = 0;
  for (size_t i = 0; i < labels.size(); ++i) right += classes[i] == labels[i];
  return right;
}

}  // namespace

LatentClassifier::LatentClassifier(Module* parent, const std::string& name, int64_t z_dim, int64_t hidden,
                                   int64_t classes, uint64_t seed)
    : Module(parent, name),
      hidden_(this, "", {z_dim, hidden, hidden},
              {.activation = {kernels::Map::leaky_relu, {kSlope, 0}}, .batch_norm = nn::BatchNormOptions{}},
              {"fc_model.fc_{}", "fc_model.fc_{}_bn", 1}),
      out_(this, "fc_model.fc_3", hidden, classes) {
  nn::init_normal(*this, kWeightDeviation, seed);
}

ClassifierRecipe::ClassifierRecipe(Settings settings, SetCodes codes, int64_t classes, nn::Options options)
    : settings_(std::move(settings)),
      codes_(std::move(codes)),
      classes_(classes),
      root_(options),
      items_(train::item_range(0, codes_.labels.numel(), options.device)) {
  settings_.batch = std::min(settings_.batch, items_.numel());
  for (size_t kind = 0; kind < nets_.size(); ++kind) {
    const Tensor& mean = kind == 0 ? codes_.style.mean : codes_.class_code.mean;
    // Other initial weights for each: streams are named by parameter, so the seed differs.
    const uint64_t seed = RandomKey::named(options.seed, kCodeKinds[kind]).stream ^ options.seed;
    nets_[kind] = std::make_unique<LatentClassifier>(&root_, kCodeKinds[kind], mean.size(1), settings_.hidden,
                                                     classes, seed);
  }
}

nlohmann::json ClassifierRecipe::meta() const {
  return {{"model", "ml_vae classifiers"}, {"encoder", settings_.encoder_id}};
}

std::vector<train::Group> ClassifierRecipe::groups() {
  std::vector<train::Group> groups;
  for (size_t kind = 0; kind < nets_.size(); ++kind)
    groups.push_back({kCodeKinds[kind], nets_[kind].get(), settings_.adam, {}});
  return groups;
}

ClassifierRecipe::Batch ClassifierRecipe::draw(const SetCodes& codes, const Tensor& items, train::Share rows,
                                               const train::Step& step, const std::string& stream) const {
  const auto noise = [&](train::Share of, int64_t columns, const char* kind, double deviation) {
    const Tensor eps = Tensor::empty({of.rows, columns}, codes.style.mean.dtype(), items.device());
    kernels::random_normal(eps, step.key(stream + kind), step.draw(), of.places());
    return autograd::affine(Var(eps), deviation, 0).value();
  };
  const GaussianRows style = codes.style.rows(items), single = codes.class_code.rows(items);
  const int64_t dim = single.mean.size(1);
  Batch batch{.codes = {}, .labels = train::labels_of(codes.labels, items)};
  const GaussianRows group = evidence_of(single, batch.labels, classes_);
  const Tensor of_group = group.sample(noise(classes_, dim, "group", settings_.noise_std));
  batch.codes = {style.sample(noise(rows, style.mean.size(1), "style", 1)),
                 autograd::gather_rows(Var(of_group), batch.labels).value(),
                 single.sample(noise(rows, dim, "single", 1))};
  return batch;
}

std::vector<train::Update> ClassifierRecipe::updates(const train::Step& step) {
  const train::Share rows = step.share(settings_.batch);
  const Tensor items = step.items("classifier/batch", items_, rows,
                                  passes(items_.numel(), settings_.batch, settings_.reshuffle));
  const Batch batch = draw(codes_, items, rows, step, "classifier/noise/");
  std::vector<train::Update> updates;
  for (size_t kind = 0; kind < nets_.size(); ++kind)
    updates.push_back({{kCodeKinds[kind]}, {[=, this] {
                         const Var logits = (*nets_[kind])(Var(batch.codes[kind]));
                         const Var loss =
                             -step.mean(autograd::pick(autograd::log_softmax(logits), batch.labels), rows);
                         step.metric(kCodeKinds[kind], loss);
                         return loss;
                       }}});
  return updates;
}

std::array<ClassifierRecipe::Score, 3> ClassifierRecipe::score(const SetCodes& codes,
                                                               const std::string& part) {
  const Tensor pool = train::item_range(0, codes.labels.numel(), items_.device());
  const int64_t rows = std::min(settings_.batch, pool.numel()), batches = rows > 0 ? pool.numel() / rows : 0;
  std::array<Score, 3> scores{};
  for (int64_t number = 0; number < batches; ++number) {
    const train::Step step(root_.options().seed, Tensor::scalar(number, items_.device()));
    const Tensor items = step.items("score/batch/" + part, pool, rows, passes(pool.numel(), rows, false));
    const Batch batch = draw(codes, items, rows, step, "score/noise/" + part + "/");
    const std::vector<int64_t> labels = batch.labels.to_vector<int64_t>();
    const auto scored = static_cast<double>(batches * rows);
    for (size_t kind = 0; kind < nets_.size(); ++kind) {
      LatentClassifier& net = *nets_[kind];
      const auto share = [&] {
        return static_cast<double>(right_answers(net(Var(batch.codes[kind])), labels)) / scored;
      };
      double running = 0;
      {
        const nn::TestMode test(net);
        running = share();
      }
      const nn::KeepBuffers keep(net);
      scores[kind].running_statistics += running;
      scores[kind].batch_statistics += rows > 1 ? share() : running;
    }
  }
  return scores;
}

}  // namespace vae::ml_vae
