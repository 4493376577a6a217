#include "tools/fid/comparison.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "nn/eval/kernel_distance.h"
#include "nn/eval/neighbours.h"
#include "nn/eval/rows.h"
#include "tensor/print.h"
#include "tools/fid/set.h"

namespace vae::fid {
namespace {

constexpr double kNoBound = std::numeric_limits<double>::infinity();

/// Numbers of one kind: their digits and the range that they lie in.
struct Format {
  int decimals;
  double least = -kNoBound, most = kNoBound;
};
constexpr Format kFid{4}, kKid{6}, kShare{4, 0, 1}, kDensity{4, 0};

/// "-0.0000" is zero.
std::string number(double value, int decimals) {
  const std::string text = fmt::format("{:.{}f}", value, decimals);
  return text.find_first_not_of("-0.") == std::string::npos ? fmt::format("{:.{}f}", 0.0, decimals) : text;
}

/// The ends of the interval, within the range.
std::pair<double, double> interval(const eval::Estimate& e, const Format& f) {
  return {std::clamp(e.low(), f.least, f.most), std::clamp(e.high(), f.least, f.most)};
}

nlohmann::ordered_json print(const std::string& name, const eval::Estimate& e, const Format& format,
                             const std::string& remarks) {
  std::string text = number(e.value, format.decimals);
  nlohmann::ordered_json json{{"value", e.value}};
  if (std::isfinite(e.error)) {
    const auto [low, high] = interval(e, format);
    text += fmt::format(" [{}, {}]", number(low, format.decimals), number(high, format.decimals));
    json.update({{"error", e.error}, {"low", low}, {"high", high}});
  }
  say("{} {} {}\n", name, text, remarks);
  std::fflush(stdout);
  return json;
}

/// At most so many rows.
Tensor some_of(const Tensor& features, int64_t most, uint64_t seed) {
  return features.size(0) <= most ? features : eval::rows_f64(features, pick(features.size(0), most, seed));
}

}  // namespace

nlohmann::ordered_json compare(const eval::Sample& a, const eval::Sample& b, const std::string& features,
                               const ComparisonOptions& options, const Progress& progress) {
  nlohmann::ordered_json result;
  const auto add = [&](const char* name, const eval::Estimate& e, const Format& format, int64_t n, int64_t m,
                       const std::string& remarks) {
    auto& json = result[name];
    std::string shown = name;
    if (shown == "fid" || shown == "kid")
      std::ranges::transform(shown, shown.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
    json = print(fmt::format("{}({})", shown, features), e, format,
                 fmt::format("{} against {} images{}", n, m, remarks));
    json["images"] = {n, m};
  };
  const auto halves = [&](const eval::Estimate& e) {
    return std::isfinite(e.error) ? fmt::format(", {} half samples", options.resamples) : "";
  };
  const eval::Estimate fid =
      eval::frechet_estimate(a, b, options.resamples, options.seed, progress("half samples of FID"));
  add("fid", fid, kFid, a.statistics.count, b.statistics.count, halves(fid));
  if (!a.features.defined() || !b.features.defined()) {
    say("KID, precision, recall, density and coverage need the images of both sets\n");
    return result;
  }
  const eval::KernelDistance kid =
      eval::kernel_distance(a.features, b.features, {options.kid_subsets, options.kid_size, options.seed},
                            progress("subsets of KID"));
  add("kid", kid.distance, kKid, a.statistics.count, b.statistics.count,
      fmt::format(", {} subsets of {}, spread {}", kid.subsets, kid.size, number(kid.spread, kKid.decimals)));
  result["kid"].update({{"spread", kid.spread}, {"subsets", kid.subsets}, {"size", kid.size}});

  const eval::NeighbourSettings settings{.resamples = options.resamples, .seed = options.seed};
  const Tensor real = some_of(a.features, options.neighbour_images, options.seed),
               generated = some_of(b.features, options.neighbour_images, options.seed);
  const int64_t n = real.size(0), m = generated.size(0);
  if (std::min(n, m) <= settings.density) {
    say("precision, recall, density and coverage need more than {} images\n", settings.density);
    return result;
  }
  const eval::Neighbours near = eval::neighbours(real, generated, settings, progress("neighbours"));
  for (const auto& [name, estimate, format, k] :
       {std::tuple("precision", near.precision, kShare, settings.precision),
        std::tuple("recall", near.recall, kShare, settings.precision),
        std::tuple("density", near.density, kDensity, settings.density),
        std::tuple("coverage", near.coverage, kShare, settings.density)}) {
    add(name, estimate, format, n, m, fmt::format(", k = {}{}", k, halves(estimate)));
    result[name]["k"] = k;
  }
  return result;
}

}  // namespace vae::fid
