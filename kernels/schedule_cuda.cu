#include <algorithm>

#include "kernels/cuda/launch.h"
#include "kernels/kernels.h"

namespace vae::kernels::VAE_GPU {
namespace {

constexpr size_t kSchedules = 16;  // of a launch
struct Schedules {
  Schedule of[kSchedules];
};

/// A thread for each number.
template <class T>
__global__ void scheduled_kernel(const int64_t* iteration, T* y, Schedules schedules, int count) {
  const int i = threadIdx.x;
  if (i < count) y[i] = static_cast<T>(schedules.of[i].at(*iteration));
}

}  // namespace

void scheduled(In iteration, Out y, std::span<const Schedule> schedules) {
  check_scheduled(iteration, y, schedules);
  const OnDevice gpu(y);
  dispatch_floating(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (size_t begin = 0; begin < schedules.size(); begin += kSchedules) {
      const auto few = schedules.subspan(begin, std::min(kSchedules, schedules.size() - begin));
      Schedules of{};
      std::ranges::copy(few, of.of);
      launch("scheduled", scheduled_kernel<T>, gpu.config({1}, {kSchedules}), iteration.data<int64_t>(),
             y.data<T>() + begin, of, static_cast<int>(few.size()));
    }
  });
}

}  // namespace vae::kernels::VAE_GPU
