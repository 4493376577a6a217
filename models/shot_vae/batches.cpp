#include "models/shot_vae/batches.h"

#include <algorithm>

namespace vae::shot_vae {

Batches::Batches(std::string stream, Tensor items, int64_t batch, BatchOrder order)
    : stream_(std::move(stream)),
      items_(std::move(items)),
      batch_(items_.numel() == 0 ? batch : train::batch_of(batch, items_.numel())),
      order_(order) {}

int64_t Batches::rows(int64_t number) const {
  if (items_.numel() == 0) fail(ErrorKind::usage, "{}: no images", stream_);
  return std::min(batch_, items_.numel() - number % count() * batch_);
}

Tensor Batches::items(train::Share own, const train::Step& step) const {
  own.total = batch_;  // where a pass goes on does not depend on its last batch
  return step.items(stream_, items_, own, {.period = count(), .shuffle = order_ == BatchOrder::shuffled});
}

const train::Data& checked(const train::Data& data, int64_t side, int64_t channels) {
  const Shape& shape = data.train.pixels.shape();
  if (shape[1] != side || shape[2] != side || shape[3] != channels)
    fail(ErrorKind::data, "images of {} x {} pixels and {} channels: the net takes {} x {} and {}", shape[1],
         shape[2], shape[3], side, side, channels);
  return data;
}

}  // namespace vae::shot_vae
