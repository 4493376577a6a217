// Strong augmentation on CUDA devices: a block per picture, a launch per operation.
#include "kernels/cuda/launch.h"
#include "kernels/kernels.h"
#include "kernels/strong_augment.h"

namespace vae::kernels::VAE_GPU {
namespace {

/// Values of channel k that are less than `value`.
__device__ int32_t count_below(const uint8_t* image, const StrongSizes& s, int64_t k, int64_t value) {
  int32_t count = 0;
  for (int64_t i = k; i < s.elements(); i += s.channels) count += image[i] < value;
  return count;
}

/// Whether all numbers of picture i are within their ranges.
__device__ bool fits(const int64_t* operation, const int64_t* level, const int64_t* centre, int64_t i,
                     const StrongSizes& s) {
  bool all = !centre || (strong_fits(0, centre[2 * i]) && strong_fits(0, centre[2 * i + 1]));
  for (int64_t j = i * s.operations; j < (i + 1) * s.operations; ++j)
    all = all && strong_fits(operation[j], level[j]);
  return all;
}

/// Operation `number` of each picture; behind the last one the square, where there are centres.
__global__ void distort_pictures(const uint8_t* x, const int64_t* operation, const int64_t* level,
                                 const int64_t* centre, uint8_t* y, int64_t number, StrongSizes s) {
  constexpr int64_t kCounts = 257;
  VAE_SHARED(int32_t, below, kMaxStrongChannels * 257);
  VAE_SHARED(ChannelCounts, counts, kMaxStrongChannels);
  for (int64_t i = blockIdx.x; i < s.images; i += gridDim.x) {
    const uint8_t* image = x + i * s.elements();
    uint8_t* out = y + i * s.elements();
    const bool valid = fits(operation, level, centre, i, s), last = number + 1 == s.operations;
    const int64_t strength = valid ? level[i * s.operations + number] : 0;
    const auto d = static_cast<Distortion>(valid ? operation[i * s.operations + number] : 0);
    int64_t mean = 0;
    if (needs_counts(d)) {
      __syncthreads();  // behind the last picture
      for (int64_t j = threadIdx.x; j < s.channels * kCounts; j += blockDim.x)
        below[j] = count_below(image, s, j / kCounts, j % kCounts);
      __syncthreads();
      for (int64_t k = threadIdx.x; k < s.channels; k += blockDim.x)
        counts[k] = counts_of([&](int64_t v) {
          const int32_t count = below[k * kCounts + v];
          return static_cast<int64_t>(count);
        });
      __syncthreads();
      mean = mean_grey(s, [&](int64_t k) {
        const ChannelCounts c = counts[k];
        return c;
      });
    }
    const Placement place = placement_of(d, strength, s);
    Cutout square;
    if (valid && last && centre) square = cutout_of(centre[2 * i], centre[2 * i + 1], s);
    for (int64_t j = threadIdx.x; j < s.elements(); j += blockDim.x) {
      const int64_t k = j % s.channels, column = j / s.channels % s.width, row = j / s.channels / s.width;
      int64_t value = distorted(d, strength, place, image, s, row, column, k);
      if (needs_counts(d)) {
        const int32_t less = below[k * kCounts + image[j]];
        const ChannelCounts c = counts[k];
        value = by_counts(d, strength, image[j], less, c, mean, s.pixels());
      }
      if (square.covers(row, column)) value = Cutout::kGrey;
      out[j] = static_cast<uint8_t>(valid ? value : 0);
    }
  }
}

}  // namespace

void strong_augment(In x, In operation, In level, In centre, Out y) {
  const StrongSizes s = check_strong(x, operation, level, centre, y);
  const OnDevice gpu(x);
  const int64_t* centres = centre.defined() ? centre.data<int64_t>() : nullptr;
  const Tensor other = s.operations > 1 ? Tensor::empty(x.shape(), DType::u8, x.device()) : Tensor{};
  Tensor from = x;
  for (int64_t number = 0; number < s.operations; ++number) {
    const Tensor to = (s.operations - number) % 2 == 1 ? y : other;  // the last one writes y
    if (s.elements() > 0)
      launch("strong_augment", distort_pictures, gpu.config({blocks_for(s.images, 1)}, {kThreads}),
             from.data<uint8_t>(), operation.data<int64_t>(), level.data<int64_t>(), centres,
             to.data<uint8_t>(), number, s);
    from = to;
  }
}

}  // namespace vae::kernels::VAE_GPU
