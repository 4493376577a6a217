#pragma once
// The operations of the project as callable kernels (list.h). Callers are the differentiable functions of
// autograd/ and the optimisers; shapes and dtypes are checked by each kernel, outputs are allocated by the
// caller.
#include <vector>

#include "kernels/augment.h"
#include "kernels/batch_norm.h"
#include "kernels/bias_activation.h"
#include "kernels/conv.h"
#include "kernels/elementwise/map.h"
#include "kernels/gather.h"
#include "kernels/gemm.h"
#include "kernels/kernel.h"
#include "kernels/log_sum_exp.h"
#include "kernels/optimizer.h"
#include "kernels/pool.h"
#include "kernels/random.h"
#include "kernels/reduce.h"
#include "kernels/schedule.h"
#include "kernels/segment.h"
#include "tensor/philox.h"

namespace vae::kernels {

#define VAE_KERNEL(name, ...) extern const Kernel<__VA_ARGS__> name;
#include "kernels/list.h"
#undef VAE_KERNEL

/// Implementations, one namespace per backend.
#define VAE_KERNEL(name, ...) Kernel<__VA_ARGS__>::Function name;
namespace cpu {
#include "kernels/list.h"
}
namespace cuda {
#include "kernels/list.h"
}
#undef VAE_KERNEL

/// The CUDA kernels compiled for the emulator; null in programs that do not link it.
#define VAE_KERNEL(name, ...) [[gnu::weak]] Kernel<__VA_ARGS__>::Function name;
namespace simt {
#include "kernels/list.h"
}
#undef VAE_KERNEL

/// Names of all kernels, in list order.
std::span<const char* const> kernel_names();
/// The devices at hand for which this build has kernels, the first of each type.
std::vector<Device> devices();

}  // namespace vae::kernels
