#include "tools/common/run_options.h"

#include <charconv>

#include "tensor/error.h"
#include "tensor/parallel.h"
#include "tools/common/cli.h"

namespace vae {

train::RunDirectory::Mode RunOptions::mode() const {
  using Mode = train::RunDirectory::Mode;
  if (resume && fresh) fail(ErrorKind::usage, "--resume and --fresh exclude each other");
  return resume ? Mode::resume : fresh ? Mode::fresh : Mode::create;
}

train::LoopOptions RunOptions::loop() const {
  return {.epochs = epochs,
          .iters_per_epoch = iters_per_epoch,
          .log_every = log_every,
          .checkpoint_every = checkpoint_every,
          .quiet = quiet,
          .after_epoch = {}};
}

void add_run_options(CLI::App& command, RunOptions& options) {
  command.add_option("--run", options.run, "run directory")->default_str(options.run.string());
  command.add_option("--config", options.config, "JSON file of options; the command line wins");
  command.add_flag("--resume", options.resume, "continue the run in the directory, exactly");
  command.add_flag("--fresh", options.fresh, "remove the run that is in the directory first");
  command.add_option("--seed", options.seed, "of split, initial weights, batches and noise")
      ->check(non_negative())
      ->capture_default_str();
  command.add_option("--seeds", options.seeds, "several runs, e.g. 1,2,3, and their mean and spread");
  command.add_option("--epochs", options.epochs, "epochs")->check(count(1))->capture_default_str();
  const bool pass = options.iters_per_epoch == 0;  // a tool whose epochs are passes over the data
  command
      .add_option("--iters-per-epoch", options.iters_per_epoch,
                  pass ? "iterations per epoch; 0: a pass over the images" : "iterations per epoch")
      ->check(count(pass ? 0 : 1))
      ->capture_default_str();
  command
      .add_option("--log-every", options.log_every, "iterations between rows of metrics; 0: once per epoch")
      ->check(count(0))
      ->capture_default_str();
  command
      .add_option("--checkpoint-every", options.checkpoint_every,
                  "iterations between checkpoints beside those after each epoch; 0: none")
      ->check(count(0))
      ->capture_default_str();
  command.add_option("--benchmark", options.benchmark, "time so many steps instead, one JSON line")
      ->check(count(0));
  command.add_flag("--quiet", options.quiet, "no progress, no line per epoch");
  add_device_options(command, options);
}

void add_device_options(CLI::App& command, RunOptions& options) {
  command.add_option("--device", options.device, "cpu or cuda:N")->capture_default_str();
  command.add_option("--threads", options.threads, "CPU threads; 0: all cores")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command
      .add_option("--precision", options.precision,
                  "products of matrices on CUDA devices: fp32 or tf32 (faster)")
      ->check(CLI::IsMember({"fp32", "tf32"}))
      ->capture_default_str();
  command.add_option("--graph", options.graph, "replay a step as one CUDA graph; auto: on CUDA devices")
      ->check(CLI::IsMember({"auto", "on", "off"}))
      ->capture_default_str();
}

Device prepare_device(const RunOptions& options) {
  set_num_threads(options.threads);
  const Device device = Device::parse(options.device);
  require_device(device);
  if (options.graph == "on" && device.type != DeviceType::cuda)
    fail(ErrorKind::usage, "--graph on: device {} has no graphs of work", device.str());
  set_precision(options.precision == "tf32" ? Precision::tf32 : Precision::fp32);
  return device;
}

std::vector<uint64_t> parse_numbers(const std::string& text, const std::string& option) {
  std::vector<uint64_t> numbers;
  const char *at = text.data(), *end = at + text.size();
  while (true) {
    uint64_t number = 0;
    const auto [stop, error] = std::from_chars(at, end, number);
    if (error != std::errc{} || (stop != end && *stop != ','))
      fail(ErrorKind::usage, "--{}: '{}' is no list of numbers like 1,2,3", option, text);
    numbers.push_back(number);
    if (stop == end) return numbers;
    at = stop + 1;
  }
}

}  // namespace vae
