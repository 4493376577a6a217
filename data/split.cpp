#include "data/split.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "data/dataset.h"
#include "data/digest.h"
#include "tensor/file.h"

namespace vae::data {
namespace {

using Json = nlohmann::json;
constexpr const char* kFormat = "vaekit-split-1";
constexpr uint64_t kMostOfItem = 64;  // bytes of a file: two numbers, wherever they stand

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

int64_t count_unlabeled(const Tensor& labels) {
  return std::count(labels.data<int64_t>(), labels.data<int64_t>() + labels.numel(), kNoLabel);
}

/// Each item once, but for labelled ones that are shared.
void check_items(const Split& split, SplitRule rule, const Tensor& labels, const std::string& name) {
  const int64_t n = labels.numel();
  const auto mark = [&](const std::vector<int64_t>& part, std::vector<bool>& seen) {
    for (const int64_t i : part) {
      if (i < 0 || i >= n)
        fail(ErrorKind::data, "{}: index {} is out of range, there are {} items", name, i, n);
      if (seen[i]) fail(ErrorKind::data, "{}: item {} is listed twice", name, i);
      seen[i] = true;
    }
  };
  std::vector<bool> seen(n), labeled(n);
  mark(split.unlabeled, seen);
  mark(split.labeled, shares_labeled(rule) ? labeled : seen);
  for (int64_t i = 0; i < n; ++i)
    if (labeled[i] && !seen[i])
      fail(ErrorKind::data, "{}: item {} is labelled, but not among the unlabelled", name, i);
  mark(split.validation, seen);
  for (const std::vector<int64_t>* part : {&split.labeled, &split.validation})
    for (const int64_t i : *part)
      if (labels.data<int64_t>()[i] == kNoLabel) fail(ErrorKind::data, "{}: item {} has no label", name, i);
  const auto total = std::ranges::count(seen, true);
  if (total != n) fail(ErrorKind::data, "{}: lists {} of {} items", name, total, n);
}

/// `n`: of items that have a label.
void check_fit(int64_t num_labeled, int64_t num_validation, int64_t n) {
  if (num_labeled > n || num_validation > n - num_labeled)
    fail(ErrorKind::usage,
         "{} labelled and {} validation items do not fit into a set of {} (--labels, --validation)",
         num_labeled, num_validation, n);
}

/// A whole number that T holds; the conversions of the library would take 1.5 and true, too.
template <class T>
T checked(const Json& number, const std::string& key, const std::string& file) {
  const bool fits = number.is_number_unsigned()
                        ? std::in_range<T>(number.get<uint64_t>())
                        : number.is_number_integer() && std::in_range<T>(number.get<int64_t>());
  if (!fits)
    fail(ErrorKind::data, "{}: not a stored split ({} is or holds something else than whole numbers)", file,
         key);
  return number.get<T>();
}

template <class T>
T whole(const Json& json, const std::string& key, const std::string& file) {
  return checked<T>(json.at(key), key, file);
}

std::vector<int64_t> items(const Json& json, const std::string& key, const std::string& file) {
  std::vector<int64_t> numbers;
  for (const Json& number : json.at(key)) numbers.push_back(checked<int64_t>(number, key, file));
  return numbers;
}

const char* name_of(SplitRule rule) {
  for (const auto& [name, known] : kSplitRules)
    if (known == rule) return name;
  VAE_CHECK(false, "split rule {}", static_cast<int>(rule));
}

SplitRule rule_of(const std::string& wanted, const std::string& file) {
  for (const auto& [name, rule] : kSplitRules)
    if (name == wanted) return rule;
  fail(ErrorKind::data, "{}: unknown rule '{}' of the split", file, wanted);
}

/// Throws the Error(data) for a class that has fewer items than a balanced request takes of each.
void check_counts(const Tensor& labels, const SplitRequest& request) {
  const int64_t held_out = request.rule == SplitRule::shot ? request.num_validation : 0,
                wanted = (request.num_labeled + held_out) / request.num_classes;
  const std::string too = held_out > 0 ? fmt::format(" and {} held out", held_out) : "";
  const auto counts = class_counts(labels, request.num_classes);
  for (int k = 0; k < request.num_classes; ++k)
    if (counts[k] < wanted)
      fail(
          ErrorKind::data,
          "class {} has {} images, fewer than the {} that {} labels{} evenly over {} classes need (--labels, "
          "--classes, --label-offset)",
          class_text(request.class_names, k), counts[k], wanted, request.num_labeled, too,
          request.num_classes);
}

Split draw_by_class(const Tensor& labels, const SplitRequest& request) {
  const int64_t classes = request.num_classes, validation = request.num_validation / classes,
                labeled = request.num_labeled / classes;
  std::vector<std::vector<int64_t>> items(classes);
  std::vector<int64_t> without_label;
  for (int64_t i = 0; i < labels.numel(); ++i) {
    const int64_t label = labels.data<int64_t>()[i];
    (label == kNoLabel ? without_label : items.at(label)).push_back(i);
  }
  std::mt19937 stream(static_cast<uint32_t>(request.seed));
  Split split;
  for (const std::vector<int64_t>& of_class : items) {
    const auto order = reference_permutation(static_cast<int64_t>(of_class.size()), stream);
    for (int64_t place = 0; place < static_cast<int64_t>(order.size()); ++place) {
      const int64_t item = of_class[order[place]];
      if (place >= validation && place < validation + labeled) split.labeled.push_back(item);
      (place < validation ? split.validation : split.unlabeled).push_back(item);
    }
  }
  split.unlabeled.insert(split.unlabeled.end(), without_label.begin(), without_label.end());
  return split;
}

Split draw_of_all(const Tensor& labels, const SplitRequest& request) {
  const int64_t n = labels.numel();
  Split split = make_split(labels, shuffled_indices(n, RandomKey::named(request.seed, "split")),
                           request.num_labeled, 0, request.num_classes);
  std::sort(split.labeled.begin(), split.labeled.end());
  split.unlabeled.resize(n);
  std::iota(split.unlabeled.begin(), split.unlabeled.end(), 0);
  return split;
}

}  // namespace

std::vector<int64_t> shuffled_indices(int64_t n, RandomKey key) {
  std::vector<int64_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  for (int64_t i = n - 1; i > 0; --i) std::swap(order[i], order[uniform_below(i + 1, key, i)]);
  return order;
}

std::vector<int64_t> reference_permutation(int64_t n, std::mt19937& stream) {
  std::vector<int64_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  for (int64_t i = 0; i < n - 1; ++i)
    std::swap(order[i], order[i + static_cast<int64_t>(stream() % static_cast<uint64_t>(n - i))]);
  return order;
}

Split make_split(const Tensor& labels, std::span<const int64_t> permutation, int64_t num_labeled,
                 int64_t num_validation, int num_classes) {
  const int64_t n = labels.numel();
  VAE_CHECK(static_cast<int64_t>(permutation.size()) == n, "a permutation of {} for {} labels",
            permutation.size(), n);
  VAE_CHECK(num_labeled >= 0 && num_validation >= 0 && num_classes > 0,
            "split of {} labelled, {} validation, {} classes", num_labeled, num_validation, num_classes);
  const int64_t with_label = n - count_unlabeled(labels);
  check_fit(num_labeled, num_validation, with_label);
  const int64_t per_class = std::max<int64_t>(num_labeled / num_classes, 1);
  int64_t room = with_label - num_validation - num_labeled;  // among the unlabelled, for those that have one
  std::vector<int64_t> taken(num_classes);
  Split split;
  for (const int64_t i : permutation) {
    const int64_t label = labels.data<int64_t>()[i];
    if (label == kNoLabel) {
      split.unlabeled.push_back(i);
      continue;
    }
    VAE_CHECK(label >= 0 && label < num_classes, "label {} of item {} with {} classes", label, i,
              num_classes);
    if (taken[label] < per_class) {
      split.labeled.push_back(i);
      ++taken[label];
    } else {
      (room-- > 0 ? split.unlabeled : split.validation).push_back(i);
    }
  }
  return split;
}

Split draw_split(const Tensor& labels, const SplitRequest& request) {
  const auto [num_labeled, num_validation, num_classes, seed, rule, names] = request;
  const int64_t n = labels.numel();
  if (num_labeled < num_classes || num_labeled % num_classes != 0)
    fail(ErrorKind::usage, "{} labels cannot be balanced over {} classes: ask for a positive multiple of {}",
         num_labeled, num_classes, num_classes);
  if (num_validation < 0) fail(ErrorKind::usage, "a validation set of {} items", num_validation);
  check_fit(num_labeled, num_validation, n - count_unlabeled(labels));
  if (rule == SplitRule::shot && num_validation % num_classes != 0)
    fail(ErrorKind::usage, "{} validation items cannot be balanced over {} classes", num_validation,
         num_classes);
  if (rule == SplitRule::shot && seed > UINT32_MAX)
    fail(ErrorKind::usage, "seed {}: the split rule 'shot' takes seeds of 32 bits", seed);
  if (rule == SplitRule::smooth_elbo && num_validation != 0)
    fail(ErrorKind::usage, "the split rule 'smooth-elbo' holds nothing out: {} validation items",
         num_validation);
  check_counts(labels, request);
  if (rule == SplitRule::shot) return draw_by_class(labels, request);
  if (rule == SplitRule::smooth_elbo) return draw_of_all(labels, request);
  return make_split(labels, shuffled_indices(n, RandomKey::named(seed, "split")), num_labeled, num_validation,
                    num_classes);
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
                     {"rule", name_of(request.rule)},
                     {"labels_sha256", labels_hash(labels)},
                     {"labeled", split.labeled},
                     {"unlabeled", split.unlabeled},
                     {"validation", split.validation}};
  write_file_atomically(path, json.dump() + "\n");
}

