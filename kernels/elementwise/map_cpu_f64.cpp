// In f64, which serves checks, loops for the baseline processor do: two thirds less to compile.
#define VAE_NO_CLONES 1
#include "kernels/elementwise/map_cpu.h"

namespace vae::kernels::cpu {
VAE_MAP_VALUES(, double)
VAE_MAP_DERIVATIVES(, double)
}  // namespace vae::kernels::cpu
