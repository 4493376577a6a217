#include "tools/common/run_options.h"

#include <utility>

#include "tensor/parallel.h"
#include "tensor/print.h"

namespace vae::tool {

train::RunDirectory::Mode RunOptions::mode() const {
  using Mode = train::RunDirectory::Mode;
  if (resume && fresh) fail(ErrorKind::usage, "--resume and --fresh exclude each other");
  return resume ? Mode::resume : fresh ? Mode::fresh : Mode::create;
}

train::RunDirectory RunOptions::directory() const {
  return {run, mode(), ": --resume continues it, --fresh replaces it"};
}

train::LoopOptions RunOptions::loop() const {
  return {.epochs = epochs,
          .iters_per_epoch = iters_per_epoch,
          .log_every = log_every,
          .checkpoint_every = checkpoint_every,
          .quiet = quiet,
          .how_to_go_on = "continue with --resume",
          .after_epoch = {}};
}

train::Task::Options RunOptions::task(const std::string& split) const {
  return {.seed = seed, .graph = graph, .precision = precision, .grad_reduce = grad_reduce, .split = split};
}

RunOptions RunOptions::below(const std::string& folder) const {
  RunOptions o = *this;
  o.run /= folder;
  o.seeds.clear();
  parallel::Communicator& ranks = parallel::current();  // rank 0 knows
  const bool begun = ranks.any(ranks.first() && std::filesystem::exists(o.run / "config.json"));
  o.resume = resume && begun, o.fresh = fresh && begun;
  return o;
}

void describe(const OptionTable& table, RunOptions& o) {
  table.add("run", o.run, "run directory").unstored().of_trained();
  table.add("config", o.config, "JSON file of options; the command line wins").unstored();
  table.flag("resume", o.resume, "continue the run in the directory, exactly");
  table.flag("fresh", o.fresh, "remove the run that is in the directory first");
  table.add("seed", o.seed, "of split, initial weights, batches and noise");
  table.add("seeds", o.seeds, "several runs, e.g. 1,2,3, and their mean and spread", tool::numbers())
      .changeable();
  table.add("epochs", o.epochs, "epochs", at_least(1)).changeable();
  table.add("iters-per-epoch", o.iters_per_epoch,
            o.counts_passes ? "iterations per epoch; 0: a pass over the images" : "iterations per epoch",
            at_least(o.counts_passes ? 0 : 1));
  table.add("log-every", o.log_every, "iterations between rows of metrics; 0: once per epoch", at_least(0));
  table
      .add("checkpoint-every", o.checkpoint_every,
           "iterations between checkpoints beside those after each epoch; 0: none", at_least(0))
      .changeable();
  table
      .add("benchmark", o.benchmark,
           "time so many steps instead, one JSON line; with --resume from the run's checkpoint on",
           at_least(0))
      .unstored();
  table.flag("quiet", o.quiet, "no progress, no line per epoch");
  table.add("bn", o.statistics,
            "on several ranks, batch norm takes its statistics over the global batch or over the local rows",
            choice<parallel::Statistics>(
                {{"global", parallel::Statistics::global}, {"local", parallel::Statistics::local}}));
  table.add("grad-reduce", o.grad_reduce, "gradients of several ranks are added up in f32 or f64",
            choice<DType>({{"f32", DType::f32}, {"f64", DType::f64}}));
  table
      .add("comm-timeout", o.comm_timeout, "seconds after which a rank gives up those that do not answer",
           between(0.1, 1e6))
      .changeable();
  describe(table, static_cast<DeviceOptions&>(o));
}

void describe(const OptionTable& table, DeviceOptions& o) {
  table.add("device", o.device, "cpu or cuda:N", devices()).changeable().of_trained();
  table
      .add("threads", o.threads, "CPU threads; 0: all cores within the quota of the control group",
           between(0, 1024))
      .changeable()
      .of_trained();
  table.add("precision", o.precision, kPrecisionHelp, precisions()).of_trained();
  table
      .add(
          "graph", o.graph, "replay a step as one CUDA graph; auto: on CUDA devices",
          choice<GraphMode>({{"auto", GraphMode::automatic}, {"on", GraphMode::on}, {"off", GraphMode::off}}))
      .changeable();
}

void describe_weights(const OptionTable& table, RunOptions& o) {
  using train::Weights;
  table
      .add("use-weights", o.weights,
           "of the last iteration, of the best epoch, averaged; auto: averaged where the run averages, else "
           "last",
           choice<Weights>({{"auto", Weights::automatic},
                            {"last", Weights::last},
                            {"best", Weights::best},
                            {"average", Weights::average}}))
      .unstored();
}

Device prepare_device(const DeviceOptions& o) {
  set_num_threads(o.threads);
  require_device(o.device);
  if (o.graph == GraphMode::on && o.device.type != DeviceType::cuda)
    fail(ErrorKind::usage, "--graph on: device {} has no graphs of work", o.device.str());
  return o.device;
}

void note_slow_products(const DeviceOptions& o) {
  static bool said = false;
  const bool slow =
      o.precision == kernels::Precision::bf16 && o.device.is_cpu() && !kernels::processor_has_bf16();
  if (slow && !std::exchange(said, true))
    note(
        "--precision bf16: this processor has no instructions for it; factors are rounded to bf16 and "
        "multiplied in "
        "f32, which takes longer than fp32\n");
}

Spelling<Device> devices() { return {"TEXT", Device::parse, std::mem_fn(&Device::str)}; }

Spelling<kernels::Precision> precisions() {
  using kernels::Precision;
  return choice<Precision>({{"fp32", Precision::fp32}, {"tf32", Precision::tf32}, {"bf16", Precision::bf16}});
}

const char* name_of(kernels::Precision precision) {
  using kernels::Precision;
  return precision == Precision::tf32 ? "tf32" : precision == Precision::bf16 ? "bf16" : "fp32";
}

}  // namespace vae::tool
