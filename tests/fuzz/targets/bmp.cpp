#include "tests/fuzz/picture.h"

VAE_FUZZ_TARGET(bmp) { vae::fuzz::check_picture("picture.bmp", vae::fuzz::text(input)); }
