#pragma once
// Errors of the whole project. Every failure is an exception that names what went wrong in one line;
// libraries never exit. A tool turns the kind into its exit code.
#include <fmt/core.h>

#include <stdexcept>
#include <string>

namespace vae {

/// What kind of failure; the value is the exit code of the tools.
enum class ErrorKind : int {
  internal = 1,       ///< broken contract inside the program (shape, dtype, device mismatch)
  usage = 2,          ///< bad option or configuration; a function called in a way that it does not allow
  data = 3,           ///< input file is not what it should be
  io = 4,             ///< file system: missing, unreadable, unwritable, full
  numeric = 5,        ///< NaN or infinity where a finite number is required
  device = 6,         ///< no such device, driver error, out of memory
  peer = 7,           ///< another process of the same run is missing, has failed or does not answer
  interrupted = 130,  ///< stopped by a signal; the run can be resumed
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }
  int exit_code() const { return static_cast<int>(kind_); }

 private:
  ErrorKind kind_;
};

namespace detail {
[[noreturn]] void throw_error(ErrorKind kind, fmt::string_view format, fmt::format_args args);
[[noreturn]] void throw_failed_check(const char* file, int line, fmt::string_view format,
                                     fmt::format_args args);
}  // namespace detail

/// Throws Error(kind, formatted message).
template <class... Args>
[[noreturn, gnu::cold]] void fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  detail::throw_error(kind, format, fmt::make_format_args(args...));
}

/// What VAE_CHECK does where the condition does not hold.
template <class... Args>
[[noreturn, gnu::cold]] void fail_check(const char* file, int line, fmt::format_string<Args...> format,
                                        Args&&... args) {
  detail::throw_failed_check(file, line, format, fmt::make_format_args(args...));
}

}  // namespace vae

/// Contract check, active in every build type. Message: "text (folder/file:line)".
#define VAE_CHECK(condition, ...)                         \
  do {                                                    \
    if (!(condition)) [[unlikely]]                        \
      ::vae::fail_check(__FILE__, __LINE__, __VA_ARGS__); \
  } while (false)
