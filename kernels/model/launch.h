#pragma once
// How a kernel compiled by g++ starts on a device of the model.
#include <cstring>
#include <type_traits>

#include "kernels/model/stream.h"
#include "kernels/simt/machine.h"

namespace vae::model {

/// Adds the addresses of device memory among the bytes of an argument.
void add_addresses(const void* argument, size_t bytes, std::vector<Operand>& operands);

/// The addresses among the parameters of a kernel, wherever they stand in structures.
template <class... Parameters>
std::vector<Operand> addresses_in(const Parameters&... parameters) {
  std::vector<Operand> operands;
  const auto add = [&](auto copy) {
    static_assert(std::is_trivially_copyable_v<decltype(copy)>, "a kernel's arguments are copied as bytes");
#if __has_builtin(__builtin_clear_padding)
    __builtin_clear_padding(&copy);
#endif
    add_addresses(&copy, sizeof copy, operands);
  };
  (add(parameters), ...);
  return operands;
}

/// Queues a grid of threads; what is wrong with the launch itself is left to cudaGetLastError().
void launch(const char* kernel, const void* address, simt::dim3 grid, simt::dim3 block, cudaStream_t stream,
            std::vector<Operand> operands, std::function<void()> thread);

}  // namespace vae::model
