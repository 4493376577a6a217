#include "tensor/error.h"

#include <fmt/format.h>

namespace vae::detail {

void throw_error(ErrorKind kind, fmt::string_view format, fmt::format_args args) {
  throw Error(kind, fmt::vformat(format, args));
}

void throw_failed_check(const char* file, int line, fmt::string_view format, fmt::format_args args) {
  std::string_view place = file;  // its last folder and name: where it was built says nothing
  if (const size_t name = place.rfind('/'); name != place.npos && name > 0)
    place.remove_prefix(place.rfind('/', name - 1) + 1);
  throw Error(ErrorKind::internal, fmt::format("{} ({}:{})", fmt::vformat(format, args), place, line));
}

}  // namespace vae::detail
