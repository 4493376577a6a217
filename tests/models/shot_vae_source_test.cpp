// Batches of the programs on deep backbones: their items, their augmentation, and that all of it is a
// function of the iteration; the weights of mixtures.
#include <gtest/gtest.h>

#include <set>

#include "models/shot_vae/beta.h"
#include "models/shot_vae/source.h"
#include "tests/expect_error.h"
#include "tests/models/shot_vae_models.h"

namespace vae::shot_vae::shot_vae_source_test {

constexpr int64_t kSide = 6;
using Items = std::vector<int64_t>;

Items items_at(const Batches& batches, int64_t iteration) {
  return batches.items(batches.rows(iteration), step_of(iteration)).to_vector<int64_t>();
}

Items pass_of(const Batches& batches, int64_t pass) {
  Items all;
  for (int64_t i = pass * batches.count(); i < (pass + 1) * batches.count(); ++i)
    for (const int64_t item : items_at(batches, i)) all.push_back(item);
  return all;
}

Items sorted(Items items) {
  std::ranges::sort(items);
  return items;
}

TEST(ShotVaeBatches, APassIsTheWholeSet) {
  const Items all{7, 3, 9, 12, 1, 4, 30, 2};
  const Tensor pool = train::items_of(all, kCpu);
  const Batches shuffled("stream", pool, 3), files("stream", pool, 3, BatchOrder::files);
  EXPECT_EQ(shuffled.count(), 3);
  for (const int64_t pass : {0, 1, 5}) {
    EXPECT_EQ(shuffled.rows(3 * pass), 3);
    EXPECT_EQ(shuffled.rows(3 * pass + 2), 2) << "what is left";
    EXPECT_EQ(sorted(pass_of(shuffled, pass)), sorted(all));
    EXPECT_EQ(pass_of(files, pass), all);
    EXPECT_NE(pass_of(shuffled, pass), pass_of(shuffled, pass + 1));
  }
  EXPECT_NE(pass_of(Batches("other", pool, 3), 0), pass_of(shuffled, 0));
  const Batches whole("stream", pool, 100);
  EXPECT_EQ(whole.batch(), 8);
  EXPECT_EQ(whole.count(), 1);
  EXPECT_EQ(sorted(items_at(whole, 4)), sorted(all));
  test::expect_error(ErrorKind::usage, "batches of 0 of 8 images", [&] { Batches("stream", pool, 0); });
  const Batches none("stream", train::items_of({}, kCpu), 3);
  EXPECT_EQ(none.count(), 0);
  test::expect_error(ErrorKind::usage, "stream: no images", [&] { none.rows(0); });
}

// ---- both batches of an iteration

const SourceSettings kPlain{.batch_labeled = 6, .batch = 8, .pad = 0, .flip = false};

SourceSettings with(const std::function<void(SourceSettings&)>& change) {
  SourceSettings settings = kPlain;
  change(settings);
  return settings;
}

/// Pixels of a batch, in [0, 1], and its labels.
struct Seen {
  std::vector<double> pixels;
  Items labels;
  bool operator==(const Seen&) const = default;
};

Seen seen(const Images& images) { return {to_doubles(images.x.value()), images.labels.to_vector<int64_t>()}; }

/// What a source gives in an iteration that it begins with.
class Given {
 public:
  explicit Given(const SourceSettings& settings, const train::Data& data = few_data(kSide))
      : source_(settings, data, kCpu) {}
  Seen labeled(int64_t iteration) {
    source_.prepare(iteration);
    return seen(source_.labeled(step_of(iteration)));
  }
  Seen unlabeled(int64_t iteration) {
    source_.prepare(iteration);
    return seen(source_.unlabeled(step_of(iteration)));
  }
  Seen distorted(int64_t iteration) {
    source_.prepare(iteration);
    return seen(source_.distorted(2, step_of(iteration)));
  }
  const Source& source() const { return source_; }

