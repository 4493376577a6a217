// The CUDA runtime of a build without CUDA: there is none.
#include "tensor/runtime.h"

vae::DeviceRuntime* vae::detail::cuda_runtime() { return nullptr; }
