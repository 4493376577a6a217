// bench_inception: the rate of FID-Inception-v3, one JSON line. Its weights are random: the published file is
// not needed, and the time does not depend on them.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "models/inception/extractor.h"
#include "tensor/allocator.h"
#include "tensor/parallel.h"
#include "tools/common/cli.h"
#include "tools/common/run_options.h"

namespace {

using namespace vae;

struct Options {
  int64_t images = 64;
  int threads = 0;
  Device device;
  kernels::Precision precision = kernels::Precision::fp32;
};

void describe(const tool::OptionTable& table, Options& o) {
  table.add("images", o.images, "images (28x28, grey) per repeat, of five", tool::at_least(1));
  table.add("threads", o.threads, "CPU threads; 0: all cores", tool::between(0, 1024));
  table.add("device", o.device, "cpu or cuda:N", tool::devices());
  table.add("precision", o.precision, tool::kPrecisionHelp, tool::precisions());
}

/// Weights under which features stay of one size.
inception::Weights random_weights() {
  std::minstd_rand random(1);
  inception::Weights weights;
  for (const auto& [name, shape] : inception::state_shapes()) {
    const Tensor& tensor = weights.tensors[name] = Tensor::zeros(shape);
    const std::span<float> values(tensor.data<float>(), static_cast<size_t>(tensor.numel()));
    if (shape.rank() == 4) {
      const double limit = std::sqrt(6. * static_cast<double>(shape[0]) / static_cast<double>(shape.numel()));
      std::uniform_real_distribution<float> uniform(static_cast<float>(-limit), static_cast<float>(limit));
      for (float& value : values) value = uniform(random);
    } else if (name.ends_with("running_var") || name.ends_with("bn.weight")) {
      std::ranges::fill(values, 1.F);
    }
  }
  return weights;
}

int run(int argc, char** argv) {
  CLI::App app("Times FID-Inception-v3 with random weights, one JSON line.", "bench_inception");
  Options o;
  const tool::OptionTable table = tool::described(o);
  table.add_to(app);
  app.footer(tool::kExitCodes);
  if (!tool::parse_command_line(app, argc, argv)) return 0;
  const Device device = tool::prepare_device({.device = o.device, .threads = o.threads});
  const kernels::PrecisionScope precision(o.precision);
  const features::InceptionExtractor extractor(random_weights(), device);
  const Tensor images = Tensor::empty({o.images, 28, 28, 1}, DType::u8);
  std::minstd_rand random(2);
  for (uint8_t& byte : std::span(images.data<uint8_t>(), static_cast<size_t>(images.numel())))
    byte = static_cast<uint8_t>(random() >> 8);
  extractor(images);  // warms up
  allocator(device).reset_peak();
  std::array<double, 5> seconds{};
  for (double& s : seconds) {
    const auto begin = std::chrono::steady_clock::now();
    extractor(images);
    s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  std::ranges::sort(seconds);
  const auto rate = [&](double s) { return static_cast<double>(o.images) / s; };
  const nlohmann::json line{{"system", "inception"},
                            {"framework", "vaekit"},
                            {"images", o.images},
                            {"images_per_s", rate(seconds[2])},
                            {"min_images_per_s", rate(seconds.back())},
                            {"max_images_per_s", rate(seconds.front())},
                            {"peak_bytes", allocator(device).stats().peak_bytes},
                            {"precision", tool::name_of(o.precision)},
                            {"device", device.str()},
                            {"threads", num_threads()}};
  fmt::print("{}\n", line.dump());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return vae::tool::main(argv, [&] { return run(argc, argv); });
}