StoredSplit load_split(const std::filesystem::path& path, const Tensor& labels) {
  const std::string name = path.string();
  const auto content = read_file(path, kMostText + kMostOfItem * static_cast<uint64_t>(labels.numel()));
  StoredSplit stored;
  try {
    const auto* text = reinterpret_cast<const char*>(content.data());
    const Json json = Json::parse(text, text + content.size());
    if (json.at("format") != kFormat) fail(ErrorKind::data, "{}: not a stored split of this version", name);
    if (json.at("labels_sha256") != labels_hash(labels))
      fail(ErrorKind::data, "{}: the split was drawn for another data set", name);
    stored.request = {whole<int64_t>(json, "num_labeled", name), whole<int64_t>(json, "num_validation", name),
                      whole<int>(json, "num_classes", name), whole<uint64_t>(json, "seed", name),
                      rule_of(json.value("rule", "disjoint"), name)};
    stored.split = {items(json, "labeled", name), items(json, "unlabeled", name),
                    items(json, "validation", name)};
  } catch (const Json::exception& e) {
    fail(ErrorKind::data, "{}: not a stored split ({})", name, e.what());
  }
  const auto& [split, request] = stored;
  if (static_cast<int64_t>(split.labeled.size()) != request.num_labeled ||
      static_cast<int64_t>(split.validation.size()) != request.num_validation)
    fail(ErrorKind::data, "{}: lists {} labelled and {} validation items, but claims {} and {}", name,
         split.labeled.size(), split.validation.size(), request.num_labeled, request.num_validation);
  check_items(split, request.rule, labels, name);
  return stored;
}

}  // namespace vae::data
