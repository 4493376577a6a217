// Every __global__ function of kernels/ runs in the emulator, with threads and blocks in several orders, for
// the same bits.
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <set>

#include "kernels/simt/machine.h"
#include "tests/kernels/parity.h"
#include "tests/numeric.h"
#include "tests/read_text.h"
#include "tests/simt/symbols.h"

namespace vae::test {
namespace {

/// Names of the __global__ functions in the .cu files and headers of kernels/.
std::set<std::string> kernels_in_sources() {
  static const std::regex function(
      R"(__global__\s+(?:void\s+)?(?:__launch_bounds__\([^)]*\)\s*)?(?:void\s+)?(\w+)\s*\()");
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(VAE_SOURCE_DIR "/kernels")) {
    const std::filesystem::path& path = entry.path();
    if ((path.extension() != ".cu" && path.extension() != ".h") || path.parent_path().filename() == "simt")
      continue;
    const std::string text = read_text(path.string());
    for (std::sregex_iterator match(text.begin(), text.end(), function), end; match != end; ++match)
      names.insert((*match)[1]);
  }
  return names;
}

/// Whether a demangled symbol is `kernel` or an instance of it.
bool is_instance(const std::string& symbol, const std::string& kernel) {
  if (symbol.find("vae::kernels::simt::") == std::string::npos) return false;
  return symbol.find("::" + kernel + "<") != std::string::npos ||
         symbol.find("::" + kernel + "(") != std::string::npos;
}

struct Count {
  int instances = 0, run = 0;
  int64_t launches = 0;
};

Count count_of(const std::string& kernel, const std::map<const void*, std::string>& symbols) {
  Count count;
  for (const auto& [address, symbol] : symbols) {
    if (!is_instance(symbol, kernel)) continue;
    ++count.instances;
    const auto found = simt::launches().find(address);
    if (found == simt::launches().end()) continue;
    ++count.run;
    count.launches += found->second;
  }
  return count;
}

TEST(Emulator, RunsEveryKernelForTheSameBitsInEveryOrder) {
  const Device simt{DeviceType::simt, 0};
  ASSERT_EQ(device_count(DeviceType::simt), 1);
  const std::vector<ParityCase> cases = parity_cases();
  for (const ParityCase& c : cases)
    for (const DType dtype : {DType::f32, DType::f64}) {
      const Outputs expected = c.run({simt, dtype});
      for (const auto order : {vae::simt::Order::backward, vae::simt::Order::shuffled}) {
        const vae::simt::OrderScope scope(order, 17);
        const Outputs got = c.run({simt, dtype});
        ASSERT_EQ(got.size(), expected.size());
        for (size_t i = 0; i < got.size(); ++i)
          EXPECT_TRUE(same_bits(got[i], expected[i]))
              << c.kernel << " (" << c.what << ") in " << name_of(dtype) << ", output " << i;
      }
    }

  const std::map<const void*, std::string> symbols = function_symbols();
  ASSERT_FALSE(symbols.empty()) << "the program has no symbols";
  const std::set<std::string> names = kernels_in_sources();
  ASSERT_GE(names.size(), 20u);
  Count all;
  fmt::print("{:<24}{:>10}{:>6}{:>10}\n", "__global__ function", "instances", "run", "launches");
  for (const std::string& name : names) {
    const Count count = count_of(name, symbols);
    fmt::print("{:<24}{:>10}{:>6}{:>10}\n", name, count.instances, count.run, count.launches);
    EXPECT_GT(count.run, 0) << name << " is never run in the emulator";
    all.instances += count.instances, all.run += count.run, all.launches += count.launches;
  }
  std::string backends;
  for (const Device device : kernels::devices()) backends += " " + device.str();
  fmt::print(
      "{} kernels, {} cases in f32 and f64, backends{}; {} __global__ functions: {} of {} instances run, {} "
      "launches\n",
      kernels::kernel_names().size(), cases.size(), backends, names.size(), all.run, all.instances,
      all.launches);
}

TEST(Emulator, HasEveryKernelOfTheList) {
#define VAE_KERNEL(kernel, ...) EXPECT_TRUE(kernels::kernel.has(DeviceType::simt)) << #kernel;
#include "kernels/list.h"
#undef VAE_KERNEL
}

}  // namespace
}  // namespace vae::test
