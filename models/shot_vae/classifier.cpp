#include "models/shot_vae/classifier.h"

#include "nn/init.h"
#include "nn/train/image_set.h"

namespace vae::shot_vae {
namespace {

backbones::Config with_last_norm(backbones::Config config, const std::string& name) {
  config.last_norm = name;
  return config;
}

Var label_loss(const Var& logits, const Tensor& labels) {
  return -autograd::pick(autograd::log_softmax(logits), labels);
}

}  // namespace

Classifier::Classifier(const backbones::Config& backbone, int64_t classes, nn::Options options)
    : Module(options),
      backbone_(backbones::make(this, "encoder", with_last_norm(backbone, "global_avg.norm"))),
      out_(this, "classification.fc", backbone_->features(), classes) {
  nn::init_he_uniform(*backbone_, options.seed);
  nn::init_glorot_uniform(out_, options.seed);
}

Var Classifier::operator()(const Var& x, const backbones::Parts& batch, const train::Step& step) const {
  return out_((*backbone_)(x, batch, step));
}

Var Classifier::loss(const Images& images, const train::Step& step) const {
  const train::Share n = images.batch();
  const Var logits = (*this)(images.x, n, step);
  step.note("logits", logits);
  return step.mean(label_loss(logits, images.labels), n);
}

Classifier::FixMatch Classifier::fix_match(const Images& labeled, const Images& unlabeled,
                                           const Images& distorted, double threshold,
                                           const train::Step& step) const {
  const train::Share of_labeled = labeled.batch(), of_unlabeled = unlabeled.batch();
  const int64_t n = of_labeled.rows, m = of_unlabeled.rows, all = n + 2 * m;
  const int64_t first = of_labeled.total, second = first + of_unlabeled.total,
                total = second + of_unlabeled.total;
  const Var images(train::stacked({labeled.x.value(), unlabeled.x.value(), distorted.x.value()})),
      logits = (*this)(images,
                       {{n, total, of_labeled.first},
                        {m, total, first + of_unlabeled.first},
                        {m, total, second + of_unlabeled.first}},
                       step);
  const Tensor undistorted = logits.value().slice(n, n + m);
  const Tensor probability = Tensor::empty({m, 1}, undistorted.dtype(), step.device()),
               predicted = Tensor::empty({m, 1}, DType::i64, step.device());
  kernels::top_k(autograd::softmax(Var(undistorted)).value(), probability, predicted);
  const Var counts = autograd::map(kernels::Map::at_least, {Var(probability.reshape({m}))}, {threshold, 1});
  const Var loss = label_loss(autograd::slice_rows(logits, n + m, all), predicted.reshape({m}));
  return {step.mean(label_loss(autograd::slice_rows(logits, 0, n), labeled.labels), of_labeled),
          step.mean(counts * loss, of_unlabeled), step.mean(counts, of_unlabeled)};
}

}  // namespace vae::shot_vae
