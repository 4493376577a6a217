// The elementwise kernels on the CPU: check, then the typed loops.
#include "kernels/elementwise/map_cpu.h"

#include "kernels/elementwise/own_map.h"
#include "kernels/kernels.h"

namespace vae::kernels::cpu {

VAE_MAP_VALUES(extern, float)
VAE_MAP_DERIVATIVES(extern, float)
VAE_MAP_VALUES(extern, double)
VAE_MAP_DERIVATIVES(extern, double)

void map_fwd(Map op, Params params, Inputs x, Out y) {
  const Frame frame = map_frame(op, x, y);
  if (const MapLoops* own = own_loops(op, DeviceType::cpu)) return own->fwd(params, frame, y);
  dispatch_floating(frame.dtype,
                    [&](auto zero) { map_fwd_typed(op, params, frame, y.data<decltype(zero)>()); });
}

void map_bwd(Map op, Params params, int wrt, In dy, Inputs x, In y, Out dx, Write write) {
  const Frame frame = map_bwd_frame(op, wrt, dy, x, y, dx);
  if (const MapLoops* own = own_loops(op, DeviceType::cpu))
    return own->bwd(params, wrt, frame, y, dx, write == Write::add);
  dispatch_floating(frame.dtype, [&](auto zero) {
    using T = decltype(zero);
    map_bwd_typed(op, params, wrt, frame, static_cast<const T*>(y.raw()), dx.data<T>(), write == Write::add);
  });
}

void map_gradients(Map op, Params params, In dy, Inputs x, In y, std::span<const MapGradient> gradients) {
  map_gradients_frame(op, dy, x, y, gradients);
  for (const MapGradient& g : gradients) map_bwd(op, params, g.wrt, dy, x, y, g.dx, g.write);
}

void rowsum_fwd(Map op, Params params, Inputs x, Out y) {
  const Frame frame = rowsum_frame(op, x, y);
  if (const MapLoops* own = own_loops(op, DeviceType::cpu)) return own->rowsum(params, frame, y);
  dispatch_floating(frame.dtype,
                    [&](auto zero) { rowsum_typed(op, params, frame, y.data<decltype(zero)>()); });
}

}  // namespace vae::kernels::cpu
