#include "tools/bench/measure.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>

#include "kernels/precision.h"
#include "tensor/compare.h"
#include "tensor/parallel.h"
#include "tensor/runtime.h"

namespace vae::bench {
namespace {

/// Larger than the caches, 256 MiB of f32: writing it leaves nothing else in them.
constexpr int64_t kFlush = int64_t{1} << 26;

/// Median seconds of a call; at least three, cold caches before each.
double median_time(Device device, const Call& run, double seconds) {
  static std::map<std::string, Tensor> buffers;
  Tensor& buffer = buffers[device.str()];
  if (!buffer.defined()) buffer = Tensor::zeros({kFlush}, DType::f32, device);
  std::vector<double> times;
  run();  // first use: pages, handles, modules
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (times.size() < 3 || (Clock::now() < end && times.size() < 1000)) {
    kernels::fill(buffer, 0);  // by all threads: the caches of all cores, and none of them sleeps
    times.push_back(runtime(device.type).time_ms(device.index, run) * 1e-3);
  }
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  return times[times.size() / 2];
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

/// For f32 against f64, of the norms: sums of 1e7 terms, and a threshold crossed here and there. Factors of
/// less precision are off by 2^-9 (bf16) in the mean of squares.
double tolerance_of(const Case& c) {
  return c.work.flops > 0 && kernels::precision() != kernels::Precision::fp32 ? 1e-2 : 1e-3;
}

/// The error of a case on a device.
double error_on(const Case& c, Device device) {
  Maker make{device, DType::f32}, make_exact{kCpu, DType::f64};
  c.make(make)();
  c.make(make_exact)();
  return error_of(make.result, make_exact.result);
}

/// How far it is, on a terminal.
void show(int64_t round, int64_t rounds, const std::string& name) {
  if (::isatty(STDERR_FILENO)) fmt::print(stderr, "\r\x1b[Kround {} of {}: {}", round + 1, rounds, name);
}
void clear_shown() {
  if (::isatty(STDERR_FILENO)) fmt::print(stderr, "\r\x1b[K");
}

}  // namespace

// From f32 on the CPU for all, so that no rounding puts the same number on two sides of a threshold.
Tensor Maker::operator()(const Operand& operand) {
  const bool real = operand.dtype == DType::f32 || operand.dtype == DType::bf16;
  const DType made_in = real && dtype == DType::f64 ? dtype : operand.dtype;
  const Tensor x = Tensor::empty(operand.shape), y = Tensor::empty(operand.shape, made_in);
  kernels::random_uniform(x, {0, draws++}, Tensor::scalar(int64_t{0}), {});
  kernels::map_fwd(kernels::Map::affine, {operand.high - operand.low, operand.low}, {&x, 1}, x);
  kernels::cast(x, y);
  Tensor made = device.is_cpu() ? y : y.to(device);
  if (operand.result) result = made;
  return made;
}

void add_peaks(Cases& cases, Device device) {
  std::vector<Case> peaks;
  const auto add = [&](const char* kind, const Work& work, const std::function<Call(Maker&)>& make) {
    peaks.push_back({kPeak, kind, work, make});
  };
  const Shape large{kLarge};
  const double size = floats(large);
  add("read", {size, 0}, [=](Maker& make) {
    return [x = make(uniform(large)), y = make(output({1}))] {
      kernels::sum(x, y, kernels::Axis::all(kLarge), 1, kernels::Write::set);
    };
  });
  add("write", {0, size}, [=](Maker& make) { return [y = make(output(large))] { kernels::fill(y, 1); }; });
  add("copy", {size, size}, [=](Maker& make) {
    return [x = make(uniform(large)), y = make(output(large))] {
      kernels::map_fwd(kernels::Map::affine, {1, 0}, {&x, 1}, y);
    };
  });
  add("update", {0, 0, size}, [=](Maker& make) {
    return [x = make(in_place(uniform(large)))] {
      kernels::map_fwd(kernels::Map::affine, {1, 0}, {&x, 1}, x);
    };
  });
  const int64_t n = device.is_cpu() ? 1024 : 8192;
  add("product", {.flops = 2 * std::pow(static_cast<double>(n), 3)}, [=](Maker& make) {
    return [a = make(factor({n, n})), b = make(factor({n, n})), c = make(output({n, n}))] {
      kernels::gemm(a, kernels::Transpose::no, b, kernels::Transpose::no, c, 1, 0);
    };
  });
  cases.list.insert(cases.list.begin(), peaks.begin(), peaks.end());
}

std::vector<std::string> measure(const std::vector<Case>& cases, Device device, int64_t rounds,
                                 Results& results) {
  std::vector<std::string> wrong;
  for (int64_t round = 0; round < rounds; ++round) {
    auto row = results.cases.begin();
    for (const Case& c : cases) {
      show(round, rounds, c.name());
      const double error = round == 0 && !row->is_peak() ? error_on(c, device) : row->error;
      if (round == 0 && !(error <= tolerance_of(c)))
        wrong.push_back(fmt::format("{} on {}: error {:.1e}", c.name(), device.str(), error));
      Maker make{device, DType::f32};
      const Call run = c.make(make);
      for (const int threads : results.setting.threads) {
        set_num_threads(threads);
        row->error = error;
        row->rounds.push_back(median_time(device, run, results.seconds / static_cast<double>(rounds)));
        if (c.kernel.starts_with("conv2d")) row->engine = kernels::last_conv_engine();
        ++row;
      }
    }
  }
  clear_shown();
  return wrong;
}

}  // namespace vae::bench