 private:
  Source source_;
};

/// The items of images that nothing was done to.
Items items_of(const Seen& batch) {
  const train::ImageSet set = few_data(kSide).train;
  const int64_t size = set.image_size();
  const std::vector<double> all = to_doubles(set.gather(train::all_items(set), DType::f64));
  Items items;
  for (size_t begin = 0; begin < batch.pixels.size(); begin += static_cast<size_t>(size))
    for (int64_t i = 0; i < set.size(); ++i)
      if (std::equal(all.begin() + i * size, all.begin() + (i + 1) * size,
                     batch.pixels.begin() + static_cast<int64_t>(begin)))
        items.push_back(i);
  return items;
}

Items range(int64_t begin, int64_t end) { return train::item_range(begin, end, kCpu).to_vector<int64_t>(); }

TEST(ShotVaeSource, GivesBothKindsOfImagesWithTheirLabels) {
  Given given(kPlain);
  EXPECT_EQ(given.source().epoch_length(), 3) << "a pass over 20 unlabelled images";
  EXPECT_EQ(given.source().images_per_step(), 14);
  Items labeled, unlabeled;
  for (int64_t i = 0; i < 3; ++i) {
    const Seen l = given.labeled(i), u = given.unlabeled(i);
    for (const auto& [batch, all] : {std::pair{&l, &labeled}, {&u, &unlabeled}}) {
      const Items items = items_of(*batch);
      ASSERT_EQ(items.size(), batch->labels.size());
      for (size_t r = 0; r < items.size(); ++r) {
        EXPECT_EQ(batch->labels[r], items[r] % 3);
        all->push_back(items[r]);
      }
    }
    EXPECT_EQ(given.source().sizes(i), (Items{std::ssize(l.labels), std::ssize(u.labels)}));
  }
  EXPECT_EQ(sorted(labeled), range(0, 15));
  EXPECT_EQ(sorted(unlabeled), range(15, 35));
}

// Six iterations of an epoch are two rounds of three labelled batches.
TEST(ShotVaeSource, CachedBatchesComeAgainPixelByPixelWithinAnEpoch) {
  Given given(with([](SourceSettings& s) { s.pad = 2, s.flip = true, s.epoch_length = 6; }));
  std::set<std::vector<double>> distinct;
  for (const int64_t epoch : {0, 1, 2})
    for (int64_t k = 0; k < 3; ++k) {
      const Seen first = given.labeled(6 * epoch + k);
      EXPECT_EQ(given.labeled(6 * epoch + 3 + k), first);
      distinct.insert(first.pixels);
    }
  EXPECT_EQ(distinct.size(), 9u) << "other ones in every epoch";
  EXPECT_EQ(given.source().sizes(5), (Items{3, 4}));
}

// Of five iterations the last two see the first two batches again; the next epoch begins with a new round.
TEST(ShotVaeSource, AnEpochBeginsWithANewRound) {
  Given given(with([](SourceSettings& s) { s.epoch_length = 5; }));
  for (const int64_t epoch : {0, 1}) {
    Items round;
    for (int64_t k = 0; k < 3; ++k)
      for (const int64_t item : items_of(given.labeled(5 * epoch + k))) round.push_back(item);
    EXPECT_EQ(sorted(round), range(0, 15));
    EXPECT_EQ(given.labeled(5 * epoch + 4), given.labeled(5 * epoch + 1));
  }
  EXPECT_EQ(given.source().epoch_length(), 5);
  Given shorter(with([](SourceSettings& s) { s.epoch_length = 2; }));
  EXPECT_NE(shorter.labeled(2), shorter.labeled(0));
  EXPECT_EQ(std::ssize(shorter.labeled(2).labels), 6) << "the first of a round, too";
}

TEST(ShotVaeSource, FreshBatchesNeverComeAgain) {
  Given given(with([](SourceSettings& s) {
    s.pad = 2, s.flip = true, s.epoch_length = 6, s.labeled_stream = LabeledStream::fresh;
  }));
  std::set<std::vector<double>> distinct;
  for (int64_t i = 0; i < 12; ++i) distinct.insert(given.labeled(i).pixels);
  EXPECT_EQ(distinct.size(), 12u);
  Given plain(with([](SourceSettings& s) { s.labeled_stream = LabeledStream::fresh; }));
  for (const int64_t pass : {0, 1, 2}) {
    Items all;
    for (int64_t k = 0; k < 3; ++k)
      for (const int64_t item : items_of(plain.labeled(3 * pass + k))) all.push_back(item);
    EXPECT_EQ(sorted(all), range(0, 15));
  }
}

TEST(ShotVaeSource, EqualBatchesAreCutToTheSmaller) {
  Given given(with([](SourceSettings&s) { s.equal_batches = true; })), whole(kPlain);
  EXPECT_EQ(given.source().images_per_step(), 12);
  for (int64_t i = 0; i < 6; ++i) {
    const int64_t n = i % 3 == 2 ? 3 : 6;
    EXPECT_EQ(given.source().sizes(i), (Items{n, n}));
    const Items labeled = items_of(given.labeled(i)), unlabeled = items_of(given.unlabeled(i));
    ASSERT_EQ(std::ssize(labeled), n);
    ASSERT_EQ(std::ssize(unlabeled), n);
    Items first = items_of(whole.unlabeled(i));
    first.resize(static_cast<size_t>(n));
    EXPECT_EQ(unlabeled, first) << "the rest is left out";
  }
}

TEST(ShotVaeSource, BatchesAreNoLargerThanTheirSet) {
  Given given(with([](SourceSettings& s) { s.batch_labeled = 100, s.batch = 1000; }));
  EXPECT_EQ(given.source().sizes(0), (Items{15, 20}));
  EXPECT_EQ(given.source().sizes(7), (Items{15, 20}));
  EXPECT_EQ(given.source().epoch_length(), 1);
  EXPECT_EQ(given.source().images_per_step(), 35);
  EXPECT_EQ(given.source().evaluation_batch(), 20);
  EXPECT_EQ(given.source().settings().batch, 20);
  EXPECT_EQ(sorted(items_of(given.labeled(3))), range(0, 15));
  EXPECT_NE(given.labeled(3), given.labeled(4)) << "in another order";
}

// A supervised training: an epoch is a pass over the labelled images.
TEST(ShotVaeSource, NeedsNoUnlabelledImages) {
  train::Data data = few_data(kSide);
  data.split.unlabeled = train::items_of({}, kCpu);
  const SourceSettings settings = with([](SourceSettings& s) { s.batch = 0; });
  Given given(settings, data);
  EXPECT_EQ(given.source().sizes(2), Items{3});
  EXPECT_EQ(given.source().epoch_length(), 3);
  EXPECT_EQ(given.source().images_per_step(), 6);
  EXPECT_EQ(std::ssize(given.labeled(1).labels), 6);
  test::expect_error(ErrorKind::usage, "batch: no images", [&] { Source(kPlain, data, kCpu).sizes(0); });
}

// Nothing that another iteration left counts.
TEST(ShotVaeSource, IsAFunctionOfTheIteration) {
  const SourceSettings settings =
      with([](SourceSettings& s) { s.pad = 2, s.flip = true, s.epoch_length = 4; });
  Given whole(settings);
  for (int64_t i = 0; i < 9; ++i) {
    const Seen labeled = whole.labeled(i), unlabeled = whole.unlabeled(i), distorted = whole.distorted(i);
    Given resumed(settings);
    EXPECT_EQ(resumed.labeled(i), labeled);
    EXPECT_EQ(resumed.unlabeled(i), unlabeled);
    EXPECT_EQ(resumed.distorted(i), distorted);
  }
}

TEST(ShotVaeSource, ImagesAreAugmentedWhereThereIsANameForIt) {
  const train::Data data = few_data(kSide);
  const auto images = [&](const SourceSettings& settings, const std::string& augmentation,
                          int64_t iteration) {
    const Source source(settings, data, kCpu);
    return seen(source.images(data.test, train::all_items(data.test), augmentation, step_of(iteration)));
  };
  const SourceSettings moved = with([](SourceSettings& s) { s.pad = 2, s.flip = true; });
  const std::vector<double> clean = to_doubles(data.test.gather(train::all_items(data.test), DType::f64));
  EXPECT_EQ(images(moved, "", 0).pixels, clean);
  EXPECT_EQ(images(kPlain, "valid", 0).pixels, clean);
  const Seen first = images(moved, "valid", 0);
  EXPECT_NE(first.pixels, clean);
  EXPECT_EQ(first.labels, data.test.labels.to_vector<int64_t>());
  EXPECT_NE(images(moved, "valid", 1), first);
  EXPECT_NE(images(moved, "other", 0), first);
  // Half of the images are flipped, if they are.
  const SourceSettings flipped = with([](SourceSettings& s) { s.flip = true; });
  const std::vector<double> after = images(flipped, "valid", 0).pixels;
  int64_t mirrored = 0;
  for (int64_t i = 0; i < 8; ++i) {
    const auto at = [&](const std::vector<double>& all, int64_t x) {
      return all[static_cast<size_t>((i * kSide * kSide + x) * 3)];
    };
    if (at(after, 0) == at(clean, 0)) continue;
    for (int64_t x = 0; x < kSide; ++x) EXPECT_EQ(at(after, x), at(clean, kSide - 1 - x));
    ++mirrored;
  }
  EXPECT_GT(mirrored, 0);
  EXPECT_LT(mirrored, 8);
}

// What is cut out and where colours change is left to tests of train::distorted.
TEST(ShotVaeSource, DistortedImagesAreTheUnlabelledOnes) {
  Given given(with([](SourceSettings& s) { s.pad = 2, s.flip = true; }));
  for (int64_t i = 0; i < 3; ++i) {
    const Seen unlabeled = given.unlabeled(i), distorted = given.distorted(i);
    EXPECT_EQ(distorted.labels, unlabeled.labels);
    ASSERT_EQ(distorted.pixels.size(), unlabeled.pixels.size());
    EXPECT_NE(distorted.pixels, unlabeled.pixels);
    for (const double v : distorted.pixels) ASSERT_TRUE(v >= 0 && v <= 1);
  }
}

TEST(ShotVaeSource, RefusesWhatTrainsNoNet) {
  const auto refused = [](const std::string& words, const std::function<void(SourceSettings&)>& change) {
    test::expect_error(ErrorKind::usage, words, [&] { Source(with(change), few_data(kSide), kCpu); });
  };
  refused("moved by 6", [](SourceSettings& s) { s.pad = 6; });
  refused("moved by -1", [](SourceSettings& s) { s.pad = -1; });
  refused("of 15 images in batches of 7 the last has one", [](SourceSettings& s) { s.batch_labeled = 7; });
  refused("of 20 images in batches of 19 the last has one", [](SourceSettings& s) { s.batch = 19; });
  refused("batches of -1", [](SourceSettings& s) { s.batch = -1; });
}

TEST(ShotVaeSource, BlankImages) {
  const Blank blank(few_data(kSide).train, 2, {.dtype = DType::f64});
  EXPECT_EQ(blank.images.x.shape(), (Shape{2, kSide, kSide, 3}));
  EXPECT_EQ(blank.images.x.value().dtype(), DType::f64);
  EXPECT_EQ(blank.images.labels.to_vector<int64_t>(), (Items{0, 0}));
  EXPECT_EQ(blank.step.dtype(), DType::f64);
}

// ---- weights of mixtures

TEST(SymmetricBeta, HasTheMomentsOfTheDistribution) {
  constexpr int64_t kDraws = 20000;
  const RandomKey key = RandomKey::named(3, "beta");
  for (const double a : {0.01, 0.1, 0.5, 1.0, 2.0, 4.0, 200.0}) {
    double mean = 0, square = 0;
    for (int64_t i = 0; i < kDraws; ++i) {
      const double x = symmetric_beta(a, key, i);
      ASSERT_TRUE(x >= 0 && x <= 1);
      mean += x / kDraws, square += std::pow(x - 0.5, 2) / kDraws;
    }
    const double variance = 1 / (4 * (2 * a + 1)),
                 fourth = 3 * variance * variance * (2 * a + 1) / (2 * a + 3);
    EXPECT_NEAR(mean, 0.5, 5 * std::sqrt(variance / kDraws)) << a;
    EXPECT_NEAR(square, variance, 5 * std::sqrt((fourth - variance * variance) / kDraws)) << a;
  }
}

// The share below x: of Beta(2, 2) 3 x^2 - 2 x^3, of Beta(1, 1) x, of Beta(1/2, 1/2) 2 asin(sqrt(x)) / pi.
TEST(SymmetricBeta, HasTheDistribution) {
  constexpr int64_t kDraws = 20000;
  const auto below = [](double a, double x) {
    int64_t count = 0;
    for (int64_t i = 0; i < kDraws; ++i) count += symmetric_beta(a, RandomKey::named(4, "beta"), i) < x;
    return static_cast<double>(count) / kDraws;
  };
  const double margin = 5 * 0.5 / std::sqrt(static_cast<double>(kDraws));
  for (const double x : {0.02, 0.1, 0.3, 0.5, 0.8}) {
    EXPECT_NEAR(below(2, x), 3 * x * x - 2 * x * x * x, margin);
    EXPECT_NEAR(below(1, x), x, margin);
    EXPECT_NEAR(below(0.5, x), 2 * std::asin(std::sqrt(x)) / M_PI, margin);
  }
}

TEST(SymmetricBeta, IsAFunctionOfKeyAndNumber) {
  const RandomKey key = RandomKey::named(3, "beta"), other = RandomKey::named(3, "other");
  EXPECT_EQ(symmetric_beta(2, key, 17), symmetric_beta(2, key, 17));
  EXPECT_NE(symmetric_beta(2, key, 17), symmetric_beta(2, key, 18));
  EXPECT_NE(symmetric_beta(2, key, 17), symmetric_beta(2, other, 17));
  EXPECT_EQ(symmetric_beta(0, key, 17), 1);
  EXPECT_EQ(symmetric_beta(-1, key, 17), 1);
}

}  // namespace vae::shot_vae::shot_vae_source_test
