#include <fmt/format.h>

#include <cmath>

#include "hash_unit.h"
#include "kernels/kernels.h"
#include "models/inception/net.h"
#include "sym_vae_run.h"

namespace vae::golden {
namespace {

bool inception_fits(const nlohmann::json& config) { return config.contains("resized_rows"); }

/// A tensor of the net by the formula of the files.
Tensor by_formula(const std::string& name, const Shape& shape, uint64_t seed, uint64_t k) {
  const auto fan_in = static_cast<double>(shape.numel() / std::max<int64_t>(1, shape[0]));
  const auto [centre, scale] = name.starts_with("fc.") ? std::pair(0., 0.01)
                               : name.ends_with("conv.weight")
                                   ? std::pair(0., double(float(std::sqrt(6 / fan_in))))
                               : name.ends_with("running_var") ? std::pair(1., 0.3)
                               : name.ends_with("bn.weight")   ? std::pair(1., 0.1)
                                                               : std::pair(0., 0.1);
  const Tensor tensor = Tensor::empty(shape);
  for (int64_t i = 0; i < tensor.numel(); ++i)
    tensor.data<float>()[i] =
        static_cast<float>(centre + scale * hash_unit(seed, k, static_cast<uint64_t>(i)));
  return tensor;
}

/// All of the net; the file must list its tensors and their shapes.
std::map<std::string, Tensor> state_of(const nlohmann::json& config) {
  const auto shapes = inception::state_shapes();
  std::map<std::string, Tensor> state;
  uint64_t k = 0;
  for (const std::string name : config.at("param_order")) {
    const auto extents = config.at("param_shape").at(name).get<std::vector<int64_t>>();
    const auto found = shapes.find(name);
    if (found == shapes.end() || !(found->second == Shape(std::span<const int64_t>(extents))))
      fail(ErrorKind::data, "configuration: tensor {} is none of the net's", name);
    state[name] = by_formula(name, found->second, config.at("formula_seed").get<uint64_t>(), k++);
  }
  if (state.size() != shapes.size() || config.at("bn_eps") != 0.001)
    fail(ErrorKind::data, "configuration: another net");
  return state;
}

/// What the files tell of the images [n, h, w, channels] of a stage.
void put_stage(Values& values, const std::string& stage, const Tensor& images) {
  const std::vector<double> all = to_doubles(images);
  const int64_t n = images.size(0), channels = images.size(3), size = images.numel() / n;
  std::vector<double> mean, rms, probe;
  for (int64_t i = 0; i < n; ++i) {
    const double* image = all.data() + i * size;
    double sum = 0, squares = 0;
    for (int64_t e = 0; e < size; ++e) sum += image[e], squares += image[e] * image[e];
    mean.push_back(sum / static_cast<double>(size));
    rms.push_back(std::sqrt(squares / static_cast<double>(size)));
    for (const int64_t channel : {int64_t{0}, channels / 2, channels - 1}) probe.push_back(image[channel]);
  }
  const std::string prefix = "output/stage." + stage + ".";
  values[prefix + "mean_per_image"] = Tensor::from(mean, {n});
  values[prefix + "rms_per_image"] = Tensor::from(rms, {n});
  values[prefix + "probe"] = Tensor::from(probe, {n, 3});
}

Values run_inception(Numbers& numbers) {
  const nlohmann::json& config = numbers.file().config;
  Values values;
  const auto state = state_of(config);
  for (const auto& [name, tensor] : state)
    values["check/" + name] = tensor.reshape({tensor.numel()}).slice(0, std::min<int64_t>(4, tensor.numel()));

  const Tensor pixels = numbers.integers("input/bytes");  // [n, h, w], grey, or with channels
  std::vector<uint8_t> bytes;
  for (const double value : to_doubles(pixels)) bytes.push_back(static_cast<uint8_t>(value));
  const Shape shape{pixels.size(0), pixels.size(1), pixels.size(2), pixels.rank() == 4 ? pixels.size(3) : 1};
  const Tensor x = inception::inputs(Tensor::from(bytes, shape, golden_device()), numbers.dtype());
  const std::vector<double> seen = to_doubles(x);
  std::vector<double> rows;
  for (const int64_t row : config.at("resized_rows"))
    for (int64_t column = 0; column < inception::kSide; ++column)
      rows.push_back(seen[static_cast<size_t>((row * inception::kSide + column) * 3)]);
  values["output/resized_rows"] =
      Tensor::from(rows, {static_cast<int64_t>(rows.size()) / inception::kSide, inception::kSide});

  const inception::Net net(state, {.dtype = numbers.dtype(), .device = golden_device()});
  std::map<std::string, std::vector<int64_t>> sizes;
  const Tensor pool3 = net(x, 2048, [&](const std::string& stage, const Tensor& images) {
    put_stage(values, stage, images);
    sizes[stage] = {images.size(3), images.size(1), images.size(2)};
  });
  put_stage(values, "avgpool", pool3.reshape({pool3.size(0), 1, 1, pool3.size(1)}));
  sizes["avgpool"] = {pool3.size(1), 1, 1};
  for (const nlohmann::json& stage : config.at("stages"))
    if (sizes[stage.at(0)] != stage.at(1).get<std::vector<int64_t>>())
      fail(ErrorKind::data, "configuration: stage {} is [{}] here", stage.at(0).get<std::string>(),
           fmt::join(sizes[stage.at(0)], ", "));
  values["output/pool3"] = pool3;
  for (const int64_t dims : {64, 192, 768}) values[fmt::format("output/dims{}", dims)] = net(x, dims);
  return values;
}

std::optional<Tolerance> inception_tolerance(const File&, const std::string& name, DType precision) {
  if (name.starts_with("check/")) return Tolerance{};
  if (precision == DType::f64) return Tolerance{.absolute = 1e-11};
  return Tolerance{.absolute = name == "output/resized_rows" ? 1e-6 : 1e-4};
}

}  // namespace

FileKind sym_vae_inception() {
  return {.name = "FID-Inception-v3",
          .fits = inception_fits,
          .precisions = {DType::f64, DType::f32},
          .run = run_inception,
          .tolerance = inception_tolerance};
}

}  // namespace vae::golden
