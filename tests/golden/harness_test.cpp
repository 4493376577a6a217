// The harness itself: what must fail does.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "allowed.h"
#include "folder.h"
#include "tests/read_text.h"
#include "tests/report.h"
#include "tests/temporary_directory.h"

namespace vae::golden {
namespace {

namespace fs = std::filesystem;
using test::TemporaryDirectory;

/// A family of one function: y = 2 x.
Family doubling() {
  return {.system = "doubling",
          .precisions =
              [](const File&) {
                return std::vector{DType::f64, DType::f32};
              },
          .run =
              [](const File& file, DType dtype) {
                std::vector<double> x = to_doubles(file.content.at("input/x"));
                for (double& value : x) value *= 2;
                return Outcome{
                    .kind = "doubling",
                    .values = {{"output/y", as_tensor(x, file.content.at("input/x").shape(), dtype)}},
                    .inputs = {"input/x"},
                    .tolerance = [](const std::string&) { return Tolerance{.absolute = 1e-3}; }};
              }};
}

SafeTensors doubling_file() {
  return {.tensors = {{"input/x", Tensor::from(std::vector{1.0, 2.0, 3.0}, {3})},
                      {"output/y", Tensor::from(std::vector{2.0, 4.0, 6.0}, {3})}},
          .metadata = {{"system", "doubling"}, {"config", "{}"}}};
}

Summary run_one(const SafeTensors& content) {
  const TemporaryDirectory folder;
  fs::create_directory(folder / "any");
  save_safetensors(folder / "any" / "name.safetensors", content);
  return run_folder(folder.path(), {doubling()}, {"later"});
}

void expect_failure(const SafeTensors& content, const std::string& words) {
  const Summary summary = run_one(content);
  EXPECT_FALSE(summary.ok()) << words;
  EXPECT_NE(summary.str().find(words), std::string::npos) << summary.str() << "lacks: " << words;
}

TEST(GoldenHarness, GoodFile) {
  const Summary summary = run_one(doubling_file());
  EXPECT_TRUE(summary.ok()) << summary.str();
  EXPECT_EQ(summary.files, 1);
  ASSERT_EQ(summary.reports.size(), 2U);
  EXPECT_EQ(summary.str(),
            "any/name f64 (doubling)  1 tensors  exact\nany/name f32 (doubling)  1 tensors  exact\n"
            "1 files run, 0 failed\n");
}

TEST(GoldenHarness, ReportsTheWorstTensor) {
  SafeTensors content = doubling_file();
  content.tensors["output/y"] = Tensor::from(std::vector{2.0, 4.0, 6.0 + 0.5e-3}, {3});
  const Summary summary = run_one(content);
  EXPECT_TRUE(summary.ok()) << summary.str();
  EXPECT_NE(summary.str().find("worst 0.5 of tolerance (output/y, error 0.0005)"), std::string::npos)
      << summary.str();
}

TEST(GoldenHarness, WrongValues) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  for (const double wrong : {4.0 + 1.1e-3, 4.0 - 1.1e-3, nan, inf, -inf}) {
    SafeTensors content = doubling_file();
    content.tensors["output/y"] = Tensor::from(std::vector{2.0, wrong, 6.0}, {3});
    expect_failure(content, "output/y: element 1 is 4, expected");
    content = doubling_file();
    content.tensors["input/x"] = Tensor::from(std::vector{1.0, wrong / 2, 3.0}, {3});
    expect_failure(content, "output/y: element 1 is");
  }
}

TEST(GoldenHarness, WrongTensors) {
  SafeTensors content = doubling_file();
  content.tensors["output/z"] = Tensor::scalar(1.0);
  expect_failure(content, "output/z: a tensor that this kind of case does not know");
  content = doubling_file();
  content.tensors["input/unused"] = Tensor::scalar(1.0);
  expect_failure(content, "input/unused: a tensor that this kind of case does not know");
  content = doubling_file();
  content.tensors["output/y"] = content.tensors["output/y"].reshape({3, 1});
  expect_failure(content, "output/y: shape [3, 1], computed [3]");
  content = doubling_file();
  content.tensors.erase("output/y");
  expect_failure(content, "nothing to compare");
  content = doubling_file();
  content.tensors.erase("input/x");
  expect_failure(content, "input/x");
}

TEST(GoldenHarness, WrongMetadata) {
  SafeTensors content = doubling_file();
  content.metadata["system"] = "nobody";
  expect_failure(content, "unknown system 'nobody'");
  content.metadata.erase("system");
  expect_failure(content, "no 'system' in the metadata");
  content = doubling_file();
  content.metadata.erase("config");
  expect_failure(content, "no 'config' in the metadata");
  for (const char* bad : {"", "{", "[]", "1"}) {
    content.metadata["config"] = bad;
    expect_failure(content, "not a JSON object");
  }
}

TEST(GoldenHarness, ReportsGoWhereTheRunSays) {
  const char* of_ctest = std::getenv("VAE_TEST_REPORTS");
  const std::string before = of_ctest ? of_ctest : "";
  const TemporaryDirectory one, two;
  const auto report = [](const fs::path& folder, const char* text) {
    setenv("VAE_TEST_REPORTS", folder.c_str(), 1);
    test::report("golden_harness", text);
  };
  report(one / "run", "one\n"), report(two / "run", "two\n"), report("", "by hand\n");
  before.empty() ? unsetenv("VAE_TEST_REPORTS") : setenv("VAE_TEST_REPORTS", before.c_str(), 1);
  EXPECT_EQ(test::read_text(one / "run" / "golden_harness.txt"), "one\n");
  EXPECT_EQ(test::read_text(two / "run" / "golden_harness.txt"), "two\n");
}

TEST(GoldenHarness, NotCoveredYet) {
  SafeTensors content = doubling_file();
  content.metadata["system"] = "later";
  const Summary summary = run_one(content);
  EXPECT_TRUE(summary.ok());
  EXPECT_EQ(summary.str(), "later: not covered yet: 1 files\n0 files run, 0 failed\n");
}

TEST(GoldenHarness, Folders) {
  const TemporaryDirectory folder;
  const auto run = [&](const fs::path& path) { return run_folder(path, {doubling()}, {}); };
  EXPECT_NE(run(folder / "missing").str().find("no folder"), std::string::npos);
  EXPECT_FALSE(run(folder / "missing").ok());
  EXPECT_FALSE(run(folder.path()).ok()) << "an empty folder";
  fs::create_directory(folder / "doubling");
  EXPECT_FALSE(run(folder.path()).ok()) << "a folder of an empty folder";
  save_safetensors(folder / "doubling" / "a.safetensors", doubling_file());
  EXPECT_TRUE(run(folder.path()).ok());
  fs::create_directory(folder / "empty");
  EXPECT_FALSE(run(folder.path()).ok()) << "an empty folder beside a good one";
  fs::remove(folder / "empty");
  std::ofstream(folder / "doubling" / "b.safetensors") << "truncated";
  EXPECT_FALSE(run(folder.path()).ok()) << "a truncated file beside a good one";
}

// ---- the files of the folder, perturbed

/// The value of element `at` moved by a part of its tolerance, away from zero.
Tensor perturbed(const Tensor& x, size_t at, double allowed, double part) {
  std::vector<double> values = to_doubles(x);
  values[at] += std::copysign(part * allowed, values[at]);
  return as_tensor(values, x.shape(), x.dtype());
}

/// The first file that the family runs and that holds outputs, gradients and values after an update.
std::optional<fs::path> complete_file(const fs::path& folder, const Family& family) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".safetensors") continue;
    const File file = load_file(entry.path(), folder);
    if (file.system != family.system || family.precisions(file).empty()) continue;
    const auto has = [&](const std::string& prefix) {
      const auto found = file.content.tensors.lower_bound(prefix);
      return found != file.content.tensors.end() && found->first.starts_with(prefix);
    };
    if (has("output/") && has("grad/") && has("after/")) return entry.path();
  }
  return {};
}

