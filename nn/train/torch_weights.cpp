#include "nn/train/torch_weights.h"

#include <cmath>
#include <set>

#include "tensor/compare.h"

namespace vae::train {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kParam = "param/", kSegment = "module.", kInnerSegment = ".module.",
                           kCounter = "num_batches_tracked";

std::string without_modules(std::string name) {
  while (name.starts_with(kSegment)) name.erase(0, kSegment.size());
  for (size_t at; (at = name.find(kInnerSegment)) != std::string::npos;) name.erase(at, kSegment.size());
  return name;
}

std::string part_of(const std::string& name) { return name.substr(0, name.find('.')); }

/// [a, b, kh, kw] of PyTorch, convolution or transposed one, is our [a, kh, kw, b].
Shape torch_shape(const Shape& ours) {
  return ours.rank() == 4 ? Shape{ours[0], ours[3], ours[1], ours[2]} : ours;
}

/// The values of [outer, rows, columns] as [outer, columns, rows].
std::vector<double> exchanged(const std::vector<double>& values, int64_t outer, int64_t rows,
                              int64_t columns) {
  std::vector<double> turned(values.size());
  for (int64_t a = 0; a < outer; ++a)
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < columns; ++c)
        turned[(a * columns + c) * rows + r] = values[(a * rows + r) * columns + c];
  return turned;
}

std::vector<double> in_our_layout(const std::vector<double>& values, const Shape& ours) {
  return ours.rank() == 4 ? exchanged(values, ours[0], ours[3], ours[1] * ours[2]) : values;
}

std::vector<double> in_torch_layout(const std::vector<double>& values, const Shape& ours) {
  return ours.rank() == 4 ? exchanged(values, ours[0], ours[1] * ours[2], ours[3]) : values;
}

Tensor as(DType dtype, const std::vector<double>& values, const Shape& shape) {
  return dispatch_floating(dtype, [&](auto zero) {
    return Tensor::from(std::vector<decltype(zero)>(values.begin(), values.end()), shape);
  });
}

/// The tensor of the file for one of ours, checked.
Tensor imported(const SafeTensors& state, const std::string& name, const Tensor& ours) {
  const std::string file = state.file.string();
  const Tensor& given = state.at(name);
  if (!is_floating(given.dtype()) || given.shape() != torch_shape(ours.shape()))
    fail(ErrorKind::data, "{}: tensor {} is {} {}, expected {}", file, quoted(name), name_of(given.dtype()),
         given.shape().str(), torch_shape(ours.shape()).str());
  const std::vector<double> values = to_doubles(given);
  for (const double value : values)
    if (!std::isfinite(value) || (value < 0 && name.ends_with("running_var")))
      fail(ErrorKind::data, "{}: tensor {} holds {}", file, quoted(name), value);
  return as(ours.dtype(), in_our_layout(values, ours.shape()), ours.shape());
}

}  // namespace

SafeTensors load_torch_state(const fs::path& file) {
  SafeTensors given = load_safetensors(file), state;
  state.metadata = std::move(given.metadata), state.file = file;
  const auto first = given.tensors.lower_bound(std::string(kParam));
  const bool behind_param = first != given.tensors.end() && first->first.starts_with(kParam);
  for (auto& [full_name, tensor] : given.tensors) {
    if (behind_param && !full_name.starts_with(kParam)) continue;
    const std::string name = without_modules(full_name.substr(behind_param ? kParam.size() : 0));
    if (name.ends_with(kCounter)) continue;
    if (!state.tensors.emplace(name, tensor).second)
      fail(ErrorKind::data, "{}: two tensors are {} without the segments of DataParallel", file.string(),
           quoted(name));
  }
  return state;
}

void import_weights(nn::Module& module, const SafeTensors& state) {
  std::vector<std::pair<Tensor, Tensor>> copies;
  std::set<std::string> names, parts;
  const auto add = [&](const std::string& name, const Tensor& ours) {
    if (!is_floating(ours.dtype())) return;  // calls of dropout, which PyTorch does not count
    names.insert(name), parts.insert(part_of(name));
    copies.emplace_back(ours, imported(state, name, ours));
  };
  for (const nn::Module::Parameter& p : module.parameters()) add(p.name, p.var.value());
  for (const nn::Module::Buffer& b : module.buffers()) add(b.name, b.tensor);
  for (const auto& [name, tensor] : state.tensors)
    if (!names.contains(name) && parts.contains(part_of(name)))
      fail(ErrorKind::data, "{}: tensor {} is none of this model's", state.file.string(), quoted(name));
  for (const auto& [ours, given] : copies) ours.copy_from(given);
}

SafeTensors export_weights(const nn::StateDict& state) {
  SafeTensors exported{.tensors = {}, .metadata = {{"format", "pt"}}};
  for (const auto& [name, ours] : state.entries())
    if (is_floating(ours.dtype()))
      exported.tensors[name] =
          as(ours.dtype(), in_torch_layout(to_doubles(ours), ours.shape()), torch_shape(ours.shape()));
  return exported;
}

}  // namespace vae::train
