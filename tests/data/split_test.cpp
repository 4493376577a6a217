#include "data/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "data/dataset.h"
#include "tensor/file.h"
#include "tests/expect_error.h"
#include "tests/temporary_directory.h"

namespace vae::data {
namespace {

using test::expect_error;

Tensor labels_of(const std::vector<int64_t>& values) {
  return Tensor::from(values, {static_cast<int64_t>(values.size())});
}

/// Unbalanced labels: class k about in proportion k + 1.
std::vector<int64_t> uneven_labels(int64_t n, int64_t classes) {
  std::vector<int64_t> cycle, labels;
  for (int64_t k = 0; k < classes; ++k) cycle.insert(cycle.end(), k + 1, k);
  for (int64_t i = 0; i < n; ++i) labels.push_back(cycle[i * 7 % static_cast<int64_t>(cycle.size())]);
  return labels;
}

/// The rule once more, as its description reads.
Split naive_split(const std::vector<int64_t>& labels, const std::vector<int64_t>& order, int64_t num_labeled,
                  int64_t num_validation, int64_t classes) {
  const int64_t per_class = num_labeled / classes;
  const int64_t num_unlabeled = static_cast<int64_t>(labels.size()) - num_validation - num_labeled;
  std::map<int64_t, std::vector<int64_t>> by_class;
  Split split;
  for (const int64_t i : order) {
    auto& members = by_class[labels[i]];
    if (members.empty() || static_cast<int64_t>(members.size()) < per_class) {
      members.push_back(i);
      split.labeled.push_back(i);
    } else if (static_cast<int64_t>(split.unlabeled.size()) < num_unlabeled) {
      split.unlabeled.push_back(i);
    } else {
      split.validation.push_back(i);
    }
  }
  return split;
}

void expect_partition(const Split& split, int64_t n) {
  std::vector<int64_t> all;
  for (const auto* part : {&split.labeled, &split.unlabeled, &split.validation})
    all.insert(all.end(), part->begin(), part->end());
  std::sort(all.begin(), all.end());
  ASSERT_EQ(static_cast<int64_t>(all.size()), n);
  for (int64_t i = 0; i < n; ++i) ASSERT_EQ(all[i], i);
}

TEST(Shuffle, IsAPermutationThatDependsOnTheSeed) {
  for (const int64_t n : {0, 1, 2, 1000}) {
    auto order = shuffled_indices(n, RandomKey::named(3, "split"));
    std::sort(order.begin(), order.end());
    for (int64_t i = 0; i < n; ++i) ASSERT_EQ(order[i], i);
  }
  EXPECT_EQ(shuffled_indices(100, RandomKey::named(3, "split")),
            shuffled_indices(100, RandomKey::named(3, "split")));
  EXPECT_NE(shuffled_indices(100, RandomKey::named(3, "split")),
            shuffled_indices(100, RandomKey::named(4, "split")));
}

TEST(Shuffle, EachOrderOfFourIsEquallyLikely) {
  std::map<std::vector<int64_t>, int> seen;
  const int draws = 24 * 1000;
  for (int seed = 0; seed < draws; ++seed) ++seen[shuffled_indices(4, RandomKey::named(seed, "x"))];
  ASSERT_EQ(seen.size(), 24u);
  double chi2 = 0;
  for (const auto& [order, count] : seen) chi2 += (count - 1000.0) * (count - 1000.0) / 1000.0;
  EXPECT_LT(chi2, 23 + 4 * std::sqrt(2 * 23));  // four deviations
}

/// The numbers of the reference with seed 1: classes of 5000 and, in a stream of their own, of 500.
TEST(Shuffle, OfTheReference) {
  const auto part = [](const std::vector<int64_t>& order, int64_t first) {
    return std::vector<int64_t>(order.begin() + first, order.begin() + first + 4);
  };
  std::mt19937 stream(1);
  const auto large = reference_permutation(5000, stream);
  EXPECT_EQ(part(large, 0), (std::vector<int64_t>{845, 2886, 3128, 2994}));
  EXPECT_EQ(part(large, 500), (std::vector<int64_t>{3676, 4772, 3919, 629}));
  EXPECT_NE(reference_permutation(5000, stream), large);  // the stream has moved on
  stream.seed(1);
  const auto small = reference_permutation(500, stream);
  EXPECT_EQ(part(small, 0), (std::vector<int64_t>{345, 58, 404, 251}));
  EXPECT_EQ(part(small, 50), (std::vector<int64_t>{314, 277, 124, 125}));
  EXPECT_EQ(reference_permutation(1, stream), std::vector<int64_t>{0});
  EXPECT_TRUE(reference_permutation(0, stream).empty());
}

TEST(Split, FollowsTheRule) {
  for (const int64_t num_labeled : {0, 5, 10, 50, 57, 100, 300})
    for (const int64_t num_validation : {0, 100, 300}) {
      const auto labels = uneven_labels(600, 10);
      const auto order = shuffled_indices(600, RandomKey::named(num_labeled, "order"));
      const Split split = make_split(labels_of(labels), order, num_labeled, num_validation, 10);
      EXPECT_EQ(split, naive_split(labels, order, num_labeled, num_validation, 10))
          << num_labeled << " " << num_validation;
      expect_partition(split, 600);
    }
}

TEST(Split, TheUsualOneIsBalanced) {
  const auto labels = labels_of(uneven_labels(60000, 10));
  const Split split =
      draw_split(labels, {.num_labeled = 100, .num_validation = 10000, .num_classes = 10, .seed = 1});
  EXPECT_EQ(split.labeled.size(), 100u);
  EXPECT_EQ(split.unlabeled.size(), 49900u);
  EXPECT_EQ(split.validation.size(), 10000u);
  expect_partition(split, 60000);
  std::vector<int64_t> counts(10);
  for (const int64_t i : split.labeled) ++counts[labels.data<int64_t>()[i]];
  EXPECT_EQ(counts, std::vector<int64_t>(10, 10));
  EXPECT_NE(split,
            draw_split(labels, {.num_labeled = 100, .num_validation = 10000, .num_classes = 10, .seed = 2}));
}

TEST(Split, AllLabelledLeavesNothingUnlabelled) {
  std::vector<int64_t> labels(60000);
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int64_t>(i % 10);
  const Split split = draw_split(labels_of(labels), {.num_labeled = 50000, .num_validation = 10000});
  EXPECT_EQ(split.labeled.size(), 50000u);
  EXPECT_TRUE(split.unlabeled.empty());
  EXPECT_EQ(split.validation.size(), 10000u);
}

TEST(Split, ARareClassShortensTheLabelledSet) {
  std::vector<int64_t> labels(100, 0);
  labels[17] = 1;
  std::vector<int64_t> order(100);
  std::iota(order.begin(), order.end(), 0);
  const Split split = make_split(labels_of(labels), order, 20, 30, 2);
  EXPECT_EQ(split.labeled.size(), 11u);
  EXPECT_EQ(split.unlabeled.size(), 50u);
  EXPECT_EQ(split.validation.size(), 39u);
  expect_error(ErrorKind::data, "class 1 has 1 images, fewer than the 10", [&] {
    draw_split(labels_of(labels), {.num_labeled = 20, .num_validation = 30, .num_classes = 2});
  });
}

std::vector<int64_t> cycled(int64_t n, int64_t classes) {
  std::vector<int64_t> labels(n);
  for (int64_t i = 0; i < n; ++i) labels[i] = i % classes;
  return labels;
}

TEST(Split, ByClassAsTheReferenceDoes) {
  const auto labels = labels_of(cycled(50000, 10));
  const Split split = draw_split(
      labels,
      {.num_labeled = 4000, .num_validation = 5000, .num_classes = 10, .seed = 1, .rule = SplitRule::shot});
  ASSERT_EQ(split.labeled.size(), 4000u);
  ASSERT_EQ(split.validation.size(), 5000u);
  ASSERT_EQ(split.unlabeled.size(), 45000u);
  EXPECT_EQ(split.labeled[1], 10 * 4772);  // positions within class 0, see OfTheReference
  EXPECT_EQ(split.validation[2], 10 * 3128);
  std::mt19937 stream(1);
  for (int64_t k = 0; k < 10; ++k) {
    const auto order = reference_permutation(5000, stream);
    for (int64_t place = 0; place < 5000; ++place) {
      const int64_t item = 10 * order[place] + k;
      ASSERT_EQ(item,
                place < 500 ? split.validation[500 * k + place] : split.unlabeled[4500 * k + place - 500]);
      if (place >= 500 && place < 900) {
        ASSERT_EQ(item, split.labeled[400 * k + place - 500]);
      }
    }
  }
}

TEST(Split, ByClassOfUnevenClasses) {
  const auto labels = uneven_labels(600, 10);
  const Split split = draw_split(
      labels_of(labels),
      {.num_labeled = 50, .num_validation = 40, .num_classes = 10, .seed = 7, .rule = SplitRule::shot});
  Split without = split;
  std::erase_if(without.unlabeled, [&](int64_t i) { return std::ranges::count(split.labeled, i) > 0; });
  EXPECT_EQ(split.unlabeled.size() - without.unlabeled.size(), 50u);
  expect_partition(without, 600);
  for (const auto& [part, each] : {std::pair(split.labeled, 5), std::pair(split.validation, 4)}) {
    std::vector<int64_t> counts(10);
    for (const int64_t i : part) ++counts[labels[i]];
    EXPECT_EQ(counts, std::vector<int64_t>(10, each));
  }
}

TEST(Split, LabelledInOrderAndEverythingUnlabelled) {
  const auto labels = uneven_labels(600, 10);
  const auto draw = [&](uint64_t seed) {
    return draw_split(labels_of(labels), {.num_labeled = 50,
                                          .num_validation = 0,
                                          .num_classes = 10,
                                          .seed = seed,
                                          .rule = SplitRule::smooth_elbo});
  };
  const Split split = draw(1);
  EXPECT_TRUE(split.validation.empty());
  EXPECT_TRUE(std::ranges::is_sorted(split.labeled));
  std::vector<int64_t> counts(10), all(600);
  for (const int64_t i : split.labeled) ++counts[labels[i]];
  EXPECT_EQ(counts, std::vector<int64_t>(10, 5));
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(split.unlabeled, all);
  EXPECT_NE(draw(2).labeled, split.labeled);
}

TEST(Split, RulesRefuseWhatTheyCannotMeet) {
  const auto labels = labels_of(cycled(600, 10));
  const auto draw = [&](SplitRequest request, SplitRule rule) {
    request.num_classes = 10, request.rule = rule;
    return [labels, request] { draw_split(labels, request); };
  };
  const auto shot = SplitRule::shot, smooth = SplitRule::smooth_elbo;
  expect_error(ErrorKind::usage, "105 validation items cannot be balanced over 10 classes",
               draw({.num_labeled = 100, .num_validation = 105}, shot));
  expect_error(ErrorKind::usage, "105 labels cannot be balanced",
               draw({.num_labeled = 105, .num_validation = 100}, shot));
  expect_error(ErrorKind::usage, "do not fit", draw({.num_labeled = 510, .num_validation = 100}, shot));
  expect_error(ErrorKind::usage, "seed 4294967296: the split rule 'shot' takes seeds of 32 bits",
               draw({.num_labeled = 100, .num_validation = 0, .seed = uint64_t{1} << 32}, shot));
  EXPECT_NO_THROW(draw({.num_labeled = 100, .num_validation = 500, .seed = UINT32_MAX}, shot)());
  expect_error(ErrorKind::usage, "holds nothing out: 10 validation items",
               draw({.num_labeled = 100, .num_validation = 10}, smooth));
  EXPECT_NO_THROW(draw({.num_labeled = 600, .num_validation = 0}, smooth)());
  expect_error(ErrorKind::data,
               "class 0 has 11 images, fewer than the 15 that 100 labels and 50 held out evenly over 10",
               [&] {
                 draw_split(labels_of(uneven_labels(600, 10)),
                            {.num_labeled = 100, .num_validation = 50, .num_classes = 10, .rule = shot});
               });
}

TEST(Split, RefusesRequestsThatCannotBeMet) {
  const auto labels = labels_of(uneven_labels(600, 10));
  const auto draw = [&](int64_t num_labeled, int64_t num_validation) {
    return [&labels, num_labeled, num_validation] {
      draw_split(labels, {.num_labeled = num_labeled, .num_validation = num_validation});
    };
  };
  expect_error(ErrorKind::usage, "7 labels cannot be balanced over 10 classes", draw(7, 100));
  expect_error(ErrorKind::usage, "105 labels", draw(105, 100));
  expect_error(ErrorKind::usage, "0 labels", draw(0, 100));
  expect_error(ErrorKind::usage, "-10 labels", draw(-10, 100));
  expect_error(ErrorKind::usage, "validation set of -1", draw(100, -1));
  expect_error(ErrorKind::usage, "do not fit into a set of 600", draw(100, 501));
  expect_error(ErrorKind::usage, "do not fit", draw(100, INT64_MAX));
  expect_error(ErrorKind::usage, "do not fit", draw(700, 0));
}

TEST(Split, NamesTheClassThatIsTooRare) {
  const auto labels = labels_of({1, 2, 1, 2, 1, 2, 1});
  const auto draw = [&](int64_t num_labeled, int classes) {
    return [&labels, num_labeled, classes] {
      draw_split(labels, {.num_labeled = num_labeled, .num_validation = 0, .num_classes = classes});
    };
  };
  expect_error(
      ErrorKind::data,
      "class 0 has 0 images, fewer than the 1 that 3 labels evenly over 3 classes need (--labels, --classes, "
      "--label-offset)",
      draw(3, 3));
  expect_error(ErrorKind::data, "class 3 has 0 images", [&] {
    draw_split(labels_of({0, 1, 2, 1}), {.num_labeled = 4, .num_validation = 0, .num_classes = 4});
  });
  expect_error(ErrorKind::data, "class 1 (cat) has 1 images, fewer than the 2 that", [&] {
    draw_split(labels_of({0, 1, 0, 0, 0}),
               {.num_labeled = 4, .num_validation = 0, .num_classes = 2, .class_names = {"dog", "cat"}});
  });
}

class StoredSplits : public ::testing::Test {
 protected:
  StoredSplits() { save_split(path_, draw_split(labels_, request_), request_, labels_); }
  /// Loading must fail after `change` was made to the stored JSON.
  void expect_refused(const std::string& words, const std::function<void(nlohmann::json&)>& change) {
    auto json = nlohmann::json::parse(std::ifstream(path_));
    change(json);
    write_file_atomically(directory_ / "changed.json", json.dump());
    expect_error(ErrorKind::data, words, [&] { load_split(directory_ / "changed.json", labels_); });
  }
  test::TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_ / "split.json";
  Tensor labels_ = labels_of(uneven_labels(600, 10));
  SplitRequest request_{.num_labeled = 50, .num_validation = 100, .num_classes = 10, .seed = UINT64_MAX};
};

TEST_F(StoredSplits, ComeBackAsTheyWere) {
  const auto [split, request] = load_split(path_, labels_);
  EXPECT_EQ(split, draw_split(labels_, request_));
  EXPECT_EQ(request.num_labeled, 50);
  EXPECT_EQ(request.num_validation, 100);
  EXPECT_EQ(request.num_classes, 10);
  EXPECT_EQ(request.seed, UINT64_MAX);
}

TEST_F(StoredSplits, KeepTheirRule) {
  for (const auto& [name, rule] : kSplitRules) {
    const SplitRequest request{.num_labeled = 50, .num_validation = 0, .num_classes = 10, .rule = rule};
    const Split split = draw_split(labels_, request);
    save_split(path_, split, request, labels_);
    EXPECT_EQ(load_split(path_, labels_).split, split) << name;
    EXPECT_EQ(load_split(path_, labels_).request.rule, rule) << name;
    expect_refused("listed twice", [](auto& json) { json["labeled"][0] = json["labeled"][1]; });
    expect_refused("listed twice", [](auto& json) { json["unlabeled"][0] = json["unlabeled"][1]; });
    if (rule == SplitRule::disjoint) continue;
    expect_refused("is listed twice", [](auto& json) { json.erase("rule"); });
    expect_refused("unknown rule 'other' of the split", [](auto& json) { json["rule"] = "other"; });
    expect_refused("not a stored split", [](auto& json) { json["rule"] = 3; });
    expect_refused("599 of 600", [&](auto& json) {
      const auto of_none = std::ranges::find_if(
          split.unlabeled, [&](int64_t i) { return !std::ranges::count(split.labeled, i); });
      json["unlabeled"].erase(static_cast<size_t>(of_none - split.unlabeled.begin()));
    });
    expect_refused("is labelled, but not among the unlabelled", [&](auto& json) {
      const auto first = std::ranges::find(split.unlabeled, split.labeled[0]);
      json["unlabeled"].erase(static_cast<size_t>(first - split.unlabeled.begin()));
    });
  }
}

TEST_F(StoredSplits, OfBeforeThereWereRules) {
  auto json = nlohmann::json::parse(std::ifstream(path_));
  json.erase("rule");
  write_file_atomically(path_, json.dump());
  EXPECT_EQ(load_split(path_, labels_).split, draw_split(labels_, request_));
  EXPECT_EQ(load_split(path_, labels_).request.rule, SplitRule::disjoint);
}

TEST_F(StoredSplits, BelongToTheirLabels) {
  auto other = labels_.to_vector<int64_t>();
  other[3] = (other[3] + 1) % 10;
  expect_error(ErrorKind::data, "another data set", [&] { load_split(path_, labels_of(other)); });
}

TEST_F(StoredSplits, DamageIsNoticed) {
  expect_refused("another data set", [](auto& json) { json["labels_sha256"] = "0"; });
  expect_refused("not a stored split", [](auto& json) { json["format"] = "other"; });
  expect_refused("not a stored split", [](auto& json) { json.erase("labeled"); });
  expect_refused("validation is or holds something else", [](auto& json) { json["validation"] = "all"; });
  expect_refused("not a stored split", [](auto& json) { json = nlohmann::json::array(); });
  expect_refused("listed twice", [](auto& json) { json["labeled"][0] = json["labeled"][1]; });
  expect_refused("out of range", [](auto& json) { json["unlabeled"][0] = 600; });
  expect_refused("out of range", [](auto& json) { json["unlabeled"][0] = -1; });
  expect_refused("599 of 600", [](auto& json) { json["unlabeled"].erase(0); });
  expect_refused("claims", [](auto& json) { json["num_labeled"] = 60; });
  for (const nlohmann::json& wrong : {nlohmann::json(1.5), nlohmann::json(true), nlohmann::json("1"),
                                      nlohmann::json(UINT64_MAX), nlohmann::json({1})}) {
    expect_refused("labeled is or holds something else", [&](auto& json) { json["labeled"][0] = wrong; });
    expect_refused("num_labeled is or holds something else",
                   [&](auto& json) { json["num_labeled"] = wrong; });
    expect_refused("num_classes is or holds something else",
                   [&](auto& json) { json["num_classes"] = wrong; });
  }
  expect_refused("num_classes is or holds", [](auto& json) { json["num_classes"] = int64_t{1} << 32; });
  expect_refused("seed is or holds", [](auto& json) { json["seed"] = -1; });
}

TEST_F(StoredSplits, WrongFiles) {
  write_file_atomically(directory_ / "broken", read_file(path_).size() ? "{\"format\": \"vaekit" : "");
  expect_error(ErrorKind::data, "broken", [&] { load_split(directory_ / "broken", labels_); });
  write_file_atomically(directory_ / "empty", std::string_view());
  expect_error(ErrorKind::data, "empty", [&] { load_split(directory_ / "empty", labels_); });
  expect_error(ErrorKind::io, "absent", [&] { load_split(directory_ / "absent", labels_); });
}

TEST(Split, ItemsWithoutALabelAreUnlabelled) {
  std::vector<int64_t> labels(60, kNoLabel);
  for (size_t i = 0; i < 20; ++i) labels[3 * i] = static_cast<int64_t>(i % 2);
  const test::TemporaryDirectory directory;
  for (const SplitRule rule : {SplitRule::disjoint, SplitRule::shot, SplitRule::smooth_elbo}) {
    const int64_t held_out = rule == SplitRule::smooth_elbo ? 0 : 6;
    const SplitRequest request{
        .num_labeled = 8, .num_validation = held_out, .num_classes = 2, .seed = 3, .rule = rule};
    const Split split = draw_split(labels_of(labels), request);
    EXPECT_EQ(split.labeled.size(), 8u);
    EXPECT_EQ(static_cast<int64_t>(split.validation.size()), held_out);
    for (const auto* part : {&split.labeled, &split.validation})
      for (const int64_t i : *part) EXPECT_NE(labels[static_cast<size_t>(i)], kNoLabel);
    save_split(directory / "split.json", split, request, labels_of(labels));
    EXPECT_EQ(load_split(directory / "split.json", labels_of(labels)).split, split);
    Split wrong = split;
    const auto without = std::ranges::find_if(wrong.unlabeled, [&](int64_t i) { return i % 3 != 0; });
    std::swap(*without, wrong.labeled[0]);
    if (rule == SplitRule::disjoint) {
      save_split(directory / "split.json", wrong, request, labels_of(labels));
      expect_error(ErrorKind::data, "has no label",
                   [&] { load_split(directory / "split.json", labels_of(labels)); });
    }
    SplitRequest large = request;
    large.num_labeled = 22;
    expect_error(ErrorKind::usage, "do not fit into a set of 20",
                 [&] { draw_split(labels_of(labels), large); });
  }
}

}  // namespace
}  // namespace vae::data