void every_tensor_counts(const File& good, const Family& family) {
  const Outcome outcome = family.run(good, DType::f64);
  ASSERT_TRUE(compare(good, outcome, DType::f64).ok());
  for (const auto& [name, expected] : good.content.tensors) {
    if (outcome.inputs.count(name) || !is_floating(expected.dtype()) || expected.numel() == 0) continue;
    const auto errors = AllowedErrors(good, outcome).of(name);
    if (!errors) continue;  // rounding noise
    for (size_t at : {size_t{0}, static_cast<size_t>(expected.numel() - 1)}) {
      const double allowed = (*errors)[at];
      // Where nothing is allowed: the next number, or so.
      const double step = allowed > 0 ? allowed : 1e-300 + 1e-15 * std::abs(to_doubles(expected)[at]);
      File bad = good;
      bad.content.tensors[name] = perturbed(expected, at, step, 1.1);
      EXPECT_FALSE(compare(bad, outcome, DType::f64).ok()) << name;
      if (allowed == 0) continue;
      bad.content.tensors[name] = perturbed(expected, at, step, 0.5);
      EXPECT_TRUE(compare(bad, outcome, DType::f64).ok()) << name;
    }
  }
}

void perturbed_files_fail(const File& good, const Family& family) {
  const Outcome outcome = family.run(good, DType::f64);
  for (const std::string prefix : {"output/", "grad/", "after/"}) {
    auto tensor = good.content.tensors.lower_bound(prefix);
    const auto allowed_at = [&] { return AllowedErrors(good, outcome).of(tensor->first)->front(); };
    while (allowed_at() == 0) ++tensor;  // gradients of what is not used
    ASSERT_TRUE(tensor->first.starts_with(prefix));
    const auto& [name, expected] = *tensor;
    const double allowed = allowed_at();
    for (const double part : {0.0, 0.5, 1.1}) {
      const TemporaryDirectory copy;
      fs::create_directory(copy / good.system);
      File file = good;
      file.content.tensors[name] = perturbed(expected, 0, allowed, part);
      save_safetensors(copy / good.system / "copy.safetensors", file.content);
      const Summary summary = run_folder(copy.path(), families(), kNotCoveredYet);
      EXPECT_EQ(summary.ok(), part < 1) << name << " moved by " << part << " of its tolerance\n"
                                        << summary.str();
      EXPECT_EQ(summary.str().find(name + ": element 0") != std::string::npos, part > 1) << summary.str();
    }
  }
}

/// Calls body with the first complete file of each family.
template <class Body>
void for_families(const Body& body) {
  const auto folder = golden_folder();
  if (!folder) GTEST_SKIP() << "no golden files: set VAE_GOLDEN_DIR to their folder";
  for (const Family& family : families())
    if (const auto path = complete_file(*folder, family)) body(load_file(*path, *folder), family);
}

TEST(GoldenHarness, EveryTensorOfAFileCounts) { for_families(every_tensor_counts); }

TEST(GoldenHarness, PerturbedFilesFail) { for_families(perturbed_files_fail); }

}  // namespace
}  // namespace vae::golden
