#include <cstring>

#include "kernels/kernels.h"
#include "kernels/lanes.h"
#include "kernels/simd.h"
#include "tensor/parallel.h"

namespace vae::kernels::cpu {
namespace {

constexpr int64_t kGrain = 16384;  // elements worth a thread

/// Calls body(r) for rows of n elements in parallel.
template <class Body>
void for_rows(int64_t rows, int64_t n, const Body& body) {
  parallel_for(rows, std::max<int64_t>(1, kGrain / std::max<int64_t>(n, 1)), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) body(r);
  });
}

/// The elements of index; throws naming the kernel when one is outside [0, rows).
const int64_t* checked(const char* kernel, In index, int64_t rows) {
  const int64_t* i = index.data<int64_t>();
  for (int64_t r = 0; r < index.numel(); ++r)
    VAE_CHECK(i[r] >= 0 && i[r] < rows, "{}: index {} outside [0, {})", kernel, i[r], rows);
  return i;
}

template <class From, class To>
VAE_CLONES void convert(const From* x, To* y, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) y[i] = static_cast<To>(x[i]);
}

template <class T>
VAE_CLONES void scale_pixels(const uint8_t* x, T* y, int64_t n) {
#pragma omp simd
  for (int64_t c = 0; c < n; ++c) y[c] = static_cast<T>(x[c]) / T(255);
}

template <class T>
VAE_CLONES void binarise_pixels(const uint8_t* x, T* y, int64_t n) {
#pragma omp simd
  for (int64_t c = 0; c < n; ++c) y[c] = x[c] >= 128 ? T(1) : T(0);
}

template <class T>
VAE_CLONES void add_row(const T* a, const T* v, T* y, int64_t n) {
#pragma omp simd
  for (int64_t c = 0; c < n; ++c) y[c] = a[c] + v[c];
}

}  // namespace

void fill(Out y, double value) {
  dispatch_any(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    parallel_for(y.numel(), kGrain, [&](int64_t begin, int64_t end) {
      std::fill(y.data<T>() + begin, y.data<T>() + end, static_cast<T>(value));
    });
  });
}

void cast(In x, Out y) {
  dispatch_cast(x, y, [&]<class From, class To>(From, To) {
    parallel_for(x.numel(), kGrain, [&](int64_t begin, int64_t end) {
      convert(x.data<From>() + begin, y.data<To>() + begin, end - begin);
    });
  });
}

void tally(Inputs numbers, Out sums, Inputs counters) {
  check_tally(numbers, sums, counters);
  for (size_t i = 0; i < numbers.size(); ++i)
    if (numbers[i].defined())
      dispatch_floating(numbers[i].dtype(), [&]<class T>(T) {
        sums.data<double>()[i] += static_cast<double>(*numbers[i].data<T>());
      });
  for (const Tensor& counter : counters) ++*counter.data<int64_t>();
}

void increment(Out y) {
  check_increment(y);
  ++y.data<int64_t>()[0];
}

void gather_rows(In x, In index, Out y) {
  check_gather("gather_rows", x, index, y);
  VAE_CHECK(x.dtype() == y.dtype(), "gather_rows: {} into {}", x.str(), y.str());
  const size_t row = x.size(0) ? x.bytes() / static_cast<size_t>(x.size(0)) : 0;
  const int64_t* rows = checked("gather_rows", index, x.size(0));
  if (row == 0) return;
  const auto* from = static_cast<const std::byte*>(x.raw());
  auto* to = static_cast<std::byte*>(y.raw());
  for_rows(index.numel(), static_cast<int64_t>(row / 4), [&](int64_t r) {
    std::memcpy(to + static_cast<size_t>(r) * row, from + static_cast<size_t>(rows[r]) * row, row);
  });
}

void gather_pixels(In x, In index, Out y, Pixels pixels) {
  check_gather_pixels(x, index, y);
  const int64_t n = x.size(0) ? x.numel() / x.size(0) : 0;
  const int64_t* images = checked("gather_pixels", index, x.size(0));
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto row = pixels == Pixels::binary ? binarise_pixels<T> : scale_pixels<T>;
    for_rows(index.numel(), n,
             [&](int64_t r) { row(x.data<uint8_t>() + images[r] * n, y.data<T>() + r * n, n); });
  });
}

void one_hot(In labels, Out y) {
  check_one_hot(labels, y);
  const int64_t n = columns_of(y.shape());
  const int64_t* label = checked("one_hot", labels, n);
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_rows(labels.numel(), n, [&](int64_t r) {
      std::fill_n(y.data<T>() + r * n, n, T(0));
      y.data<T>()[r * n + label[r]] = T(1);
    });
  });
}

void pick(In x, In label, Out y) {
  check_pick("pick", x, label, y);
  const int64_t n = columns_of(x.shape());
  const int64_t* labels = checked("pick", label, n);
  dispatch_floating(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_rows(label.numel(), n, [&](int64_t r) { y.data<T>()[r] = x.data<T>()[r * n + labels[r]]; });
  });
}

void pick_bwd(In dy, In label, Out dx, Write write) {
  check_pick("pick_bwd", dx, label, dy);
  const int64_t n = columns_of(dx.shape());
  const int64_t* labels = checked("pick_bwd", label, n);
  dispatch_floating(dx.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_rows(label.numel(), n, [&](int64_t r) {
      T* row = dx.data<T>() + r * n;
      if (write == Write::set) std::fill_n(row, n, T(0));
      row[labels[r]] += dy.data<T>()[r];
    });
  });
}

void outer_add(In a, In v, Out y) {
  const int64_t copies = check_outer_add(a, v, y), n = columns_of(y.shape());
  if (y.numel() == 0) return;
  const int64_t rows = y.numel() / n, a_rows = a.numel() / n, block = rows / copies;
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_rows(rows, n, [&](int64_t r) {
      add_row(a.data<T>() + r % a_rows * n, v.data<T>() + r / block * n, y.data<T>() + r * n, n);
    });
  });
}

void transpose(In x, Out y) {
  check_transpose(x, y);
  const int64_t n = columns_of(x.shape()), m = rows_of(x.shape());
  dispatch_any(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    constexpr int64_t kTile = 64;  // through a copy, so that lines are read and written whole: rows a power
                                   // of two apart would push each other out of the cache
    const int64_t across = (n + kTile - 1) / kTile;
    parallel_for(across * ((m + kTile - 1) / kTile), 4, [&](int64_t begin, int64_t end) {
      T tile[kTile * kTile];
      for (int64_t t = begin; t < end; ++t) {
        const int64_t r0 = t / across * kTile, c0 = t % across * kTile;
        const int64_t height = std::min(kTile, m - r0), width = std::min(kTile, n - c0);
        turn(x.data<T>() + r0 * n + c0, n, height, width, tile, kTile);
        for (int64_t c = 0; c < width; ++c)
          std::copy_n(tile + c * kTile, height, y.data<T>() + (c0 + c) * m + r0);
      }
    });
  });
}

}  // namespace vae::kernels::cpu
