#include "kernels/random.h"

namespace vae::kernels {
namespace {

void check_step(const char* kernel, In step) {
  VAE_CHECK(step.dtype() == DType::i64 && step.numel() == 1, "{}: draw number {}", kernel, step.str());
}

}  // namespace

void check_random(const char* kernel, Out y, In step) {
  VAE_CHECK(is_floating(y.dtype()), "{}: into {}", kernel, y.str());
  check_step(kernel, step);
}

void check_random_integers(Out y, In step, int64_t below) {
  VAE_CHECK(y.dtype() == DType::i64, "random_integers: into {}", y.str());
  VAE_CHECK(below >= 1 && below <= int64_t{1} << 31, "random_integers: below {}", below);
  check_step("random_integers", step);
}

void check_draw_items(const char* kernel, In pool, Out y, In step) {
  VAE_CHECK(pool.dtype() == DType::i64 && y.dtype() == DType::i64 && y.numel() <= pool.numel(),
            "{}: {} out of {}", kernel, y.str(), pool.str());
  check_step(kernel, step);
}

}  // namespace vae::kernels
