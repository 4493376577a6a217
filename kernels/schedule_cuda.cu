#include "kernels/cuda/launch.h"
#include "kernels/kernels.h"

namespace vae::kernels::VAE_GPU {
namespace {

__global__ void scheduled_rate_kernel(const int64_t* iteration, double* rate, double base,
                                      Schedule schedule) {
  *rate = base * schedule.factor(*iteration);
}

}  // namespace

void scheduled_rate(In iteration, Out rate, double base, const Schedule& schedule) {
  check_scheduled_rate(iteration, rate);
  const OnDevice gpu(rate);
  launch("scheduled_rate", scheduled_rate_kernel, gpu.config({1}, {1}), iteration.data<int64_t>(),
         rate.data<double>(), base, schedule);
}

}  // namespace vae::kernels::VAE_GPU
