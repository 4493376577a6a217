#include "tensor/shape.h"

#include <fmt/format.h>

namespace vae {

int64_t Shape::numel() const {
  constexpr int64_t kMost = int64_t{1} << 60;  // of 8 bytes each
  int64_t n = 1;
  bool countable = true;
  for (int i = 0; i < rank_; ++i) countable &= !__builtin_mul_overflow(n, extents_[i], &n);
  if (!countable || n > kMost) fail(ErrorKind::device, "out of memory: a tensor of shape {}", str());
  return n;
}

std::string Shape::str() const { return fmt::format("[{}]", fmt::join(extents(), ", ")); }

}  // namespace vae
