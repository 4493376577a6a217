#pragma once
// Labelled and unlabelled batches, augmented, as the programs on deep backbones are fed.
#include <optional>

#include "models/shot_vae/batches.h"
#include "models/shot_vae/shot_vae.h"

namespace vae::shot_vae {

/// What an epoch does when it has used all labelled images: `cached` goes through the same batches again,
/// pixel by pixel, as the published code does; `fresh` draws new ones.
enum class LabeledStream { cached, fresh };

struct SourceSettings {
  int64_t batch_labeled = 768, batch = 768;  ///< of unlabelled images; 0: there are none
  LabeledStream labeled_stream = LabeledStream::cached;
  bool equal_batches = false;  ///< both batches cut to the smaller one
  int64_t pad = 4;             ///< images are moved by up to so many pixels
  bool flip = true;            ///< and exchanged left and right with probability 1/2
  int64_t epoch_length = 0;    ///< iterations; 0: a pass over the unlabelled images, or without them over
                               ///< the labelled ones
};

/// Batches of a data set with a split: of its labelled images, and of those that count as unlabelled. The
/// last batch of a pass holds what is left.
class Source {
 public:
  /// Batches larger than their set are cut to it. Throws Error(usage) for a last batch of one image, since
  /// nets with batch norm take none, and where images are moved by more than their size.
  Source(const SourceSettings& settings, const train::Data& data, Device device);

  /// Before updates of an iteration.
  void prepare(int64_t iteration);
  std::vector<int64_t> sizes(int64_t iteration) const;
  int64_t epoch_length() const { return epoch_length_; }
  int64_t images_per_step() const;
  /// With batches as they are cut.
  const SourceSettings& settings() const { return settings_; }
  /// Images that are evaluated at a time: no more than there are in a batch of the training.
  int64_t evaluation_batch() const;

  /// Images [n, h, w, c] of the present iteration in [0, 1], with labels where all of the training set have
  /// one.
  Images labeled(const train::Step& step) const;
  Images unlabeled(const train::Step& step) const;
  /// The unlabelled images, moved and flipped alike, after strong augmentation too (train::distorted).
  Images distorted(int64_t operations, const train::Step& step) const;
  /// Given items of a set, moved and flipped only where there is a name for it.
  Images images(const train::ImageSet& set, const Tensor& items, const std::string& augmentation,
                const train::Step& step, train::Share share = {}) const;

 private:
  int64_t labeled_number(int64_t iteration) const;
  train::Share unlabeled_share(const train::Step& step) const;
  SourceSettings settings_;
  train::ImageSet train_;
  bool all_labels_known_;
  Batches labeled_;
  std::optional<Batches> unlabeled_;
  int64_t epoch_length_, iteration_ = 0;
  Tensor number_;  // of the labelled batch
};

/// Black images of the first class, as large as those of a set, and a step that takes them: what the memory
/// of a training is measured with.
struct Blank {
  Blank(const train::ImageSet& set, int64_t count, const nn::Options& options);
  train::Step step;
  Images images;
};

}  // namespace vae::shot_vae
