#include "kernels/elementwise/map_cpu.h"

namespace vae::kernels::cpu {
VAE_MAP_DERIVATIVES(, float)
}
