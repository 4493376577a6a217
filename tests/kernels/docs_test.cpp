// docs/kernels.md stays true: its table has every kernel, and the files that it names exist.
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
  const std::string text = test::read_text(kSource / "docs/kernels.md");
  const std::regex file("`([a-z_/0-9]+/[A-Za-z_/0-9]+\\.(h|cpp|cu|txt))`");
  int named = 0;
  for (std::sregex_iterator it(text.begin(), text.end(), file), end; it != end; ++it, ++named)
    EXPECT_TRUE(std::filesystem::exists(kSource / (*it)[1].str())) << (*it)[1];
  EXPECT_GT(named, 10);
}

}  // namespace
}  // namespace vae::kernels
