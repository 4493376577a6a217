#include "tools/bench/measure.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "tensor/runtime.h"

namespace vae::bench {
namespace {

/// Larger than the caches: writing it leaves nothing else in them.
constexpr int64_t kFlushBytes = int64_t{1} << 28;

/// Median seconds of a call; at least five, cold caches before each.
double median_time(Device device, const std::function<void()>& run, double seconds) {
  static std::map<std::string, Tensor> buffers;
  Tensor& buffer = buffers[device.str()];
  if (!buffer.defined()) buffer = Tensor::zeros({kFlushBytes}, DType::u8, device);
  std::vector<double> times;
  run();  // first use: pages, handles, modules
  for (double total = 0; times.size() < 5 || (total < seconds && times.size() < 1000);
       total += times.back()) {
    buffer.zero();
    times.push_back(runtime(device.type).time_ms(device.index, run) * 1e-3);
  }
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  return times[times.size() / 2];
}

std::vector<double> to_doubles(const Tensor& x) {
  return dispatch_any(x.dtype(), [&](auto zero) {
    const auto values = x.to_vector<decltype(zero)>();
    return std::vector<double>(values.begin(), values.end());
  });
}

/// |result - exact| / |exact|, norms: a number on the other side of a threshold in f32 does not matter.
double error_of(const Tensor& result, const Tensor& exact) {
  const std::vector<double> a = to_doubles(result), b = to_doubles(exact);
  double difference = 0, size = 1e-30;
  for (size_t i = 0; i < a.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    size += b[i] * b[i];
  }
  return std::sqrt(difference / size);
}

}  // namespace

Peak measure_peak(Device device) {
  Operands in(device, DType::f32);
  const Tensor x = in.uniform({4 * kLarge}), y = in.zeros({4 * kLarge});
  const auto copy = [&] { kernels::map_fwd(kernels::Map::affine, {1, 0}, {&x, 1}, y); };
  const int64_t n = device.is_cpu() ? 2048 : 8192;
  const Tensor a = in.uniform({n, n}), b = in.uniform({n, n}), c = in.zeros({n, n});
  const auto product = [&] { kernels::gemm(a, kernels::Transpose::no, b, kernels::Transpose::no, c, 1, 0); };
  return {.copy = 2.0 * static_cast<double>(x.bytes()) / median_time(device, copy, 0.5),
          .flops = 2.0 * std::pow(static_cast<double>(n), 3) / median_time(device, product, 0.5)};
}

Result measure(const Case& c, Device device, const Peak& peak, double seconds) {
  const Call call = c.make(Operands(device, DType::f32)), exact = c.make(Operands(kCpu, DType::f64));
  call.run();
  exact.run();
  const double error = error_of(call.result, exact.result);
  if (!(error <= c.tolerance))
    fail(ErrorKind::numeric, "{} {} on {}: error {:.1e}", c.kernel, c.shape, device.str(), error);
  const double time = median_time(device, call.run, seconds);
  const double rate = (c.flops > 0 ? c.flops : c.bytes) / time;
  return {time, rate, rate / (c.flops > 0 ? peak.flops : peak.copy), error};
}

}  // namespace vae::bench
