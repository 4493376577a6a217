#pragma once
// The weights of FID-Inception-v3, out of a safetensors file that tools/convert_inception.py made of the
// published one (docs/inception.md).
#include <filesystem>
#include <map>
#include <string>

#include "tensor/tensor.h"

namespace vae::inception {

struct Weights {
  std::map<std::string, Tensor> tensors;  ///< as state_shapes() says, without the classifier; f32 on the host
  std::string sha256;                     ///< of name and bytes of each tensor, in the order of the names
  std::string source;                     ///< SHA-256 of the file that was converted, if the file says so

  /// Whether they were made of the published file, by what their file says.
  bool published() const;
  /// "published weights, sha256 0123456789abcdef" or "other weights, sha256 ...".
  std::string str() const;
};

/// Where the weights lie: fid-inception.safetensors in $VAE_DATA_DIR or in the cache. Throws Error(io) that
/// says how to make the file where there is none.
std::filesystem::path find_weights();

/// Reads a file. Strict: every tensor but those of the classifier, of its shape, f32 and finite, variances
/// not negative; none besides but the classifier and counters of batches. Throws Error(io) if it cannot be
/// read or is absent (and says how to make it), else Error(data) naming file and tensor.
Weights load_weights(const std::filesystem::path& path);

}  // namespace vae::inception
