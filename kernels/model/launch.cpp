#include "kernels/model/launch.h"

#include "kernels/model/runtime.h"

namespace vae::model {
namespace {

constexpr unsigned kMaxThreads = 1024;  // of a block
constexpr unsigned kMaxHeight = 65535;  // of a grid along y and z
constexpr unsigned kMaxWidth = 2147483647;

bool fits(simt::dim3 grid, simt::dim3 block) {
  const auto threads = uint64_t{block.x} * block.y * block.z;
  return threads > 0 && threads <= kMaxThreads && block.z <= 64 && grid.x > 0 && grid.y > 0 && grid.z > 0 &&
         grid.x <= kMaxWidth && grid.y <= kMaxHeight && grid.z <= kMaxHeight;
}

}  // namespace

void add_addresses(const void* argument, size_t bytes, std::vector<Operand>& operands) {
  const auto* begin = static_cast<const std::byte*>(argument);
  for (size_t at = 0; at + sizeof(void*) <= bytes; at += sizeof(void*)) {
    const void* word = nullptr;
    std::memcpy(&word, begin + at, sizeof word);
    if (device_of_address(word) >= 0) operands.push_back({word, 0, "an argument"});
  }
}

void launch(const char* kernel, const void* address, simt::dim3 grid, simt::dim3 block, cudaStream_t stream,
            std::vector<Operand> operands, std::function<void()> thread) {
  call("cudaLaunchKernel", on_device, [&] {
    if (!fits(grid, block)) return cudaErrorInvalidConfiguration;
    return queue(stream, kernel, std::move(operands),
                 [=, thread = std::move(thread)] { simt::run(kernel, address, grid, block, thread); });
  });
}

}  // namespace vae::model
