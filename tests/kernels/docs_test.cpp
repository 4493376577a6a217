// The pages in docs/ stay true: every kernel has its row, every header of the three folders its line, and the
// files that are named exist.
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>

#include "kernels/kernels.h"
#include "tests/read_text.h"

namespace vae::kernels {
namespace {

const std::filesystem::path kSource = VAE_SOURCE_DIR;

TEST(Docs, TheTableHasEveryKernel) {
  const std::string text = test::read_text(kSource / "docs/kernels.md");
  for (const char* name : kernel_names())
    EXPECT_NE(text.find(fmt::format("\n| `{}` | ", name)), std::string::npos)
        << name << " has no row in docs/kernels.md";
}

TEST(Docs, FilesThatAreNamedExist) {
  const std::regex file("`([a-z_/0-9]+/[A-Za-z_/0-9]+\\.(h|cpp|cu|txt))`");
  for (const char* page : {"docs/autograd.md", "docs/design.md", "docs/kernels.md", "docs/tensor.md"}) {
    const std::string text = test::read_text(kSource / page);
    int named = 0;
    for (std::sregex_iterator it(text.begin(), text.end(), file), end; it != end; ++it, ++named)
      EXPECT_TRUE(std::filesystem::exists(kSource / (*it)[1].str())) << page << " names " << (*it)[1];
    EXPECT_GT(named, 10) << page;
  }
}

TEST(Docs, EveryHeaderStandsOnThePageOfItsFolder) {
  for (const std::string folder : {"autograd", "kernels", "tensor"}) {
    const std::string text = test::read_text(kSource / ("docs/" + folder + ".md"));
    for (const auto& entry : std::filesystem::directory_iterator(kSource / folder)) {
      const std::string name = folder + "/" + entry.path().filename().string();
      if (name.ends_with(".h")) {
        EXPECT_NE(text.find("`" + name + "`"), std::string::npos) << name;
      }
    }
  }
}

}  // namespace
}  // namespace vae::kernels
