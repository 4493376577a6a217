#pragma once
// Who is labelled, unlabelled or held out: drawn once per run from the seed, stored in the run directory,
// never redrawn.
#include <array>
#include <cstdint>
#include <filesystem>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "tensor/philox.h"
#include "tensor/tensor.h"

namespace vae::data {

/// Indices into a data set. Each of its items is in one part; only a rule that shares the labelled items has
/// them in both, and in no third.
struct Split {
  std::vector<int64_t> labeled, unlabeled, validation;
  bool operator==(const Split&) const = default;
};

/// How items are chosen.
///   disjoint     one permutation of all items, see make_split(); nothing is unlabelled that is labelled
///   shot         SHOT-VAE's: of each class a permutation; the first are held out, the next labelled, and
///                everything behind those held out, the labelled items included, is unlabelled
///   smooth-elbo  that of its smooth-ELBO programs: the first of each class in one permutation of all items
///                are labelled; every item, in order, is unlabelled, and none is held out
enum class SplitRule { disjoint, shot, smooth_elbo };
inline constexpr std::array<std::pair<const char*, SplitRule>, 3> kSplitRules{
    {{"disjoint", SplitRule::disjoint}, {"shot", SplitRule::shot}, {"smooth-elbo", SplitRule::smooth_elbo}}};
inline bool shares_labeled(SplitRule rule) { return rule != SplitRule::disjoint; }

/// What a split was asked for.
struct SplitRequest {
  int64_t num_labeled = 100;
  int64_t num_validation = 10000;
  int num_classes = 10;
  uint64_t seed = 0;
  SplitRule rule = SplitRule::disjoint;
  std::vector<std::string> class_names{};  ///< for messages; not stored
};

/// A uniform random permutation of [0, n) (Fisher-Yates with unbiased draws).
std::vector<int64_t> shuffled_indices(int64_t n, RandomKey key);

/// The permutation of [0, n) that SHOT-VAE's split draws next from a stream: r[i] changes places with
/// r[i + next mod (n - i)] for i = 0, 1, ..., n - 2.
std::vector<int64_t> reference_permutation(int64_t n, std::mt19937& stream);

/// The rule, for labels i64 [N] and a permutation of [0, N). Items are walked in the permutation's order:
/// labelled while the item's class has fewer than floor(num_labeled / num_classes) items, or none; else
/// unlabelled up to N - num_validation - num_labeled items; else validation. A class too rare leaves the
/// labelled set short and the validation set longer. Items of kNoLabel are unlabelled, and not among the N.
/// Throws Error(usage) if N < num_validation + num_labeled.
Split make_split(const Tensor& labels, std::span<const int64_t> permutation, int64_t num_labeled,
                 int64_t num_validation, int num_classes);

/// The split of a request, with as many labelled items of each class, and by the rule `shot` as many held
/// out. Throws Error(usage) unless num_labeled is a positive multiple of num_classes, num_validation is not
/// negative, of a size that the rule knows, and both together fit into the set, and Error(data) naming a
/// class that has too few items. The rule `shot` takes seeds of 32 bits, the reference's among them, which
/// is 1.
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
/// malformed, belongs to other labels, or does not hold the items as its rule does. One that names no rule is
/// disjoint.
StoredSplit load_split(const std::filesystem::path& path, const Tensor& labels);

}  // namespace vae::data
