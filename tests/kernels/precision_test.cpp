// The arithmetic of products is that of the innermost scope of the calling thread.
#include "kernels/precision.h"

#include <gtest/gtest.h>

#include <thread>

namespace vae::kernels {
namespace {

TEST(Precision, IsThatOfTheInnermostScope) {
  EXPECT_EQ(precision(), Precision::fp32);
  {
    const PrecisionScope outer(Precision::tf32);
    EXPECT_EQ(precision(), Precision::tf32);
    {
      const PrecisionScope inner(Precision::fp32);
      EXPECT_EQ(precision(), Precision::fp32);
    }
    EXPECT_EQ(precision(), Precision::tf32);
    std::thread([] { EXPECT_EQ(precision(), Precision::fp32) << "another thread"; }).join();
  }
  EXPECT_EQ(precision(), Precision::fp32);
}

}  // namespace
}  // namespace vae::kernels
