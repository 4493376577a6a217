// Known answers of Random123's kat_vectors for philox4x32 with 10 rounds, and the keying on top of it.
#include "tensor/philox.h"

#include <gtest/gtest.h>

#include <set>

namespace vae {
namespace {

struct KnownAnswer {
  PhiloxBlock counter;
  uint32_t key[2];
  PhiloxBlock answer;
};

TEST(Philox, PublishedKnownAnswers) {
  constexpr uint32_t ones = 0xffffffffu;
  const KnownAnswer cases[] = {
      {{{0, 0, 0, 0}}, {0, 0}, {{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}}},
      {{{ones, ones, ones, ones}}, {ones, ones}, {{0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu}}},
      {{{0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u}},
       {0xa4093822u, 0x299f31d0u},
       {{0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u}}},
  };
  for (const KnownAnswer& c : cases) {
    const PhiloxBlock block = philox4x32_10(c.counter, c.key[0], c.key[1]);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(block.v[i], c.answer.v[i]);
  }
}

TEST(Philox, RandomBlockPutsBlockStepAndStreamIntoTheCounter) {
  const RandomKey key{0x299f31d0a4093822u, 0x0370734413198a2eu};
  EXPECT_EQ(random_block(key, 0x85a308d3u, 0x243f6a88u).v[0], 0xd16cfe09u);
}

TEST(Philox, DistinctSeedsStreamsStepsAndBlocksDiffer) {
  std::set<uint32_t> words;
  for (uint64_t seed : {0, 1})
    for (const char* name : {"noise/a", "noise/b"})
      for (uint64_t step : {0, 1})
        for (uint64_t block : {0, 1})
          words.insert(random_block(RandomKey::named(seed, name), step, block).v[0]);
  EXPECT_EQ(words.size(), 16u);
}

TEST(Philox, UniformStaysInsideTheOpenInterval) {
  EXPECT_EQ(uniform01(0), 0x1p-24f);
  EXPECT_EQ(uniform01(0xffffffffu), 1.0f - 0x1p-24f);
  EXPECT_EQ(uniform01(0x80000000u), 0.5f + 0x1p-24f);
}

TEST(Philox, UniformHasTheMomentsOfTheUniformDistribution) {
  const RandomKey key = RandomKey::named(7, "moments");
  double sum = 0, squares = 0;
  constexpr int blocks = 100'000;
  for (int b = 0; b < blocks; ++b)
    for (const uint32_t word : random_block(key, 0, b).v) {
      sum += uniform01(word);
      squares += uniform01(word) * uniform01(word);
    }
  EXPECT_NEAR(sum / (4 * blocks), 0.5, 0.0023);          // 5 standard errors of 0.2887 / sqrt(400000)
  EXPECT_NEAR(squares / (4 * blocks), 1.0 / 3, 0.0024);  // 5 standard errors of 0.2981 / sqrt(400000)
}

}  // namespace
}  // namespace vae
