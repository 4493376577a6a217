#include "models/shot_vae/source.h"

#include <algorithm>
#include <numeric>

#include "nn/eval/estimate.h"
#include "nn/train/augment.h"

namespace vae::shot_vae {

namespace {

Batches normalized(const std::string& stream, const Tensor& items, int64_t batch) {
  const Batches batches(stream, items, batch);
  if (items.numel() > 0 && batches.rows(batches.count() - 1) == 1)
    fail(ErrorKind::usage, "of {} images in batches of {} the last has one: batch norm needs two or more",
         items.numel(), batch);
  return batches;
}

}  // namespace

Source::Source(const SourceSettings& settings, const train::Data& data, Device device)
    : settings_(settings),
      train_(data.train),
      all_labels_known_(train::count_unlabeled(data.train) == 0),
      labeled_(normalized("batch/labeled", data.split.labeled, settings.batch_labeled)),
      number_(Tensor::scalar(int64_t{0}, device)) {
  if (settings.batch != 0) unlabeled_ = normalized("batch", data.split.unlabeled, settings.batch);
  settings_.batch_labeled = labeled_.batch(), settings_.batch = unlabeled_ ? unlabeled_->batch() : 0;
  const int64_t pass = (unlabeled_ ? *unlabeled_ : labeled_).count();
  epoch_length_ = settings.epoch_length > 0 ? settings.epoch_length : std::max<int64_t>(1, pass);
  const Shape& shape = train_.pixels.shape();
  if (settings_.pad < 0 || settings_.pad >= std::min(shape[1], shape[2]))
    fail(ErrorKind::usage, "images of {}x{} pixels moved by {}", shape[1], shape[2], settings_.pad);
}

int64_t Source::labeled_number(int64_t iteration) const {
  if (settings_.labeled_stream == LabeledStream::fresh) return iteration;
  return iteration / epoch_length_ * labeled_.count() + iteration % epoch_length_ % labeled_.count();
}

void Source::prepare(int64_t iteration) {
  iteration_ = iteration;
  number_.copy_from(Tensor::scalar(labeled_number(iteration)));
}

std::vector<int64_t> Source::sizes(int64_t iteration) const {
  const int64_t labeled = labeled_.rows(labeled_number(iteration));
  if (!unlabeled_) return {labeled};
  const int64_t unlabeled = unlabeled_->rows(iteration), smaller = std::min(labeled, unlabeled);
  return settings_.equal_batches ? std::vector{smaller, smaller} : std::vector{labeled, unlabeled};
}

int64_t Source::images_per_step() const {
  const std::vector<int64_t> first = sizes(0);
  return std::accumulate(first.begin(), first.end(), int64_t{0});
}

int64_t Source::evaluation_batch() const {
  return std::min(eval::kBatch, std::max(settings_.batch_labeled, settings_.batch));
}

train::Share Source::unlabeled_share(const train::Step& step) const {
  VAE_CHECK(unlabeled_, "batches without unlabelled images");
  return step.share(sizes(iteration_)[1]);
}

Images Source::labeled(const train::Step& step) const {
  const train::Step of_batch = step.at(number_);
  const train::Share share = step.share(sizes(iteration_)[0]);
  return images(train_, labeled_.items(share, of_batch), "augment/labeled", of_batch, share);
}

Images Source::unlabeled(const train::Step& step) const {
  const train::Share share = unlabeled_share(step);
  Images of = images(train_, unlabeled_->items(share, step), "augment", step, share);
  if (!all_labels_known_) of.labels = {};
  return of;
}

Images Source::distorted(int64_t operations, const train::Step& step) const {
  const train::Share share = unlabeled_share(step);
  const Tensor items = unlabeled_->items(share, step);
  const Tensor bytes =
                   Tensor::empty(train_.pixels.shape().with_leading(items.numel()), DType::u8, step.device()),
               x = Tensor::empty(bytes.shape(), step.dtype(), step.device());
  kernels::gather_rows(train_.pixels, items, bytes);
  const Tensor moved = train::shifted(bytes, settings_.pad, settings_.flip, "augment", step, share);
  kernels::normalize_pixels(train::distorted(moved, operations, "augment/strong", step, share), {}, {}, x);
  return {Var(x), all_labels_known_ ? train_.gather_labels(items) : Tensor{}, share};
}

Images Source::images(const train::ImageSet& set, const Tensor& items, const std::string& augmentation,
                      const train::Step& step, train::Share share) const {
  Tensor x = set.gather(items, step.dtype()).reshape(set.pixels.shape().with_leading(items.numel()));
  if (!augmentation.empty()) x = train::shifted(x, settings_.pad, settings_.flip, augmentation, step, share);
  return {Var(x), set.gather_labels(items), share};
}

Blank::Blank(const train::ImageSet& set, int64_t count, const nn::Options& options)
    : step(0, Tensor::scalar(int64_t{0}, options.device), options.dtype),
      images{Var(Tensor::zeros(set.pixels.shape().with_leading(count), options.dtype, options.device)),
             Tensor::zeros({count}, DType::i64, options.device)} {}

}  // namespace vae::shot_vae
