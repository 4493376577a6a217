#include "tools/fid/set.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "data/idx.h"
#include "tensor/permutation.h"
#include "tensor/print.h"
#include "tensor/safetensors.h"

namespace vae::fid {
namespace {

namespace fs = std::filesystem;

constexpr const char *kKind = "kind", *kStatistics = "statistics of features", *kFeatures = "features",
                     *kWeights = "weights";

/// Images of a set at some places.
Tensor gather(const Tensor& images, const std::vector<int64_t>& items) {
  const auto n = static_cast<int64_t>(items.size());
  const Tensor some = Tensor::empty({n, images.size(1), images.size(2), images.size(3)}, DType::u8);
  for (int64_t i = 0; i < n; ++i) some.slice(i, i + 1).copy_from(images.slice(items[i], items[i] + 1));
  return some;
}

/// Both parts of a named data set.
Tensor both_parts(data::DatasetOptions options) {
  std::vector<Tensor> parts;
  for (const data::Part part : {data::Part::train, data::Part::test}) {
    options.part = part;
    const data::Dataset set = data::load_dataset(options);
    for (const std::string& what : set.ignored) note("{}: ignored: {}\n", set.name, what);
    options.format.size = {static_cast<int>(set.images.size(1)), static_cast<int>(set.images.size(2))};
    options.format.channels = static_cast<int>(set.images.size(3));
    parts.push_back(set.images);
  }
  const int64_t first = parts[0].size(0), n = first + parts[1].size(0);
  const Tensor all = Tensor::empty({n, parts[0].size(1), parts[0].size(2), parts[0].size(3)}, DType::u8);
  all.slice(0, first).copy_from(parts[0]);
  all.slice(first, n).copy_from(parts[1]);
  return all;
}

Tensor load_images(const std::string& name, data::DatasetOptions options) {
  if (std::ranges::count(data::kDatasetNames, name)) {
    options.name = name;
    return both_parts(options);
  }
  std::error_code error;
  if (!fs::exists(name, error))
    fail(ErrorKind::io, "{}: no such folder or file, nor a data set ({})", name,
         fmt::join(data::kDatasetNames, ", "));
  if (!fs::is_directory(name, error)) return data::read_idx_images(name);
  const data::ImageFolder folder = data::read_pictures(name, options.format);
  for (const auto& [reason, count] : folder.ignored) note("{}: ignored: {} {}\n", name, count, reason);
  return folder.images;
}

bool is_finite(const Tensor& x) {
  return std::all_of(x.data<double>(), x.data<double>() + x.numel(),
                     [](double v) { return std::isfinite(v); });
}

bool is_symmetric(const Tensor& square) {
  const int64_t d = square.size(0);
  const double* c = square.data<double>();
  for (int64_t i = 0; i < d; ++i)
    for (int64_t j = 0; j < i; ++j)
      if (std::abs(c[i * d + j] - c[j * d + i]) > 1e-9 * std::sqrt(std::abs(c[i * (d + 1)] * c[j * (d + 1)])))
        return false;
  return true;
}

}  // namespace

std::vector<int64_t> pick(int64_t n, int64_t most, uint64_t seed) {
  std::vector<int64_t> items(static_cast<size_t>(std::min(n, most)));
  std::iota(items.begin(), items.end(), 0);
  if (n <= most) return items;
  const IndexPermutation order(n);
  for (int64_t& item : items) item = order(RandomKey::named(seed, "images"), 0, item);
  return items;
}

Set load_set(const std::string& name, const data::DatasetOptions& options, std::optional<int64_t> most,
             uint64_t seed) {
  if (fs::path(name).extension() == ".safetensors") return {.name = name, .stored = load_stored(name)};
  Set set{.name = name, .images = load_images(name, options)};
  if (set.count() < 2) fail(ErrorKind::data, "{}: {} image, a distance needs two or more", name, set.count());
  if (most && *most < set.count()) set.images = gather(set.images, pick(set.count(), *most, seed));
  return set;
}

void save_stored(const fs::path& file, const Stored& stored) {
  const eval::Statistics& s = stored.statistics;
  save_safetensors(
      file, {.tensors = {{"count", Tensor::scalar(s.count)}, {"mean", s.mean}, {"covariance", s.covariance}},
             .metadata = {{kKind, kStatistics}, {kFeatures, stored.features}, {kWeights, stored.weights}}});
}

Stored load_stored(const fs::path& file) {
  const SafeTensors content = load_safetensors(file);
  const auto text = [&](const char* key) {
    const auto found = content.metadata.find(key);
    return found == content.metadata.end() ? std::string() : found->second;
  };
  if (text(kKind) != kStatistics || !content.contains("count") || !content.contains("mean") ||
      !content.contains("covariance"))
    fail(ErrorKind::data, "{}: no statistics of features", file.string());
  const Tensor count = content.at("count"), mean = content.at("mean"), covariance = content.at("covariance");
  const int64_t d = mean.numel();
  if (count.dtype() != DType::i64 || count.numel() != 1 || count.item() < 2 || mean.dtype() != DType::f64 ||
      mean.rank() != 1 || covariance.dtype() != DType::f64 || !(covariance.shape() == Shape{d, d}) ||
      !is_finite(mean) || !is_finite(covariance) || !is_symmetric(covariance))
    fail(ErrorKind::data, "{}: count, mean and covariance are no statistics", file.string());
  return {{count.data<int64_t>()[0], mean, covariance}, text(kFeatures), text(kWeights)};
}

}  // namespace vae::fid
