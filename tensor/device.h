#pragma once
// Devices: where a tensor lives and which kernels run on it.
#include <cstdint>
#include <string>
#include <string_view>

namespace vae {

enum class DeviceType : uint8_t { cpu, cuda, simt };
inline constexpr int kDeviceTypes = 3;

struct Device {
  DeviceType type = DeviceType::cpu;
  int index = 0;
  bool operator==(const Device&) const = default;
  bool is_cpu() const { return type == DeviceType::cpu; }
  /// "cpu", "simt", "cuda:0".
  std::string str() const;
  /// Parses what str() writes ("cuda" means "cuda:0"); throws Error(usage).
  static Device parse(std::string_view text);
};

inline constexpr Device kCpu{};

std::string_view name_of(DeviceType type);

/// Number of usable devices of a type. CUDA is probed on the first call; any driver error counts as zero
/// devices.
int device_count(DeviceType type);

/// Throws Error(device) unless the device can be used in this build on this machine; where CUDA has none, the
/// message says why.
void require_device(Device device);

}  // namespace vae
