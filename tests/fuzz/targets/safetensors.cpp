#include "tensor/safetensors.h"

#include <cstring>

#include "tests/fuzz/target.h"

/// What is read comes back from what is written of it.
VAE_FUZZ_TARGET(safetensors) {
  using namespace vae;
  SafeTensors stored, again;
  const auto path = fuzz::file("stored.safetensors", input);
  if (!fuzz::accepts([&] { stored = load_safetensors(path); })) return;
  const auto copy = fuzz::folder() / "copy.safetensors";
  save_safetensors(copy, stored);
  fuzz::require(fuzz::accepts([&] { again = load_safetensors(copy); }), "a copy is read");
  fuzz::require(again.metadata == stored.metadata && again.tensors.size() == stored.tensors.size(),
                "all of it");
  for (const auto& [name, tensor] : stored.tensors) {
    const Tensor& same = again.at(name);
    fuzz::require(same.shape() == tensor.shape() && same.dtype() == tensor.dtype() &&
                      std::memcmp(same.raw(), tensor.raw(), tensor.bytes()) == 0,
                  "a tensor");
  }
}
