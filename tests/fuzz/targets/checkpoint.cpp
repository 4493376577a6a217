#include "nn/train/checkpoint.h"

#include <cmath>

#include "tests/fuzz/target.h"

/// A checkpoint is taken whole or not at all, and holds finite numbers.
VAE_FUZZ_TARGET(checkpoint) {
  using namespace vae;
  const auto path = fuzz::file("checkpoint.safetensors", input);
  const Tensor weight = Tensor::zeros({2, 2}, DType::f32), counter = Tensor::zeros({}, DType::i64);
  train::StateDict state;
  state.add("weight", weight);
  state.add("counter", counter);
  const bool read = fuzz::accepts([&] { train::load_checkpoint(path, state, {{"family", "m2"}}); });
  for (const float value : weight.to_vector<float>())
    fuzz::require(std::isfinite(value) && (read || value == 0), "finite, and only where it was accepted");
  fuzz::require(fuzz::accepts([&] {
                  train::load_weights(path, state, {{"family", "m2"}});
                }) ||
                    !read,
                "a checkpoint has the weights");
}
