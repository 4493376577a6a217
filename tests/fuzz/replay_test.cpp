// The seeds and the kept inputs of every target, in an ordinary build.
#include <gtest/gtest.h>

#include "tests/fuzz/seeds.h"
#include "tests/fuzz/target.h"
#include "tests/read_text.h"

namespace vae::fuzz {
namespace {

TEST(Fuzz, EveryTargetHasSeeds) {
  for (const auto& [name, inputs] : seeds()) EXPECT_TRUE(targets().contains(name)) << name;
  for (const auto& [name, target] : targets()) EXPECT_TRUE(seeds().contains(name)) << name;
}

TEST(Fuzz, SeedsHold) {
  for (const auto& [name, inputs] : seeds())
    for (const std::string& input : inputs)
      for (const size_t size : {input.size(), input.size() / 2, size_t{0}}) {
        SCOPED_TRACE(name);
        targets().at(name)(bytes(input.substr(0, size)));
      }
}

TEST(Fuzz, KeptInputsHold) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(VAE_FUZZ_CORPUS)) {
    if (!entry.is_regular_file()) continue;
    const std::string name = entry.path().parent_path().filename().string();
    SCOPED_TRACE(entry.path());
    ASSERT_TRUE(targets().contains(name)) << name;
    targets().at(name)(bytes(test::read_text(entry.path())));
    ++count;
  }
  EXPECT_GT(count, 0U);
}

}  // namespace
}  // namespace vae::fuzz
