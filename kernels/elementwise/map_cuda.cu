// The elementwise kernels on CUDA devices: check, then the typed launches of map_cuda_f32.cu and
// map_cuda_f64.cu.
#include "kernels/cuda/launch.h"
#include "kernels/elementwise/own_map.h"
#include "kernels/kernels.h"

namespace vae::kernels::VAE_GPU {

template <class T>
void map_fwd_typed(Map op, Params params, const Frame& frame, Out y);
template <class T>
void map_bwd_typed(Map op, Params params, int wrt, const Frame& frame, In y, Out dx, bool add);
template <class T>
void map_gradients_typed(Map op, Params params, const Frame& frame, In y,
                         std::span<const MapGradient> gradients);
template <class T>
void rowsum_typed(Map op, Params params, const Frame& frame, Out y);

void map_fwd(Map op, Params params, Inputs x, Out y) {
  const Frame frame = map_frame(op, x, y);
  if (const MapLoops* own = own_loops(op, kDeviceType)) return own->fwd(params, frame, y);
  dispatch_floating(frame.dtype, [&](auto zero) { map_fwd_typed<decltype(zero)>(op, params, frame, y); });
}

void map_bwd(Map op, Params params, int wrt, In dy, Inputs x, In y, Out dx, Write write) {
  const Frame frame = map_bwd_frame(op, wrt, dy, x, y, dx);
  if (const MapLoops* own = own_loops(op, kDeviceType))
    return own->bwd(params, wrt, frame, y, dx, write == Write::add);
  dispatch_floating(frame.dtype, [&](auto zero) {
    map_bwd_typed<decltype(zero)>(op, params, wrt, frame, y, dx, write == Write::add);
  });
}

void map_gradients(Map op, Params params, In dy, Inputs x, In y, std::span<const MapGradient> gradients) {
  const Frame frame = map_gradients_frame(op, dy, x, y, gradients);
  if (gradients.size() == 1 || own_loops(op, kDeviceType)) {
    for (const MapGradient& g : gradients) map_bwd(op, params, g.wrt, dy, x, y, g.dx, g.write);
    return;
  }
  dispatch_floating(frame.dtype,
                    [&](auto zero) { map_gradients_typed<decltype(zero)>(op, params, frame, y, gradients); });
}

void rowsum_fwd(Map op, Params params, Inputs x, Out y) {
  const Frame frame = rowsum_frame(op, x, y);
  if (const MapLoops* own = own_loops(op, kDeviceType)) return own->rowsum(params, frame, y);
  dispatch_floating(frame.dtype, [&](auto zero) { rowsum_typed<decltype(zero)>(op, params, frame, y); });
}

}  // namespace vae::kernels::VAE_GPU
