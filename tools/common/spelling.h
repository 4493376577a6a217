#pragma once
// How the values of options are written: on the command line, in --help and in config.json.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "tensor/error.h"

namespace vae::tool {

template <class T>
struct Spelling {
  std::string type;                            ///< for the help: "INT", "TEXT:{on,off}"
  std::function<T(const std::string&)> parse;  ///< throws Error(usage) that says what the text is not
  std::function<std::string(const T&)> print;  ///< parse() makes the same value of it; empty: no value
};

/// A finite number for which `good` holds, which `words` describe.
template <class T>
Spelling<T> number_that(std::function<bool(T)> good, const std::string& words) {
  const auto parse = [=](const std::string& text) {
    T value{};
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || stop != end || !std::isfinite(static_cast<double>(value)) || !good(value))
      fail(ErrorKind::usage, "'{}' is no {}", text, words);
    return value;
  };
  // fmt writes all digits that matter: a stored configuration repeats a run exactly
  return {std::is_floating_point_v<T> ? "FLOAT"
          : std::is_signed_v<T>       ? "INT"
                                      : "UINT",
          parse, [](T value) { return fmt::format("{}", value); }};
}
inline Spelling<double> positive() {
  return number_that<double>([](double v) { return v > 0; }, "number above 0");
}
inline Spelling<double> non_negative() {
  return number_that<double>([](double v) { return v >= 0; }, "number from 0");
}
template <class T>
Spelling<T> between(T low, T high) {
  auto number = number_that<T>([=](T v) { return low <= v && v <= high; },
                               fmt::format("number from {} to {}", low, high));
  number.type += fmt::format(":{} in [{} - {}]", number.type, low, high);
  return number;
}

inline constexpr int64_t kMost = 1000000000;  // the product of two fits into 64 bits

inline Spelling<int64_t> at_least(int64_t least) {
  return number_that<int64_t>([=](int64_t v) { return least <= v && v <= kMost; },
                              fmt::format("whole number from {} to {}", least, kMost));
}

/// Values by their names.
template <class E>
Spelling<E> choice(const std::vector<std::pair<std::string, E>>& names) {
  std::vector<std::string> known;
  for (const auto& [name, value] : names) known.push_back(name);
  const std::string all = fmt::format("{{{}}}", fmt::join(known, ","));
  const auto parse = [=](const std::string& text) -> E {
    for (const auto& [name, value] : names)
      if (name == text) return value;
    fail(ErrorKind::usage, "{} not in {}", text, all);
  };
  const auto print = [=](const E& wanted) {
    for (const auto& [name, value] : names)
      if (value == wanted) return name;
    return std::string();
  };
  return {"TEXT:" + all, parse, print};
}

/// Of bool, numbers, strings and paths.
template <class T>
Spelling<T> plain() {
  if constexpr (std::is_same_v<T, bool>) {
    auto names = choice<bool>({{"true", true},
                               {"false", false},
                               {"on", true},
                               {"off", false},
                               {"yes", true},
                               {"no", false},
                               {"1", true},
                               {"0", false}});
    return names.type = "BOOLEAN", names;
  } else if constexpr (std::is_arithmetic_v<T>) {
    return number_that<T>([](T) { return true; }, std::is_integral_v<T> ? "whole number" : "number");
  } else {
    return {"TEXT", std::identity{}, [](const T& text) -> std::string { return text; }};
  }
}

/// A path, made absolute: what a run stores is found again from every working directory.
inline Spelling<std::filesystem::path> absolute_path() {
  const auto parse = [](const std::string& text) {
    std::error_code error;
    const auto path = text.empty() ? std::filesystem::path() : std::filesystem::absolute(text, error);
    if (error) fail(ErrorKind::usage, "'{}' cannot be made absolute ({})", text, error.message());
    return path;
  };
  return {"TEXT", parse, [](const std::filesystem::path& path) { return path.string(); }};
}

/// Numbers between commas; no text is an empty list, or no list.
template <class T>
Spelling<std::vector<T>> list_of(T least, T most, const std::string& words, bool may_be_empty) {
  const auto parse = [=](const std::string& text) {
    std::vector<T> list;
    const char *at = text.data(), *end = at + text.size();
    for (bool more = !(may_be_empty && text.empty()); more; ++at) {
      T& value = list.emplace_back();
      const auto [stop, error] = std::from_chars(at, end, value);
      more = stop != end;
      at = stop;
      if (error != std::errc{} || (more && *at != ',') || value < least || value > most)
        fail(ErrorKind::usage, "'{}' is no list {}", text, words);
    }
    return list;
  };
  return {"TEXT", parse, [](const std::vector<T>& list) { return fmt::format("{}", fmt::join(list, ",")); }};
}
/// Units of hidden layers: "600,600".
inline Spelling<std::vector<int64_t>> layers(bool may_be_empty = false) {
  return list_of<int64_t>(1, kMost, fmt::format("of layers of 1 to {} units, like 600,600", kMost),
                          may_be_empty);
}
inline Spelling<std::vector<uint64_t>> numbers() {
  return list_of<uint64_t>(0, std::numeric_limits<uint64_t>::max(), "of numbers like 1,2,3", true);
}

/// A value or, unwritten, none.
template <class T>
Spelling<std::optional<T>> or_none(const Spelling<T>& value) {
  return {value.type, value.parse, [=](const auto& v) { return v ? value.print(*v) : std::string(); }};
}

/// The same, not stored where it is the default: runs from before there was such an option resume.
template <class T>
Spelling<T> unless_default(const Spelling<T>& value, const T& standard) {
  return {value.type, value.parse, [=](const T& v) { return v == standard ? std::string() : value.print(v); }};
}

}  // namespace vae::tool
