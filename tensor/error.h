#pragma once
// Errors of the whole project. Every failure is an exception that names what went wrong in one line;
// libraries never exit. A tool turns the kind into its exit code.
#include <fmt/format.h>

#include <stdexcept>
#include <string>

namespace vae {

/// What kind of failure; the value is the exit code of the tools.
enum class ErrorKind : int {
  internal = 1,  ///< broken contract inside the program (shape, dtype, device mismatch)
  usage = 2,     ///< bad option or configuration
  data = 3,      ///< input file is not what it should be
  io = 4,        ///< file system: missing, unreadable, unwritable, full
  numeric = 5,   ///< NaN or infinity where a finite number is required
  device = 6,    ///< no such device, driver error, out of memory
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }
  int exit_code() const { return static_cast<int>(kind_); }

 private:
  ErrorKind kind_;
};

/// Throws Error(kind, formatted message).
template <class... Args>
[[noreturn]] void fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(kind, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace vae

/// Contract check, active in every build type. Message: "file:line: text".
#define VAE_CHECK(condition, ...)                                                                         \
  do {                                                                                                    \
    if (!(condition)) [[unlikely]]                                                                        \
      ::vae::fail(::vae::ErrorKind::internal, "{}:{}: {}", __FILE__, __LINE__, fmt::format(__VA_ARGS__)); \
  } while (false)
