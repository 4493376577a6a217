#pragma once
// The machine that is measured, as its results name it.
#include "tensor/device.h"
#include "tools/bench/results.h"

namespace vae::bench {

/// Of a device and this processor. Threads in order, each number once; none: all cores.
Setting setting_of(Device device, std::vector<int> threads, const std::string& precision);

/// Now, "2026-11-26T03:22:44Z".
std::string date();

/// Number of processes running, average of the last minute; 0 where the system does not tell.
double load();

}  // namespace vae::bench
