#include "kernels/segment.h"

#include "kernels/elementwise/map.h"

namespace vae::kernels {

void check_copy_columns(In x, int64_t from, Out y, int64_t to, int64_t n) {
  const auto within = [n](int64_t first, int64_t columns) {
    return first >= 0 && n >= 0 && first <= columns && n <= columns - first;
  };
  VAE_CHECK(is_floating(y.dtype()) && x.dtype() == y.dtype() && rows_of(x.shape()) == rows_of(y.shape()) &&
                within(from, columns_of(x.shape())) && within(to, columns_of(y.shape())),
            "copy_columns: {} columns from {} of {} to {} of {}", n, from, x.str(), to, y.str());
}

void check_segment_sum(In x, In group, Out y) {
  const bool shapes = x.rank() > 0 && y.rank() > 0 && x.size(0) == group.numel() &&
                      x.shape().with_leading(1) == y.shape().with_leading(1);
  VAE_CHECK(shapes && is_floating(x.dtype()) && x.dtype() == y.dtype() && group.dtype() == DType::i64,
            "segment_sum: {} by {} into {}", x.str(), group.str(), y.str());
}

}  // namespace vae::kernels
