#include "data/exif.h"

#include "tests/fuzz/target.h"

VAE_FUZZ_TARGET(exif) {
  const int orientation = vae::data::exif_orientation(input);
  vae::fuzz::require(orientation >= 1 && orientation <= 8, "an orientation");
}
