#include "data/split.h"

#include "tests/fuzz/target.h"

/// What is read comes back from what is written of it. Labels are 0, 1, 2, 0, 1, 2, and one is missing.
VAE_FUZZ_TARGET(split) {
  using namespace vae;
  const Tensor labels = Tensor::from(std::vector<int64_t>{0, 1, 2, 0, 1, 2, -1}, {7});
  data::StoredSplit stored;
  if (!fuzz::accepts([&] { stored = data::load_split(fuzz::file("split.json", input), labels); })) return;
  const auto copy = fuzz::folder() / "copy.json";
  data::save_split(copy, stored.split, stored.request, labels);
  fuzz::require(data::load_split(copy, labels).split == stored.split, "a copy is the same");
}
