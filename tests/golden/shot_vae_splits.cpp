#include <random>

#include "data/split.h"
#include "shot_vae_run.h"

namespace vae::golden {
namespace {

bool splits_fits(const nlohmann::json& config) { return config.contains("seed"); }

/// Images of each class in the training sets.
std::vector<int64_t> class_sizes(const std::string& set) {
  if (set == "cifar10") return std::vector<int64_t>(10, 5000);
  if (set == "cifar100") return std::vector<int64_t>(100, 500);
  if (set == "svhn") return {4948, 13861, 10585, 8497, 7458, 6882, 5727, 5595, 5045, 4659};
  fail(ErrorKind::data, "splits of '{}'", set);
}

/// Positions of rows of permutations.
Tensor positions(const std::vector<std::vector<int64_t>>& rows, int64_t from, int64_t count) {
  std::vector<int64_t> all;
  for (const auto& row : rows) all.insert(all.end(), row.begin() + from, row.begin() + from + count);
  return Tensor::from(all, {static_cast<int64_t>(rows.size()), count});
}

Values run_splits(Numbers& numbers) {
  const File& file = numbers.file();
  Values values;
  for (const auto& [set, counts] : file.config.items()) {
    if (!counts.is_object()) continue;
    std::mt19937 stream(file.config.at("seed").get<uint32_t>());
    std::vector<std::vector<int64_t>> classes, listed;
    for (const int64_t size : class_sizes(set)) classes.push_back(data::reference_permutation(size, stream));
    const std::string out = "output/" + set;
    for (const int64_t k : numbers.integers(out + "_classes").to_vector<int64_t>())
      listed.push_back(classes.at(static_cast<size_t>(k)));
    const int64_t held_out = counts.at("valid_per_class");
    values[out + "_labeled_pos"] = positions(listed, held_out, counts.at("labeled_per_class"));
    values[out + "_valid_pos"] =
        positions(listed, 0, file.content.at(out + "_valid_pos").size(1));  // the first of them
  }
  return values;
}

std::optional<Tolerance> splits_tolerance(const File&, const std::string&, DType) { return Tolerance{}; }

}  // namespace

FileKind shot_vae_splits() {
  return {.name = "splits",
          .fits = splits_fits,
          .precisions = {DType::i64},
          .run = run_splits,
          .tolerance = splits_tolerance};
}

}  // namespace vae::golden
