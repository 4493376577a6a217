#pragma once
// Batches of a set of items, pass after pass, the last of each holding what is left.
#include "nn/train/image_set.h"
#include "nn/train/step.h"

namespace vae::shot_vae {

/// Whether batches follow the order of the files, the same in every pass, or are shuffled.
enum class BatchOrder { files, shuffled };

class Batches {
 public:
  /// Of i64 items on their device; a batch larger than the set is cut to it. A set of none has no batches, as
  /// where a net is only looked at. Throws Error(usage) for a batch of none.
  Batches(std::string stream, Tensor items, int64_t batch, BatchOrder order = BatchOrder::shuffled);

  /// Batches of a pass.
  int64_t count() const { return (items_.numel() + batch_ - 1) / batch_; }
  int64_t batch() const { return batch_; }
  /// Items of batch number 0, 1, ...; throws Error(usage) where there is no batch.
  int64_t rows(int64_t number) const;
  /// The items of the batch of an iteration, `own` of its rows.
  Tensor items(train::Share own, const train::Step& step) const;

 private:
  std::string stream_;
  Tensor items_;
  int64_t batch_;
  BatchOrder order_;
};

/// The data. Throws Error(data) where a net of images of this side and so many channels does not take them.
const train::Data& checked(const train::Data& data, int64_t side, int64_t channels);

}  // namespace vae::shot_vae
