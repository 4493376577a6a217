// VAE_HAS_SIMT is a definition of this file alone.
#include "tools/bench/plan.h"

#include <algorithm>
#include <map>

#ifdef VAE_HAS_SIMT
#include "kernels/simt/dry_run.h"
#endif

namespace vae::bench {
namespace {

[[noreturn]] void fail_without_emulator() {
  fail(ErrorKind::usage, "this build has no emulator, which counts launches: configure with VAE_SIMT=ON");
}

/// The nodes that a call queues.
int64_t nodes_of([[maybe_unused]] const Recorder::Call& call) {
#ifdef VAE_HAS_SIMT
  const simt::DryRun dry;
  call.run();
  return dry.nodes();
#else
  fail_without_emulator();
#endif
}

/// Hands on what a step queues, and keeps none of it: temporaries die as they do where a device records.
class Passing : public Recorder {
 public:
  explicit Passing(std::function<void(const Call&)> take) : take_(std::move(take)) {}
  void add(Call call) override {
    if (taking_) return call.run();  // a part of the call that is being counted
    taking_ = true;
    take_(call);
    taking_ = false;
  }

 private:
  std::function<void(const Call&)> take_;
  bool taking_ = false;
};

/// That of a call: convolutions of bf16 factors are done in TF32.
kernels::Precision precision_of(const Recorder::Call& call, kernels::Precision precision) {
  const bool convolution = std::string_view(call.name).starts_with("conv2d");
  return convolution && precision == kernels::Precision::bf16 ? kernels::Precision::tf32 : precision;
}

std::string line_of(const PlanRow& row) {
  return fmt::format("{:<22}{:>7}{:>7}{:>10.3f}{:>10.2f}{:>10.1f}\n", row.kernel, row.calls, row.nodes,
                     row.flops * 1e-9, row.bytes * 1e-6, row.seconds * 1e6);
}

}  // namespace

PlanRow& PlanRow::operator+=(const PlanRow& other) {
  calls += other.calls, nodes += other.nodes;
  flops += other.flops, bytes += other.bytes, seconds += other.seconds;
  return *this;
}

Device plan_device() {
  if (device_count(DeviceType::simt) == 0) fail_without_emulator();
  return {DeviceType::simt, 0};
}

void count_step(train::Recipe& recipe, const Card& card, kernels::Precision precision,
                const std::function<void(const PlanRow&)>& take) {
  const kernels::PrecisionScope scope(precision);
  recipe.prepare(0);
  train::Task task(recipe, {.graph = GraphMode::off});
  const Passing passing([&](const Recorder::Call& call) {
    const Work work = work_of(call);
    const int64_t nodes = nodes_of(call);
    const double bytes = work.read + work.written + 2 * work.updated;
    const double busy =
        std::max(work.flops / card.flops(precision_of(call, precision)), bytes / card.bandwidth);
    take({call.name, 1, nodes, work.flops, bytes, busy + static_cast<double>(nodes) * card.node});
  });
  task.queue();
}

std::vector<PlanRow> plan_of(train::Recipe& recipe, const Card& card, kernels::Precision precision) {
  std::map<std::string, PlanRow> rows;
  count_step(recipe, card, precision, [&](const PlanRow& call) { rows[call.kernel] += call; });
  std::vector<PlanRow> sorted;
  for (auto& [name, row] : rows) row.kernel = name, sorted.push_back(row);
  std::ranges::stable_sort(sorted, std::greater{}, &PlanRow::nodes);
  return sorted;
}

std::string table_of(const std::vector<PlanRow>& rows) {
  std::string table =
      fmt::format("{:<22}{:>7}{:>7}{:>10}{:>10}{:>10}\n", "kernel", "calls", "nodes", "GFLOP", "MB", "us");
  PlanRow sum{.kernel = "step"};
  for (const PlanRow& row : rows) sum += row, table += line_of(row);
  return table + line_of(sum);
}

}  // namespace vae::bench
