#pragma once
// How a function of the CUDA runtime begins and ends in the model.
#include "kernels/model/calls.h"
#include "kernels/model/state.h"
#include "kernels/model/stream.h"

namespace vae::model {

/// What a function needs: nothing, a driver with devices, or the current device, which must not be broken.
enum Needs { on_host, on_driver, on_device };

/// cudaSuccess where a driver is there and, if one is needed, the current device is whole.
cudaError_t usable(bool needs_device);
/// Keeps an error for cudaGetLastError() of this thread.
cudaError_t noted(cudaError_t status);

/// The body of a function: counted, failing as planned, its error noted.
template <class Body>
cudaError_t call(const char* function, Needs needs, const Body& body) {
  const Call call(function);
  if (call.planned()) return noted(static_cast<cudaError_t>(call.planned()));
  if (needs != on_host)
    if (const cudaError_t status = usable(needs == on_device); status != cudaSuccess) return noted(status);
  return needs == on_host ? body() : noted(body());
}

}  // namespace vae::model
