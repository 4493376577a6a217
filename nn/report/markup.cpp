#include "nn/report/markup.h"

#include <cstddef>
#include <cstdint>

#include "nn/report/utf8.h"

namespace vae::report {

std::string escape_markup(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::string_view before = text;
    const char32_t code = next_code_point(text);
    const bool control = (code < 0x20 && code != '\n' && code != '\t') || (code >= 0x7F && code < 0xA0);
    const bool not_a_character = code == 0xFFFE || code == 0xFFFF;
    if (code == '<')
      result += "&lt;";
    else if (code == '>')
      result += "&gt;";
    else if (code == '&')
      result += "&amp;";
    else if (code == '"')
      result += "&quot;";
    else if (code == '\'')
      result += "&#39;";
    else if (control || not_a_character || code == kReplacement)
      result += "\uFFFD";
    else
      result += before.substr(0, before.size() - text.size());
  }
  return result;
}

std::string base64(std::span<const std::byte> bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  result.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t word = 0;
    for (size_t k = 0; k < 3; ++k)
      word = word << 8 | (k < count ? std::to_integer<uint32_t>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) result += k <= count ? digits[word >> (18 - 6 * k) & 63] : '=';
  }
  return result;
}

}  // namespace vae::report
