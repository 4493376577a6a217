#include "nn/train/benchmark.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "nn/class_rows.h"
#include "tensor/allocator.h"
#include "tensor/parallel.h"
#include "tensor/runtime.h"

namespace vae::train {

nlohmann::json benchmark(Trainable& trainable, Device device, int64_t steps, int64_t warmup) {
  if (steps < 1 || warmup < 0)
    fail(ErrorKind::usage, "cannot time {} steps after {} steps of warm-up", steps, warmup);
  allocator(device).reset_peak();
  for (int64_t i = 0; i < warmup; ++i) trainable.step();
  synchronize(device);
  nn::take_counted_rows();

  std::array<double, 5> step_ms{};
  for (double& ms : step_ms) {
    const auto begin = std::chrono::steady_clock::now();
    for (int64_t i = 0; i < steps; ++i) trainable.step();
    synchronize(device);
    ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count() /
         static_cast<double>(steps);
  }
  for (const auto& [name, value] : trainable.drain())
    if (!std::isfinite(value))
      fail(ErrorKind::numeric, "{} is {} after {} steps", name, value, warmup + 5 * steps);

  std::sort(step_ms.begin(), step_ms.end());
  const double median = step_ms[2];
  const int64_t images = trainable.images_per_step();
  return {{"steps", steps},
          {"steps_per_s", 1e3 / median},
          {"images_per_s", 1e3 / median * static_cast<double>(images)},
          {"images_per_step", images},
          {"median_ms", median},
          {"min_ms", step_ms.front()},
          {"max_ms", step_ms.back()},
          {"class_rows", nn::take_counted_rows().share()},
          {"peak_bytes", allocator(device).stats().peak_bytes},
          {"device", device.str()},
          {"threads", num_threads()}};
}

}  // namespace vae::train
