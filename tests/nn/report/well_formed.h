#pragma once
// A check that SVG and HTML texts nest properly and load nothing from elsewhere.
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vae::test {

inline size_t occurrences(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

/// Every element is closed in order (meta and img excepted), quotes are paired, no '<' or '>' is left
/// unescaped.
inline void expect_well_formed(const std::string& text) {
  std::vector<std::string> open;
  size_t at = 0;
  const size_t style = text.find("<style>"), style_end = text.find("</style>");
  while ((at = text.find_first_of("<>", at)) != std::string::npos) {
    ASSERT_EQ(text[at], '<') << "stray '>' at " << at;
    const size_t end = text.find_first_of("<>", at + 1);
    ASSERT_TRUE(end != std::string::npos && text[end] == '>') << "unclosed tag at " << at;
    const std::string tag = text.substr(at + 1, end - at - 1);
    ASSERT_EQ(occurrences(tag, "\"") % 2, 0u) << tag;
    const std::string name = tag.substr(0, tag.find_first_of(" /", 1));
    if (tag[0] == '/') {
      ASSERT_FALSE(open.empty()) << tag;
      ASSERT_EQ(open.back(), tag.substr(1));
      open.pop_back();
    } else if (tag[0] != '!' && tag[0] != '?' && tag.back() != '/' && name != "meta" && name != "img") {
      open.push_back(name);
    }
    at = at == style ? style_end : end + 1;
  }
  EXPECT_TRUE(open.empty()) << open.back();
}

inline void expect_self_contained(std::string text) {
  for (const std::string xmlns : {"=\"http://www.w3.org/2000/svg\"", "=\"http://www.w3.org/1999/xlink\""})
    for (size_t at = text.find(xmlns); at != std::string::npos; at = text.find(xmlns))
      text.erase(at, xmlns.size());
  for (const char* foreign : {"http:", "https:", "//", "<script", "<link", "@import", "url("})
    EXPECT_EQ(text.find(foreign), std::string::npos) << foreign;
}

}  // namespace vae::test
