#include "nn/train/checkpoint.h"

#include <cmath>
#include <optional>

#include "tensor/safetensors.h"

namespace vae::train {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kMeta = "meta";
constexpr int kMaxDepth = 32;  // of the metadata; printing and copying JSON is recursive

/// "NaN" or "infinity" if the tensor (on the host) holds one.
std::optional<std::string_view> non_finite(const Tensor& tensor) {
  if (!is_floating(tensor.dtype())) return std::nullopt;
  return dispatch_floating(tensor.dtype(), [&](auto zero) -> std::optional<std::string_view> {
    const auto* values = tensor.data<decltype(zero)>();
    for (int64_t i = 0; i < tensor.numel(); ++i)
      if (!std::isfinite(values[i])) return std::isnan(values[i]) ? "NaN" : "infinity";
    return std::nullopt;
  });
}

json read_meta(const fs::path& path, const SafeTensors& file) {
  const auto text = file.metadata.find(kMeta);
  if (text == file.metadata.end()) return json::object();
  const auto leave_out_the_deep = [](int depth, json::parse_event_t, json&) { return depth < kMaxDepth; };
  json meta = json::parse(text->second, leave_out_the_deep, false);
  if (!meta.is_object())
    fail(ErrorKind::data, "{}: the metadata of the checkpoint are damaged", path.string());
  return meta;
}

std::string one_line(const json& value) { return value.dump(-1, ' ', true, json::error_handler_t::replace); }

void check_meta(const fs::path& path, const json& found, const json& expected) {
  for (const auto& [key, value] : expected.items()) {
    if (!found.contains(key))
      fail(ErrorKind::data, "{}: checkpoint of another model: it does not tell {}", path.string(),
           quoted(key));
    if (found[key] != value)
      fail(ErrorKind::data, "{}: checkpoint of another model: {} is {}, here {}", path.string(), quoted(key),
           one_line(found[key]).substr(0, 200), one_line(value));
  }
}

void check_tensor(const fs::path& path, const std::string& name, const SafeTensors& file,
                  const Tensor& expected) {
  if (!file.contains(name))
    fail(ErrorKind::data, "{}: checkpoint of another model: it lacks tensor {}", path.string(), quoted(name));
  const Tensor& found = file.at(name);
  if (found.dtype() != expected.dtype() || found.shape() != expected.shape())
    fail(ErrorKind::data, "{}: checkpoint of another model: tensor {} is {} {}, here {} {}", path.string(),
         quoted(name), name_of(found.dtype()), found.shape().str(), name_of(expected.dtype()),
         expected.shape().str());
  if (const auto what = non_finite(found))
    fail(ErrorKind::data, "{}: {} in tensor {}", path.string(), *what, quoted(name));
}

enum class Extra { refused, ignored };

json load(const fs::path& path, const StateDict& into, const json& expected, Extra extra) {
  const SafeTensors file = load_safetensors(path);
  json meta = read_meta(path, file);
  check_meta(path, meta, expected);
  for (const auto& [name, tensor] : into.entries()) check_tensor(path, name, file, tensor);
  if (extra == Extra::refused && file.tensors.size() != into.entries().size())
    for (const auto& [name, tensor] : file.tensors)
      if (!into.find(name))
        fail(ErrorKind::data, "{}: checkpoint of another model: tensor {} is unknown here", path.string(),
             quoted(name));
  for (const auto& [name, tensor] : into.entries()) tensor.copy_from(file.at(name));
  return meta;
}

}  // namespace

void save_checkpoint(const fs::path& path, const StateDict& state, const json& meta) {
  SafeTensors file;
  for (const auto& [name, tensor] : state.entries()) {
    const Tensor host = tensor.device().is_cpu() ? tensor : tensor.to(kCpu);
    if (const auto what = non_finite(host))
      fail(ErrorKind::numeric, "{} in tensor {}: not written to {}", *what, quoted(name), path.string());
    file.tensors.emplace(name, host);
  }
  file.metadata[kMeta] = meta.dump();
  save_safetensors(path, file);
}

json load_checkpoint(const fs::path& path, const StateDict& into, const json& meta) {
  return load(path, into, meta, Extra::refused);
}

json load_weights(const fs::path& path, const StateDict& into, const json& meta) {
  return load(path, into, meta, Extra::ignored);
}

}  // namespace vae::train
