#include "tools/bench/run.h"

#include <array>
#include <chrono>
#include <cstdio>

#include "nn/class_rows.h"
#include "tensor/print.h"
#include "tensor/runtime.h"

namespace vae::bench {
namespace {

/// What a command writes to its standard output.
std::string output_of(const std::string& command) {
  std::FILE* const pipe = popen(command.c_str(), "r");
  if (!pipe) fail(ErrorKind::io, "cannot start '{}'", command);
  std::string text;
  std::array<char, 4096> part{};
  while (const size_t n = std::fread(part.data(), 1, part.size(), pipe)) text.append(part.data(), n);
  if (pclose(pipe) != 0) fail(ErrorKind::usage, "--beside: '{}' failed", command);
  return text;
}

/// The steps per second that the last line of a command's output says.
double rate_of(const std::string& command) {
  std::string text = output_of(command);
  while (text.ends_with('\n')) text.pop_back();
  const auto line = nlohmann::json::parse(text.substr(text.rfind('\n') + 1), nullptr, false);
  const double rate = line.is_object() ? line.value("steps_per_s", 0.0) : 0;
  if (!(rate > 0)) fail(ErrorKind::usage, "--beside: '{}' prints no steps_per_s", command);
  return rate;
}

}  // namespace

void time_run(const std::string& name, tool::Setup setup, const RunPlan& plan) {
  setup.options.images.dataset = resolve_dataset(setup.options.images);
  tool::Run run(std::move(setup));
  const std::unique_ptr<train::Task> task = run.new_task();
  const Device device = run.setup().options.run.device;
  double seconds = 0, beside_seconds = 0;
  for (int64_t done = 0; done < plan.iterations;) {
    const double beside = plan.beside.empty() ? 0 : rate_of(plan.beside);
    nn::take_counted_rows();
    const int64_t steps = std::min(plan.every, plan.iterations - done);
    const auto begin = std::chrono::steady_clock::now();
    for (int64_t i = 0; i < steps; ++i) task->step();
    synchronize(device);
    const double piece = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
                 rate = static_cast<double>(steps) / piece;
    done += steps, seconds += piece;
    nlohmann::ordered_json line{{"system", name},
                                {"iteration", done},
                                {"seconds", seconds},
                                {"steps_per_s", rate},
                                {"images_per_s", rate * static_cast<double>(task->images_per_step())},
                                {"class_rows", nn::take_counted_rows().share()}};
    if (beside > 0) {
      beside_seconds += static_cast<double>(steps) / beside;
      line.update(
          {{"beside_steps_per_s", beside}, {"beside_seconds", beside_seconds}, {"ratio", rate / beside}});
    }
    say("{}\n", line.dump());
    std::fflush(stdout);
  }
}

}  // namespace vae::bench
