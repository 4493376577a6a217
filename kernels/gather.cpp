#include "kernels/gather.h"

#include "kernels/elementwise/map.h"
#include "kernels/kernels.h"

namespace vae::kernels {

Tensor converted(In x, DType dtype) {
  const Tensor y = Tensor::empty(x.shape(), dtype, x.device());
  cast(x, y);
  return y;
}

void check_gather(const char* kernel, In x, In index, Out y) {
  const int64_t row = x.rank() && x.size(0) ? x.numel() / x.size(0) : 0;
  VAE_CHECK(x.rank() > 0 && index.dtype() == DType::i64 && y.numel() == index.numel() * row,
            "{}: {} by {} into {}", kernel, x.str(), index.str(), y.str());
}

void check_pick(const char* kernel, In x, In label, In y) {
  const int64_t n = columns_of(x.shape());
  VAE_CHECK(is_floating(x.dtype()) && y.dtype() == x.dtype() && label.dtype() == DType::i64 &&
                label.numel() * n == x.numel() && y.numel() == label.numel(),
            "{}: {} by {} with {}", kernel, x.str(), label.str(), y.str());
}

int64_t check_outer_add(In a, In v, Out y) {
  const int64_t n = columns_of(y.shape()), copies = n ? v.numel() / n : 0;
  const bool same = is_floating(y.dtype()) && a.dtype() == y.dtype() && v.dtype() == y.dtype() &&
                    n == columns_of(v.shape()) && n == columns_of(a.shape());
  VAE_CHECK(same && (a.numel() == y.numel() || a.numel() * copies == y.numel()) &&
                (y.numel() == 0 || (copies > 0 && y.numel() % v.numel() == 0)),
            "outer_add: {} and {} into {}", a.str(), v.str(), y.str());
  return copies;
}

void check_one_hot(In labels, Out y) {
  VAE_CHECK(is_floating(y.dtype()) && labels.dtype() == DType::i64 &&
                y.numel() == labels.numel() * columns_of(y.shape()),
            "one_hot: {} into {}", labels.str(), y.str());
}

void check_gather_pixels(In x, In index, Out y) {
  check_gather("gather_pixels", x, index, y);
  VAE_CHECK(x.dtype() == DType::u8 && is_floating(y.dtype()), "gather_pixels: {} into {}", x.str(), y.str());
}

void check_transpose(In x, Out y) {
  VAE_CHECK(x.dtype() == y.dtype() && columns_of(y.shape()) == rows_of(x.shape()) &&
                rows_of(y.shape()) == columns_of(x.shape()),
            "transpose: {} into {}", x.str(), y.str());
}

void check_tally(Inputs numbers, Out sums, Inputs counters) {
  for (const Tensor& counter : counters) check_increment(counter);
  VAE_CHECK(counters.size() <= kMostCounters, "tally: {} counters", counters.size());
  VAE_CHECK(sums.dtype() == DType::f64 && sums.numel() == static_cast<int64_t>(numbers.size()),
            "tally: {} numbers for {}", numbers.size(), sums.str());
  DType dtype = DType::f64;
  for (const Tensor& number : numbers)
    if (number.defined()) dtype = number.dtype();
  for (const Tensor& number : numbers)
    VAE_CHECK(!number.defined() || (is_floating(dtype) && number.dtype() == dtype && number.numel() == 1),
              "tally: of {}", number.str());
}

void check_increment(Out y) {
  VAE_CHECK(y.dtype() == DType::i64 && y.numel() == 1, "increment: of {}", y.str());
}

}  // namespace vae::kernels
