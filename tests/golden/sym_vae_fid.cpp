#include <algorithm>

#include "nn/eval/frechet.h"
#include "sym_vae_run.h"

namespace vae::golden {
namespace {

bool frechet_fits(const nlohmann::json& config) { return config.contains("pairs"); }

Values run_frechet(Numbers& numbers) {
  Values values;
  const nlohmann::json& pairs = numbers.file().config.at("pairs");
  for (size_t j = 0; j < pairs.size(); ++j) {
    const auto dim = pairs[j].at("dim").get<int64_t>();
    const std::string in = fmt::format("input/pair{}.act", j), out = fmt::format("output/pair{}.", j);
    eval::Statistics sets[2];
    for (int s = 0; s < 2; ++s) {
      const std::string number = std::to_string(s + 1);
      sets[s] = eval::statistics(
          numbers.get(in + number, {pairs[j].at("n" + number).get<int64_t>(), dim}).to(kCpu));
      values[out + "mu" + number] = sets[s].mean;
      values[out + "sigma" + number] = sets[s].covariance;
    }
    values[out + "fid"] = values[out + "fid_symmetric_eig"] =
        Tensor::scalar(eval::frechet_distance(sets[0], sets[1]));
  }
  return values;
}

/// The rows of a tensor, sorted.
std::vector<std::vector<double>> rows_of(const Tensor& x) {
  const std::vector<double> values = to_doubles(x);
  std::vector<std::vector<double>> rows;
  for (auto row = values.begin(); row != values.end(); row += x.size(1))
    rows.emplace_back(row, row + x.size(1));
  std::ranges::sort(rows);
  return rows;
}

double trace(const Tensor& a) {
  const std::vector<double> values = to_doubles(a);
  double sum = 0;
  for (int64_t i = 0; i < a.size(0); ++i) sum += values[i * (a.size(0) + 1)];
  return sum;
}

/// Distances of equal sets are the rounding of traces. That of a singular covariance's root is no more than
/// the root of the machine's.
std::optional<Tolerance> frechet_tolerance(const File& file, const std::string& name, DType) {
  if (name.find(".fid") == std::string::npos) return Tolerance{.of_maximum = 1e-12};
  const std::string pair = name.substr(name.find('/') + 1, name.find('.') - name.find('/') - 1);
  const auto tensor = [&](const char* kind, const char* what) { return file.content.at(kind + pair + what); };
  const Tensor one = tensor("input/", ".act1"), other = tensor("input/", ".act2");
  const bool singular = std::min(one.size(0), other.size(0)) <= one.size(1);
  if (rows_of(one) != rows_of(other)) return Tolerance{.of_value = singular ? 1e-6 : 1e-8};
  const double traces = trace(tensor("output/", ".sigma1")) + trace(tensor("output/", ".sigma2"));
  return Tolerance{.absolute = singular ? 1e-7 * traces : 1e-9 * std::max(1.0, traces)};
}

}  // namespace

FileKind sym_vae_frechet() {
  return {.name = "Frechet distances",
          .fits = frechet_fits,
          .precisions = {DType::f64, DType::f32},
          .run = run_frechet,
          .tolerance = frechet_tolerance};
}

}  // namespace vae::golden
