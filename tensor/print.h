#pragma once
// Words for the user. A reader that has gone, or a full disk, does not end the work: tools look at standard
// output once, at their end.
#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

namespace vae {

/// A text of others (names of files, values of options) as a terminal can show it, in one line of UTF-8:
/// control characters of ASCII become spaces; those of Unicode, marks of direction and bytes that are no
/// UTF-8 are escaped as in C.
std::string printable(std::string_view text);

/// To standard output.
template <class... Args>
void say(fmt::format_string<Args...> format, Args&&... args) {
  const std::string text = fmt::format(format, std::forward<Args>(args)...);
  std::fwrite(text.data(), 1, text.size(), stdout);
}

/// Whether another process says what note() would: rank 0 of a run.
inline bool leaves_notes_to_others = false;

/// To standard error.
template <class... Args>
void note(fmt::format_string<Args...> format, Args&&... args) {
  if (leaves_notes_to_others) return;
  const std::string text = fmt::format(format, std::forward<Args>(args)...);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace vae
