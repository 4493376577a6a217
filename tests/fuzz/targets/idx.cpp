#include "data/idx.h"

#include "data/gzip.h"
#include "tests/fuzz/target.h"

/// Plain or packed makes no difference.
VAE_FUZZ_TARGET(idx) {
  using namespace vae;
  const auto path = fuzz::file("file", input);
  Tensor images;
  fuzz::accepts([&] { data::read_idx_labels(path, 10, 1); });
  const bool read = fuzz::accepts([&] { images = data::read_idx_images(path); });
  if (data::is_gzip(input)) return;
  const auto packed = fuzz::file("packed", data::gzip(input));
  Tensor unpacked;
  fuzz::require(fuzz::accepts([&] { unpacked = data::read_idx_images(packed); }) == read, "packed as plain");
  if (read)
    fuzz::require(
        images.shape() == unpacked.shape() && images.to_vector<uint8_t>() == unpacked.to_vector<uint8_t>(),
        "the same pixels");
}
