#pragma once
// What launch.h needs of a device: the emulator, device `simt`, which works at once.
#include "kernels/simt/language.h"
#include "kernels/simt/memory.h"

#define VAE_GPU simt

namespace vae::kernels::simt {

using namespace vae::simt;

inline constexpr DeviceType kDeviceType = DeviceType::simt;

struct Stream {};
inline void use_device(int) {}
inline Stream compute_stream(int) { return {}; }

inline constexpr int64_t kMaxBlocks = 3;  // so that kernels stride over their grid in tests of small tensors

template <class Config, class... Parameters>
void start(const char* name, void (*kernel)(Parameters...), const Config& config, Parameters... args) {
  const Arena::Opened opened(memory());
  run(name, reinterpret_cast<const void*>(kernel), config.grid, config.block, [&] { kernel(args...); });
  memory().check_red_zones(name);
}

}  // namespace vae::kernels::simt
