#include "models/inception/weights.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "data/digest.h"
#include "data/load.h"
#include "models/inception/table.h"
#include "tensor/safetensors.h"

namespace vae::inception {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFile = "fid-inception.safetensors";
constexpr const char* kPublished = "6726825d";  // how the SHA-256 of the published file begins
constexpr const char* kSource = "source_sha256";

bool is_classifier(const std::string& name) { return name.starts_with("fc."); }

/// Whether a tensor counts the batches that a batch norm of the net has seen.
bool is_counter(const std::string& name, const std::map<std::string, Shape>& shapes) {
  constexpr std::string_view kCounter = "num_batches_tracked";
  return name.ends_with(kCounter) &&
         shapes.contains(name.substr(0, name.size() - kCounter.size()) + "running_mean");
}

[[noreturn]] void fail_missing(const fs::path& path) {
  fail(ErrorKind::io, "{}: no such file; tools/convert_inception.py makes it of the published weights",
       path.string());
}

/// Throws unless the tensor can be one of the net's.
void check_values(const std::string& where, const std::string& name, const Tensor& tensor) {
  const bool variance = name.ends_with("running_var");
  for (const float value : std::span(tensor.data<float>(), tensor.numel()))
    if (!std::isfinite(value) || (variance && value < 0))
      fail(ErrorKind::data, "{}: tensor {} holds {}", where, name, value);
}

}  // namespace

bool Weights::published() const { return source.starts_with(kPublished); }

std::string Weights::str() const {
  return fmt::format("{} weights, sha256 {}", published() ? "published" : "other", sha256.substr(0, 16));
}

fs::path find_weights() {
  const auto roots = data::data_roots({});
  for (const fs::path& root : roots)
    if (fs::exists(root / kFile)) return root / kFile;
  fail_missing(roots.back() / kFile);
}

Weights load_weights(const fs::path& path) {
  if (!fs::exists(path)) fail_missing(path);
  SafeTensors file = load_safetensors(path);
  const std::string where = path.string();
  const auto shapes = state_shapes();
  Weights weights;
  data::Sha256 hash;
  for (const auto& [name, shape] : shapes) {
    const auto found = file.tensors.find(name);
    if (found == file.tensors.end()) {
      if (is_classifier(name)) continue;
      fail(ErrorKind::data, "{}: no tensor {}: these are no weights of FID-Inception-v3", where, name);
    }
    const Tensor& tensor = found->second;
    if (tensor.dtype() != DType::f32 || !(tensor.shape() == shape))
      fail(ErrorKind::data, "{}: tensor {} is {} {}, expected f32 {}", where, name, name_of(tensor.dtype()),
           tensor.shape().str(), shape.str());
    if (is_classifier(name)) continue;
    check_values(where, name, tensor);
    hash.update(std::as_bytes(std::span(name)));
    hash.update({static_cast<const std::byte*>(tensor.raw()), tensor.bytes()});
    weights.tensors.emplace(name, tensor);
  }
  for (const auto& [name, tensor] : file.tensors)
    if (!shapes.contains(name) && !is_counter(name, shapes))
      fail(ErrorKind::data, "{}: tensor {} is none of FID-Inception-v3's", where, quoted(name));
  weights.sha256 = hash.hex();
  if (file.metadata.contains(kSource)) weights.source = file.metadata.at(kSource);
  return weights;
}

}  // namespace vae::inception
