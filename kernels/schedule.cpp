#include "kernels/schedule.h"

#include "kernels/kernels.h"

namespace vae::kernels {

void check_scheduled_rate(In iteration, Out rate) {
  VAE_CHECK(iteration.dtype() == DType::i64 && iteration.numel() == 1 && rate.dtype() == DType::f64 &&
                rate.numel() == 1,
            "scheduled_rate: iteration {}, rate {}", iteration.str(), rate.str());
}

namespace cpu {

void scheduled_rate(In iteration, Out rate, double base, const Schedule& schedule) {
  check_scheduled_rate(iteration, rate);
  rate.data<double>()[0] = base * schedule.factor(iteration.data<int64_t>()[0]);
}

}  // namespace cpu
}  // namespace vae::kernels
