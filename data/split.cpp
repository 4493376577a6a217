#include "data/split.h"

#include <nlohmann/json.hpp>
#include <numeric>

#include "data/dataset.h"
#include "data/digest.h"
#include "tensor/file.h"

namespace vae::data {
namespace {

using Json = nlohmann::json;
constexpr const char* kFormat = "vaekit-split-1";

/// A uniform integer in [0, bound), free of modulo bias: draw number `index` of the key.
uint64_t uniform_below(uint64_t bound, RandomKey key, uint64_t index) {
  const uint64_t biased = (0 - bound) % bound;  // 2^64 mod bound: that many values would be too many
  for (uint64_t attempt = 0;; ++attempt) {
    const PhiloxBlock block = random_block(key, attempt, index);
    const uint64_t value = uint64_t{block.v[0]} << 32 | block.v[1];
    if (value >= biased) return value % bound;
  }
}

std::string labels_hash(const Tensor& labels) {
  return sha256_hex({static_cast<const std::byte*>(labels.raw()), labels.bytes()});
}

void check_partition(const Split& split, int64_t n, const std::string& name) {
  std::vector<bool> seen(n);
  for (const auto* part : {&split.labeled, &split.unlabeled, &split.validation})
    for (const int64_t i : *part) {
      if (i < 0 || i >= n)
        fail(ErrorKind::data, "{}: index {} is out of range, there are {} items", name, i, n);
      if (seen[i]) fail(ErrorKind::data, "{}: item {} is listed twice", name, i);
      seen[i] = true;
    }
  const size_t total = split.labeled.size() + split.unlabeled.size() + split.validation.size();
  if (total != static_cast<size_t>(n)) fail(ErrorKind::data, "{}: lists {} of {} items", name, total, n);
}

}  // namespace

std::vector<int64_t> shuffled_indices(int64_t n, RandomKey key) {
  std::vector<int64_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  for (int64_t i = n - 1; i > 0; --i) std::swap(order[i], order[uniform_below(i + 1, key, i)]);
  return order;
}

Split make_split(const Tensor& labels, std::span<const int64_t> permutation, int64_t num_labeled,
                 int64_t num_validation, int num_classes) {
  const int64_t n = labels.numel();
  VAE_CHECK(static_cast<int64_t>(permutation.size()) == n, "a permutation of {} for {} labels",
            permutation.size(), n);
  VAE_CHECK(num_labeled >= 0 && num_validation >= 0 && num_classes > 0,
            "split of {} labelled, {} validation, {} classes", num_labeled, num_validation, num_classes);
  if (num_labeled > n || num_validation > n - num_labeled)
    fail(ErrorKind::usage, "{} labelled and {} validation items do not fit into a set of {}", num_labeled,
         num_validation, n);
  const int64_t per_class = std::max<int64_t>(num_labeled / num_classes, 1);
  const auto num_unlabeled = static_cast<size_t>(n - num_validation - num_labeled);
  std::vector<int64_t> taken(num_classes);
  Split split;
  for (const int64_t i : permutation) {
    const int64_t label = labels.data<int64_t>()[i];
    VAE_CHECK(label >= 0 && label < num_classes, "label {} of item {} with {} classes", label, i,
              num_classes);
    if (taken[label] < per_class) {
      split.labeled.push_back(i);
      ++taken[label];
    } else {
      (split.unlabeled.size() < num_unlabeled ? split.unlabeled : split.validation).push_back(i);
    }
  }
  return split;
}

Split draw_split(const Tensor& labels, const SplitRequest& request) {
  const auto [num_labeled, num_validation, num_classes, seed] = request;
  if (num_labeled < num_classes || num_labeled % num_classes != 0)
    fail(ErrorKind::usage, "{} labels cannot be balanced over {} classes: ask for a positive multiple of {}",
         num_labeled, num_classes, num_classes);
  if (num_validation < 0) fail(ErrorKind::usage, "a validation set of {} items", num_validation);
  const auto order = shuffled_indices(labels.numel(), RandomKey::named(seed, "split"));
  Split split = make_split(labels, order, num_labeled, num_validation, num_classes);
  const auto counts = class_counts(labels, num_classes);
  for (int k = 0; k < num_classes; ++k)
    if (counts[k] < num_labeled / num_classes)
      fail(ErrorKind::data,
           "class {} has {} images, fewer than the {} that {} labels evenly over {} classes need (--labels, "
           "--classes, "
           "--label-offset)",
           k, counts[k], num_labeled / num_classes, num_labeled, num_classes);
  return split;
}

std::string split_hash(const Split& split) {
  const std::string text = Json{split.labeled, split.unlabeled, split.validation}.dump();
  return sha256_hex(std::as_bytes(std::span(text)));
}

void save_split(const std::filesystem::path& path, const Split& split, const SplitRequest& request,
                const Tensor& labels) {
  const Json json = {{"format", kFormat},
                     {"seed", request.seed},
                     {"num_labeled", request.num_labeled},
                     {"num_validation", request.num_validation},
                     {"num_classes", request.num_classes},
                     {"labels_sha256", labels_hash(labels)},
                     {"labeled", split.labeled},
                     {"unlabeled", split.unlabeled},
                     {"validation", split.validation}};
  write_file_atomically(path, json.dump() + "\n");
}

StoredSplit load_split(const std::filesystem::path& path, const Tensor& labels) {
  const std::string name = path.string();
  const auto content = read_file(path);
  StoredSplit stored;
  try {
    const auto* text = reinterpret_cast<const char*>(content.data());
    const Json json = Json::parse(text, text + content.size());
    if (json.at("format") != kFormat) fail(ErrorKind::data, "{}: not a stored split of this version", name);
    if (json.at("labels_sha256") != labels_hash(labels))
      fail(ErrorKind::data, "{}: the split was drawn for another data set", name);
    stored.request = {json.at("num_labeled"), json.at("num_validation"), json.at("num_classes"),
                      json.at("seed")};
    stored.split = {json.at("labeled"), json.at("unlabeled"), json.at("validation")};
  } catch (const Json::exception& e) {
    fail(ErrorKind::data, "{}: not a stored split ({})", name, e.what());
  }
  const auto& [split, request] = stored;
  if (static_cast<int64_t>(split.labeled.size()) != request.num_labeled ||
      static_cast<int64_t>(split.validation.size()) != request.num_validation)
    fail(ErrorKind::data, "{}: lists {} labelled and {} validation items, but claims {} and {}", name,
         split.labeled.size(), split.validation.size(), request.num_labeled, request.num_validation);
  check_partition(split, labels.numel(), name);
  return stored;
}

}  // namespace vae::data
