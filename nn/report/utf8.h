#pragma once
// UTF-8 that may be broken, character by character; nothing throws.
#include <string>
#include <string_view>
#include <vector>

namespace vae::report {

inline constexpr char32_t kReplacement = 0xFFFD;

/// Removes the first character from a non-empty text; kReplacement (one byte removed) where the UTF-8 is
/// broken.
char32_t next_code_point(std::string_view& text);

/// The characters of one line: control characters, ends of lines and broken bytes are U+FFFD.
std::vector<std::string> characters_of(std::string_view text);

}  // namespace vae::report
