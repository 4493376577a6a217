#include "tools/bench/machine.h"

#include <fmt/chrono.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <thread>

#include "tensor/parallel.h"
#include "tensor/runtime.h"

namespace vae::bench {

Setting setting_of(Device device, std::vector<int> threads, const std::string& precision) {
  if (threads.empty()) threads = {num_threads()};
  std::sort(threads.begin(), threads.end());
  threads.erase(std::unique(threads.begin(), threads.end()), threads.end());
  return {.device = device.str(),
          .device_name = runtime(device.type).name(device.index),
          .processor = runtime(DeviceType::cpu).name(0),
          .cores = static_cast<int>(std::thread::hardware_concurrency()),
          .precision = precision,
          .threads = std::move(threads)};
}

std::string date() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

double load() {
  double average = 0;
  return ::getloadavg(&average, 1) == 1 ? average : 0;
}

}  // namespace vae::bench
