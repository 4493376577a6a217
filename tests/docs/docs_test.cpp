// The documents stay true: files that they name exist, links lead somewhere, pages of folders name every
// header.
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <vector>

#include "tests/read_text.h"

namespace vae {
namespace {

namespace fs = std::filesystem;
const fs::path kSource = VAE_SOURCE_DIR;

std::vector<fs::path> documents() {
  std::vector<fs::path> all{kSource / "README.md"};
  for (const auto& entry : fs::directory_iterator(kSource / "docs"))
    if (entry.path().extension() == ".md") all.push_back(entry.path());
  return all;
}

/// What the first group of a pattern matches in a text.
std::vector<std::string> matches(const std::string& text, const std::string& pattern) {
  std::vector<std::string> all;
  const std::regex regex(pattern);
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it)
    all.push_back((*it)[1]);
  return all;
}

TEST(Docs, FilesThatAreNamedExist) {
  size_t named = 0;
  for (const fs::path& document : documents())
    for (const std::string& name :
         matches(test::read_text(document), "`([a-z_0-9]+(?:/[a-z_0-9]+)+\\.(?:h|cpp|cu|py|sh|txt))`")) {
      EXPECT_TRUE(fs::exists(kSource / name)) << document << " names " << name;
      ++named;
    }
  EXPECT_GT(named, 100u);
}

TEST(Docs, LinksLeadSomewhere) {
  for (const fs::path& document : documents())
    for (const std::string& target : matches(test::read_text(document), "\\]\\(([a-z_0-9./]+)\\)"))
      EXPECT_TRUE(fs::exists(document.parent_path() / target)) << document << " links " << target;
}

// A page with a section "Headers" lists those of its folder.
TEST(Docs, PagesNameEveryHeader) {
  int pages = 0;
  for (const char* folder : {"tensor", "kernels", "autograd", "nn", "models", "data", "tools", "tests"}) {
    const fs::path page = kSource / "docs" / (std::string(folder) + ".md");
    const std::string text = fs::exists(page) ? test::read_text(page) : "";
    if (text.find("\n## Headers\n") == std::string::npos) continue;
    ++pages;
    for (const auto& entry : fs::recursive_directory_iterator(kSource / folder)) {
      if (entry.path().extension() != ".h") continue;
      const std::string name = fs::relative(entry.path(), kSource).generic_string();
      EXPECT_NE(text.find("`" + name + "`"), std::string::npos) << page << " lacks " << name;
    }
  }
  EXPECT_GE(pages, 5);
}

// What the tutorial shows is what the example says.
TEST(Docs, TheTutorialQuotesTheExample) {
  const std::string example = test::read_text(kSource / "examples/my_vae.cpp");
  const std::vector<std::string> blocks =
      matches(test::read_text(kSource / "docs/tutorial.md"), "```cpp\n([^`]*)```");
  EXPECT_GE(blocks.size(), 5u);
  for (const std::string& block : blocks) EXPECT_NE(example.find(block), std::string::npos) << block;
}

}  // namespace
}  // namespace vae
