#include "tools/bench/measure.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "kernels/precision.h"
#include "tensor/runtime.h"

namespace vae::bench {
namespace {

/// Larger than the caches: writing it leaves nothing else in them.
constexpr int64_t kFlushBytes = int64_t{1} << 28;

/// Median seconds of a call; at least five, cold caches before each.
double median_time(Device device, const Call& run, double seconds) {
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

/// For f32 against f64, of the norms: sums of 1e7 terms, and a threshold crossed here and there.
double tolerance_of(const Case& c) {
  return c.flops > 0 && kernels::precision() == kernels::Precision::tf32 ? 1e-2 : 1e-3;
}

}  // namespace

// In f32 on the CPU for all, so that no rounding puts the same number on two sides of a threshold.
Tensor Maker::operator()(const Operand& operand) {
  const DType made_in = operand.dtype == DType::f32 ? dtype : operand.dtype;
  const Tensor x = Tensor::empty(operand.shape), y = Tensor::empty(operand.shape, made_in);
  kernels::random_uniform(x, {0, draws++}, Tensor::scalar(int64_t{0}), {});
  kernels::map_fwd(kernels::Map::affine, {operand.high - operand.low, operand.low}, {&x, 1}, x);
  kernels::cast(x, y);
  Tensor made = device.is_cpu() ? y : y.to(device);
  if (operand.result) result = made;
  return made;
}

Peak measure_peak(Device device) {
  Maker make{device, DType::f32};
  const Tensor x = make(uniform({4 * kLarge})), y = make(zeros({4 * kLarge}));
  const auto copy = [&] { kernels::map_fwd(kernels::Map::affine, {1, 0}, {&x, 1}, y); };
  const int64_t n = device.is_cpu() ? 2048 : 8192;
  const Tensor a = make(uniform({n, n})), b = make(uniform({n, n})), c = make(zeros({n, n}));
  const auto product = [&] { kernels::gemm(a, kernels::Transpose::no, b, kernels::Transpose::no, c, 1, 0); };
  return {.copy = 2.0 * static_cast<double>(x.bytes()) / median_time(device, copy, 0.5),
          .flops = 2.0 * std::pow(static_cast<double>(n), 3) / median_time(device, product, 0.5)};
}

nlohmann::json measure(const Case& c, Device device, const Peak& peak, double seconds) {
  Maker make{device, DType::f32}, make_exact{kCpu, DType::f64};
  const Call run = c.make(make), run_exact = c.make(make_exact);
  run();
  run_exact();
  const double error = error_of(make.result, make_exact.result);
  if (!(error <= tolerance_of(c)))
    fail(ErrorKind::numeric, "{} {} on {}: error {:.1e}", c.kernel, c.shape, device.str(), error);
  const bool counts_flops = c.flops > 0;
  const double time = median_time(device, run, seconds), rate = (counts_flops ? c.flops : c.bytes) / time,
               share = rate / (counts_flops ? peak.flops : peak.copy);
  fmt::print("{:<16} {:<34} {:>10.1f} us {:>8.1f} {} {:>5.0f} %   error {:.0e}\n", c.kernel, c.shape,
             time * 1e6, rate * 1e-9, counts_flops ? "GFLOP/s" : "GB/s   ", 100 * share, error);
  std::fflush(stdout);
  return {{"kernel", c.kernel}, {"shape", c.shape}, {"seconds", time},        {"bytes", c.bytes},
          {"flops", c.flops},   {"rate", rate},     {"share_of_peak", share}, {"error", error}};
}

}  // namespace vae::bench
