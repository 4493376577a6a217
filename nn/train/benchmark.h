#pragma once
// Timed training steps.
#include "nn/train/trainable.h"

namespace vae::train {

/// For a trainable on `device`: runs `warmup` steps, then five repeats of `steps` steps, waiting for the
/// device at the ends of each, and returns "steps", "steps_per_s" and "images_per_s" of the median repeat,
/// "median_ms", "min_ms", "max_ms" of a step over the repeats, "images_per_step", "peak_bytes" that tensors
/// occupied on the device, "class_rows", the share of the rows of bounds over classes that was computed (1
/// where there are no such bounds), "device" and CPU "threads". Throws Error(usage) unless steps > 0 and
/// warmup >= 0, Error(numeric) when a training metric is not finite at the end.
nlohmann::json benchmark(Trainable& trainable, Device device, int64_t steps, int64_t warmup = 3);

}  // namespace vae::train
