// What single precision is excused for, and what not.
#include "allowed.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/temporary_directory.h"

namespace vae::golden {
namespace {

/// A family that loses digits: y = 10^4 (x - 1).
Family cancelling() {
  return {.system = "cancelling",
          .precisions =
              [](const File&) {
                return std::vector{DType::f64, DType::f32};
              },
          .run =
              [](const File& file, DType dtype) {
                const Tensor& x = file.content.at("input/x");
                std::vector<double> y = to_doubles(as_tensor(to_doubles(x), x.shape(), dtype));
                for (double& value : y) value = 1e4 * (value - 1);
                return Outcome{.kind = "cancelling",
                               .values = {{"output/y", as_tensor(y, x.shape(), dtype)}},
                               .inputs = {"input/x"},
                               .tolerance = [](const std::string&) { return Tolerance{.absolute = 1e-6}; }};
              }};
}

TEST(GoldenAllowed, SinglePrecisionAnswersForTheConditioning) {
  const auto run = [](double expected) {
    const test::TemporaryDirectory folder;
    std::filesystem::create_directory(folder / "any");
    save_safetensors(folder / "any" / "name.safetensors",
                     {.tensors = {{"input/x", Tensor::scalar(1.1)}, {"output/y", Tensor::scalar(expected)}},
                      .metadata = {{"system", "cancelling"}, {"config", "{}"}}});
    return run_folder(folder.path(), {cancelling()}, {}).reports;
  };
  const double lost = 1e4 * (std::abs(static_cast<double>(1.1F) - 1.1) + 1.1 * 0x1p-24);  // about 9e-4
  const double y = 1e4 * (1.1 - 1);
  const std::vector<Report> good = run(y);
  ASSERT_TRUE(good.at(0).ok() && good.at(1).ok()) << good[0].str() << good[1].str();
  EXPECT_EQ(good[0].conditioned, 0);
  EXPECT_EQ(good[1].conditioned, 1);
  for (const double way : {-1.0, 1.0}) {
    EXPECT_FALSE(run(y + way * 1e-5).at(0).ok());  // no excuse for double
    EXPECT_FALSE(run(y + way * 100 * lost).at(1).ok());
  }
}

/// A slope that is 0 or 1, on either side of x = 1; in single precision x is off by 8 places.
Family kinked() {
  Family family = cancelling();
  family.system = "kinked";
  family.run = [](const File& file, DType dtype) {
    const Tensor& x = file.content.at("input/x");
    const double off = dtype == DType::f32 ? 8 * 0x1p-24 : 0,
                 value = to_doubles(as_tensor(to_doubles(x), x.shape(), dtype)).front() * (1 + off);
    return Outcome{.kind = "kinked",
                   .values = {{"output/slope", Tensor::scalar(value > 1 ? 1.0 : 0.0)}},
                   .inputs = {"input/x"},
                   .tolerance = [](const std::string&) { return Tolerance{.absolute = 1e-6}; }};
  };
  return family;
}

TEST(GoldenAllowed, SinglePrecisionMayBeBehindAKink) {
  const auto run = [](double x, double expected) {
    const test::TemporaryDirectory folder;
    std::filesystem::create_directory(folder / "any");
    save_safetensors(folder / "any" / "name.safetensors",
                     {.tensors = {{"input/x", Tensor::scalar(x)}, {"output/slope", Tensor::scalar(expected)}},
                      .metadata = {{"system", "kinked"}, {"config", "{}"}}});
    return run_folder(folder.path(), {kinked()}, {}).reports;
  };
  const double before = 1 - 4 * 0x1p-24;
  EXPECT_TRUE(run(before, 0).at(1).ok());
  EXPECT_EQ(run(before, 0).at(1).conditioned, 1);
  EXPECT_FALSE(run(before, 1).at(0).ok());   // no excuse for double
  EXPECT_FALSE(run(before, -1).at(1).ok());  // nor for more than the jump
  EXPECT_FALSE(run(0.99, 1).at(1).ok());     // nor far from it
}

TEST(GoldenAllowed, ErrorsOfUpdatesFollowFromTheirGradients) {
  const auto allowed = [](double gradient, double error) {
    File file;
    file.content.tensors = {{"after/p", Tensor::scalar(0.0)}, {"grad/p", Tensor::scalar(gradient)}};
    Outcome outcome;
    outcome.tolerance = [&](const std::string& name) {
      return Tolerance{.absolute = name == "grad/p" ? error : 0};
    };
    outcome.updates = [](const std::string& name) {
      return name == "after/p" ? std::vector<Update>{{.gradient = "grad/p", .rate = 0.1, .eps = 1e-8}}
                               : std::vector<Update>{};
    };
    return AllowedErrors(file, outcome).of("after/p")->front();
  };
  EXPECT_LT(allowed(1, 1e-3), 1e-11);                // a sign
  EXPECT_NEAR(allowed(1e-4, 1e-3), 0.2, 1e-4);       // either sign
  EXPECT_NEAR(allowed(0, 1e-3), 0.1, 1e-5);          // any step
  EXPECT_NEAR(allowed(0, 1e-11), 0.1 * 1e-3, 1e-6);  // noise below eps
}

}  // namespace
}  // namespace vae::golden
