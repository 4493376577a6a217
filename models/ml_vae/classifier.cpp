#include "models/ml_vae/classifier.h"

#include "models/common/evaluation.h"
#include "nn/init.h"

namespace vae::models {
namespace {

constexpr double kWeightDeviation = 0.05, kSlope = 0.2;

/// A copy of the buffers of a module, put back at the end of the scope.
class KeepBuffers {
 public:
  explicit KeepBuffers(nn::Module& module) : buffers_(module.buffers()) {
    for (const nn::Module::Buffer& b : buffers_) copies_.push_back(b.tensor->clone());
  }
  ~KeepBuffers() {
    for (size_t i = 0; i < buffers_.size(); ++i) buffers_[i].tensor->copy_from(copies_[i]);
  }
  KeepBuffers(const KeepBuffers&) = delete;
  KeepBuffers& operator=(const KeepBuffers&) = delete;

 private:
  std::vector<nn::Module::Buffer> buffers_;
  std::vector<Tensor> copies_;
};

int64_t right_answers(const Var& logits, const std::vector<int64_t>& labels) {
  const Tensor predicted = Tensor::empty({logits.value().size(0)}, DType::i64, logits.value().device());
  kernels::argmax(logits.value(), predicted);
  const std::vector<int64_t> classes = predicted.to_vector<int64_t>();
  int64_t right = 0;
  for (size_t i = 0; i < labels.size(); ++i) right += classes[i] == labels[i];
  return right;
}

}  // namespace

LatentClassifier::LatentClassifier(int64_t z_dim, int64_t hidden, int64_t classes, nn::Options options)
    : fc_1_(z_dim, hidden, options),
      fc_2_(hidden, hidden, options),
      fc_3_(hidden, classes, options),
      bn_1_(hidden, {}, options),
      bn_2_(hidden, {}, options) {
  add_child("fc_model.fc_1", fc_1_);
  add_child("fc_model.fc_1_bn", bn_1_);
  add_child("fc_model.fc_2", fc_2_);
  add_child("fc_model.fc_2_bn", bn_2_);
  add_child("fc_model.fc_3", fc_3_);
  nn::init_normal(*this, kWeightDeviation, options.seed);
}

Var LatentClassifier::operator()(const Var& z) const {
  const Var h = autograd::leaky_relu(bn_1_(fc_1_(z)), kSlope);
  return fc_3_(autograd::leaky_relu(bn_2_(fc_2_(h)), kSlope));
}

ClassifierTrainer::ClassifierTrainer(LatentClassifier& net, const nn::Adam::Settings& settings)
    : net_(net), parameters_(net), adam_(parameters_, settings) {}

ClassifierTrainer::Step ClassifierTrainer::step(const Tensor& z, const Tensor& labels) {
  autograd::Tape tape;
  Step step;
  step.logits = net_(Var(z));
  step.loss = autograd::cross_entropy(step.logits, labels);
  parameters_.clear_gradients();
  tape.backward(step.loss);
  adam_.step();
  return step;
}

ClassifierTask::ClassifierTask(SetCodes codes, int64_t classes, Options options)
    : codes_(std::move(codes)),
      classes_(classes),
      options_(std::move(options)),
      losses_({kCodeKinds.begin(), kCodeKinds.end()}, codes_.labels.device()),
      counter_(Tensor::scalar(int64_t{0}, codes_.labels.device())),
      items_(item_range(0, codes_.labels.numel(), codes_.labels.device())) {
  options_.batch = std::min(options_.batch, items_.numel());
  for (size_t kind = 0; kind < nets_.size(); ++kind) {
    const Tensor& mean = kind == 0 ? codes_.style.mean : codes_.class_code.mean;
    // Other initial weights for each: streams are named by parameter, so the seed differs.
    const uint64_t seed = RandomKey::named(options_.seed, kCodeKinds[kind]).stream ^ options_.seed;
    nets_[kind] = std::make_unique<Net>(mean.size(1), classes, nn::Options{mean.dtype(), mean.device(), seed},
                                        options_.adam);
  }
}

ClassifierTask::Batch ClassifierTask::draw(const SetCodes& codes, const Tensor& items,
                                           const std::string& stream, const Tensor& number) const {
  const auto noise = [&](int64_t rows, int64_t columns, const char* kind, double deviation) {
    const Tensor eps = Tensor::empty({rows, columns}, codes.style.mean.dtype(), items.device());
    kernels::random_normal(eps, RandomKey::named(options_.seed, stream + kind), number);
    kernels::map_fwd(kernels::Map::affine, {deviation, 0}, {&eps, 1}, eps);
    return eps;
  };
  const GaussianRows style = codes.style.rows(items), single = codes.class_code.rows(items);
  const int64_t rows = items.numel(), dim = single.mean.size(1);
  Batch batch{.codes = {}, .labels = Tensor::empty({rows}, DType::i64, items.device())};
  kernels::gather_rows(codes.labels, items, batch.labels);
  const GaussianRows group = evidence_of(single, batch.labels, classes_);
  const Tensor of_group = group.sample(noise(classes_, dim, "group", options_.noise_std));
  batch.codes = {style.sample(noise(rows, style.mean.size(1), "style", 1)),
                 Tensor::empty({rows, dim}, single.mean.dtype(), items.device()),
                 single.sample(noise(rows, dim, "single", 1))};
  kernels::gather_rows(of_group, batch.labels, batch.codes[1]);
  return batch;
}

void ClassifierTask::step() {
  const Tensor items = Tensor::empty({options_.batch}, DType::i64, counter_.device());
  kernels::epoch_items(items_, items, RandomKey::named(options_.seed, "classifier/batch"), counter_,
                       options_.reshuffle);
  const Batch batch = draw(codes_, items, "classifier/noise/", counter_);
  std::array<Tensor, 3> losses;
  for (size_t kind = 0; kind < nets_.size(); ++kind)
    losses[kind] = nets_[kind]->trainer.step(batch.codes[kind], batch.labels).loss.value();
  losses_.add({losses[0], losses[1], losses[2]});
  kernels::increment(counter_);
}

std::array<ClassifierTask::Score, 3> ClassifierTask::score(const SetCodes& codes, const char* stream) {
  const Tensor pool = item_range(0, codes.labels.numel(), counter_.device());
  const int64_t rows = std::min(options_.batch, pool.numel()), batches = rows > 0 ? pool.numel() / rows : 0;
  const RandomKey key = RandomKey::named(options_.seed, std::string("score/batch/") + stream);
  std::array<std::array<int64_t, 2>, 3> right{};
  for (int64_t number = 0; number < batches; ++number) {
    const Tensor items = Tensor::empty({rows}, DType::i64, counter_.device());
    const Tensor at = Tensor::scalar(number, counter_.device());
    kernels::epoch_items(pool, items, key, at, false);
    const Batch batch = draw(codes, items, std::string("score/noise/") + stream + "/", at);
    const std::vector<int64_t> labels = batch.labels.to_vector<int64_t>();
    for (size_t kind = 0; kind < nets_.size(); ++kind) {
      LatentClassifier& net = nets_[kind]->classifier;
      {
        const TestMode test(net);
        right[kind][1] += right_answers(net(Var(batch.codes[kind])), labels);
      }
      const KeepBuffers keep(net);
      right[kind][0] += right_answers(net(Var(batch.codes[kind])), labels);
    }
  }
  std::array<Score, 3> scores{};
  const auto scored = static_cast<double>(std::max<int64_t>(1, batches * rows));
  for (size_t kind = 0; kind < nets_.size(); ++kind)
    scores[kind] = {static_cast<double>(right[kind][0]) / scored,
                    static_cast<double>(right[kind][1]) / scored};
  return scores;
}

train::StateDict ClassifierTask::state() {
  train::StateDict state;
  state.meta = {{"model", "ml_vae classifiers"}, {"encoder", options_.encoder_id}};
  for (size_t kind = 0; kind < nets_.size(); ++kind) {
    nets_[kind]->classifier.add_state(state, kCodeKinds[kind]);
    nets_[kind]->trainer.adam().add_state(state, std::string("adam.") + kCodeKinds[kind]);
  }
  losses_.add_state(state);
  state.add("counter", counter_);
  return state;
}

}  // namespace vae::models
