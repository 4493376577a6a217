#pragma once
// Who is labelled, unlabelled or held out: drawn once per run from the seed, stored in the run directory,
// never redrawn.
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "tensor/philox.h"
#include "tensor/tensor.h"

namespace vae::data {

/// Indices into a data set; together each of its items once.
struct Split {
  std::vector<int64_t> labeled, unlabeled, validation;
  bool operator==(const Split&) const = default;
};

/// What a split was asked for.
struct SplitRequest {
  int64_t num_labeled = 100;
  int64_t num_validation = 10000;
  int num_classes = 10;
  uint64_t seed = 0;
};

/// A uniform random permutation of [0, n) (Fisher-Yates with unbiased draws).
std::vector<int64_t> shuffled_indices(int64_t n, RandomKey key);

/// The rule, for labels i64 [N] and a permutation of [0, N). Items are walked in the permutation's order:
/// labelled while the item's class has fewer than floor(num_labeled / num_classes) items, or none; else
/// unlabelled up to N - num_validation - num_labeled items; else validation. A class too rare leaves the
/// labelled set short and the validation set longer. Throws Error(usage) if N < num_validation + num_labeled.
Split make_split(const Tensor& labels, std::span<const int64_t> permutation, int64_t num_labeled,
                 int64_t num_validation, int num_classes);

/// The split of a request. Throws Error(usage) unless num_labeled is a positive multiple of num_classes,
/// num_validation is not negative and both together fit into the set, and Error(data) naming a class that has
/// too few items.
Split draw_split(const Tensor& labels, const SplitRequest& request);

/// SHA-256 of the three lists, in hex: equal for equal splits.
std::string split_hash(const Split& split);

/// Stores a split with its request and the hash of the labels, as JSON, atomically.
void save_split(const std::filesystem::path& path, const Split& split, const SplitRequest& request,
                const Tensor& labels);

struct StoredSplit {
  Split split;
  SplitRequest request;
};

/// Loads a stored split for these labels. Throws Error(io) if it cannot be read and Error(data) if it is
/// malformed, belongs to other labels, or does not hold each item exactly once.
StoredSplit load_split(const std::filesystem::path& path, const Tensor& labels);

}  // namespace vae::data
