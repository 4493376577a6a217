#include "kernels/elementwise/map_cuda.h"

namespace vae::kernels::VAE_GPU {
template void map_fwd_typed<double>(Map, Params, const Frame&, Out);
template void map_bwd_typed<double>(Map, Params, int, const Frame&, In, Out, bool);
template void map_gradients_typed<double>(Map, Params, const Frame&, In, std::span<const MapGradient>);
template void rowsum_typed<double>(Map, Params, const Frame&, Out);
}  // namespace vae::kernels::VAE_GPU
