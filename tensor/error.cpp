#include "tensor/error.h"

#include <fmt/format.h>

namespace vae::detail {

void throw_error(ErrorKind kind, fmt::string_view format, fmt::format_args args) {
  throw Error(kind, fmt::vformat(format, args));
}

void throw_failed_check(const char* file, int line, fmt::string_view format, fmt::format_args args) {
  throw Error(ErrorKind::internal, fmt::format("{}:{}: {}", file, line, fmt::vformat(format, args)));
}

}  // namespace vae::detail
