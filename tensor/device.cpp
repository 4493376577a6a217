#include "tensor/device.h"

#include <charconv>
#include <system_error>

#include "tensor/error.h"

namespace vae {

std::string_view name_of(DeviceType type) {
  constexpr std::string_view names[kDeviceTypes] = {"cpu", "cuda", "simt"};
  return names[static_cast<int>(type)];
}

std::string Device::str() const {
  return type == DeviceType::cuda ? fmt::format("cuda:{}", index) : std::string(name_of(type));
}

Device Device::parse(std::string_view text) {
  if (text == "cpu") return {DeviceType::cpu, 0};
  if (text == "simt") return {DeviceType::simt, 0};
  if (text == "cuda") return {DeviceType::cuda, 0};
  if (text.starts_with("cuda:")) {
    int index = -1;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + 5, end, index);
    if (error == std::errc{} && stop == end && index >= 0) return {DeviceType::cuda, index};
  }
  fail(ErrorKind::usage, "unknown device '{}': expected cpu, cuda, cuda:N or simt", text);
}

}  // namespace vae
