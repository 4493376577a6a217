#include "tests/fuzz/picture.h"

VAE_FUZZ_TARGET(jpeg) { vae::fuzz::check_picture("picture.jpg", vae::fuzz::text(input)); }
