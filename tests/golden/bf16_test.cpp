// Products in bf16 on golden files: outputs and gradients within what rounding to bf16 explains, and
// gradients in the direction of those of f32. The other tensors of a file stand behind an optimiser, whose
// first steps are the signs of gradients.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "allowed.h"
#include "folder.h"
#include "kernels/precision.h"
#include "tests/report.h"

namespace vae::golden {
namespace {

constexpr size_t kFiles = 2;  // of a family, the smallest
const double kRoundoff = unit_roundoff(DType::bf16);

Outcome run_in_bf16(const Family& family, const File& file) {
  const kernels::PrecisionScope scope(kernels::Precision::bf16);
  return family.run(file, DType::f32);
}

bool has_gradients(const File& file) {
  const auto first = file.content.tensors.lower_bound("grad/");
  return first != file.content.tensors.end() && first->first.starts_with("grad/");
}

std::vector<File> smallest_files(const std::filesystem::path& folder, const Family& family) {
  std::vector<std::pair<uintmax_t, std::filesystem::path>> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.path().extension() == ".safetensors") paths.emplace_back(entry.file_size(), entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<File> files;
  for (const auto& [size, path] : paths) {
    File file = load_file(path, folder);
    const bool fits = file.system == family.system && has_gradients(file) && !of_large_net(file);
    if (fits && files.size() < kFiles) files.push_back(std::move(file));
  }
  return files;
}

/// How far gradients of a net may turn: 1 - cosine. Where rounding the numbers of the file alone turns them
/// farther, as it does behind ReLUs, some of whose inputs change their signs (of SHOT-VAE's deep nets by some
/// percent), products may turn them as far.
constexpr double kTurned = 1e-3;

/// Sums over the gradients of a net, in f32 (a) and in bf16 (b).
struct Direction {
  double aa = 0, bb = 0, ab = 0;
  void add(const Direction& d) { aa += d.aa, bb += d.bb, ab += d.ab; }
  double cosine() const { return ab / std::sqrt(aa * bb); }
};

/// "grad/encoder.1.linear.bias", "grad/encoder/layer_0/b": encoder.
std::string net_of(const std::string& gradient) {
  const size_t begin = gradient.find('/') + 1;
  return gradient.substr(begin, gradient.find_first_of("./", begin) - begin);
}

/// Of every net whose gradient is more than roundings of that of all.
std::map<std::string, Direction> directions(const Outcome& one, const Outcome& other) {
  std::map<std::string, Direction> nets;
  Direction all;
  for (const auto& [name, tensor] : one.values) {
    if (!name.starts_with("grad/")) continue;
    const std::vector<double> a = to_doubles(tensor), b = to_doubles(other.values.at(name));
    Direction d;
    for (size_t i = 0; i < a.size(); ++i) d.add({a[i] * a[i], b[i] * b[i], a[i] * b[i]});
    nets[net_of(name)].add(d), all.add(d);
  }
  std::erase_if(nets, [&](const auto& net) { return net.second.aa <= kRoundoff * kRoundoff * all.aa; });
  return nets;
}

/// How far the gradient of each net turns, in double precision, when the numbers of the file are rounded to
/// bf16, some one way and some the other; of several tries.
std::map<std::string, double> turns_of_rounding(const Family& family, const File& file) {
  constexpr int kPlaces = 1 << 16;  // last places of single in one of bf16
  const Outcome exact = family.run(file, DType::f64);
  std::map<std::string, double> turns;
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const RoundedNumbers scope(kPlaces, seed);
    for (const auto& [net, direction] : directions(exact, family.run(file, DType::f64)))
      turns[net] = std::max(turns[net], 1 - direction.cosine());
  }
  return turns;
}

/// Whether a tensor holds decisions or what was read, in which nothing may round.
bool is_exact(const std::vector<double>& allowed) {
  return std::ranges::all_of(allowed, [](double error) { return error == 0; });
}

/// The largest error of outputs and gradients as a part of what is allowed, and where; none where a decision
/// fell otherwise, behind which all is another case.
struct Worst {
  double part = 0;
  std::string where{};
};
std::optional<Worst> compare_rounded(const Family& family, const File& file, const Outcome& outcome) {
  std::map<std::string, double> moves = conditioning(family, file);
  for (auto& [name, move] : moves) move *= kRoundoff / unit_roundoff(DType::f32);
  const AllowedErrors plain(file, outcome);
  AllowedErrors conditioned(file, outcome);
  conditioned.set_conditioning(std::move(moves));
  Worst worst;
  for (const auto& [name, value] : outcome.values) {
    const bool gradient = name.starts_with("grad");
    if (!(gradient || name.starts_with("output/")) || !file.content.contains(name) || !plain.of(name))
      continue;
    const std::vector<double> want = to_doubles(file.content.at(name)), have = to_doubles(value);
    if (is_exact(*plain.of(name))) {
      if (want != have) return {};
      continue;
    }
    const std::vector<double> allowed = *conditioned.of(name);
    const double noise = gradient ? kRoundoff * largest_gradient(file) : 0;
    for (size_t i = 0; i < want.size(); ++i) {
      const double part = std::abs(have[i] - want[i]) / (allowed[i] + noise);
      if (!(part <= worst.part)) worst = {part, name};
    }
  }
  return worst;
}

class GoldenBf16 : public testing::TestWithParam<size_t> {};

TEST_P(GoldenBf16, SmallestFiles) {
  const auto folder = golden_folder();
  if (!folder) GTEST_SKIP() << "no golden files: set VAE_GOLDEN_DIR to their folder";
  const Family family = families()[GetParam()];
  const std::vector<File> files = smallest_files(*folder, family);
  if (files.empty()) GTEST_SKIP() << "no file with gradients of " << family.system;
  std::string report;
  size_t compared = 0;
  for (const File& file : files) {
    const Outcome bf16 = run_in_bf16(family, file);
    const auto worst = compare_rounded(family, file, bf16);
    if (!worst) {
      report += file.name + ": a decision fell otherwise\n";
      continue;
    }
    report +=
        fmt::format("{}: {:.2g} of what is allowed ({}); cosines", file.name, worst->part, worst->where);
    ++compared;
    EXPECT_LE(worst->part, 1) << file.name << ", " << worst->where;
    std::map<std::string, double> turns = turns_of_rounding(family, file);
    for (const auto& [net, direction] : directions(family.run(file, DType::f32), bf16)) {
      const double turned = 1 - direction.cosine();
      report += fmt::format(" {} {:.5f} ({:.5f} by rounded numbers)", net, 1 - turned, 1 - turns[net]);
      EXPECT_LE(turned, std::max(kTurned, turns[net])) << file.name << ", " << net;
    }
    report += "\n";
  }
  test::report("golden-bf16-" + family.system, report);
  if (compared == 0) GTEST_SKIP() << "in every file a decision fell otherwise";
}

INSTANTIATE_TEST_SUITE_P(Families, GoldenBf16, testing::Range(size_t{0}, families().size()),
                         [](const auto& info) { return test_name_of(info.param); });

}  // namespace
}  // namespace vae::golden
