#pragma once
// Text inside SVG and HTML.
#include <span>
#include <string>
#include <string_view>

namespace vae::report {

/// The text with < > & " ' escaped; control characters and broken UTF-8 become U+FFFD, so the result is valid
/// in any element or quoted attribute.
std::string escape_markup(std::string_view text);

/// Base64 (RFC 4648) with padding.
std::string base64(std::span<const std::byte> bytes);

}  // namespace vae::report
