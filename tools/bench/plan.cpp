// VAE_HAS_SIMT is a definition of this file alone.
#include "tools/bench/plan.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "tensor/communicator.h"

#ifdef VAE_HAS_SIMT
#include "kernels/simt/dry_run.h"
#endif

namespace vae::bench {
namespace {

[[noreturn]] void fail_without_emulator() {
  fail(ErrorKind::usage, "this build has no emulator, which counts launches: configure with VAE_SIMT=ON");
}

/// The nodes that a call queues.
int64_t nodes_of(const Recorder::Call& call) {
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

namespace {

/// Queues the first step of a recipe, and hands each of its calls to `take`: its work, its nodes, and the
/// seconds that they take.
void count_step(train::Recipe& recipe, const Card& card, kernels::Precision precision,
                const std::function<void(const PlanRow&)>& take) {
  recipe.prepare(0);
  train::Task task(recipe, {.graph = GraphMode::off});
  const Passing passing([&](const Recorder::Call& call) {
    const Work work = work_of(call);
    const int64_t nodes = nodes_of(call);
    const double bytes = work.read + work.written + 2 * work.updated;
    const double busy = std::max(work.flops / card.flops(precision), bytes / card.bandwidth);
    take({call.name, 1, nodes, work.flops, bytes, busy + static_cast<double>(nodes) * card.node});
  });
  task.queue();
}

/// The first of several ranks on paper: what it asks the others for takes time and leaves numbers alone.
class PaperRanks final : public parallel::Communicator {
 public:
  PaperRanks(int size, const Link& link) : size_(size), link_(link) {}
  int rank() const override { return 0; }
  int size() const override { return size_; }
  void all_reduce(const Tensor& sums) override { start(sums), finish(); }
  void all_gather(const Tensor& own, const Tensor&, std::span<const int64_t>) override {
    begin(all_gather_seconds(link_, size_, static_cast<double>(own.bytes()))), finish();
  }
  void broadcast(const Tensor&, int) override {}
  void start(const Tensor& sums) override {
    begin(all_reduce_seconds(link_, size_, static_cast<double>(sums.bytes())));
  }
  void finish() override {
    const double end = std::max(plan_.seconds, link_free_);
    plan_.waiting += end - plan_.seconds;
    plan_.seconds = end;
  }
  void barrier() override {}
  bool any(bool here) override { return here; }
  void on_first(const std::function<void()>& work) override { work(); }
  [[noreturn]] void abort(int) override { fail(ErrorKind::internal, "ranks on paper do not end"); }

  void compute(double seconds) { plan_.seconds += seconds; }
  const Shared& plan() const { return plan_; }

 private:
  void begin(double seconds) {
    link_free_ = std::max(plan_.seconds, link_free_) + seconds;
    plan_.link += seconds;
  }
  int size_;
  Link link_;
  Shared plan_;
  double link_free_ = 0;  // when what was begun has ended
};

}  // namespace

double all_reduce_seconds(const Link& link, int ranks, double bytes) {
  if (ranks == 1) return 0;
  const double n = ranks, ring = 2 * (n - 1) * link.hop + 2 * (n - 1) / n * bytes / link.bandwidth,
               tree = 2 * std::ceil(std::log2(n)) * link.hop + 2 * bytes / link.bandwidth;
  return std::min(ring, tree);
}

double all_gather_seconds(const Link& link, int ranks, double bytes) {
  return std::ceil(std::log2(ranks)) * link.hop + (ranks - 1) * bytes / link.bandwidth;
}

std::vector<PlanRow> plan_of(train::Recipe& recipe, const Card& card, kernels::Precision precision) {
  std::map<std::string, PlanRow> rows;
  count_step(recipe, card, precision, [&](const PlanRow& call) { rows[call.kernel] += call; });
  std::vector<PlanRow> sorted;
  for (auto& [name, row] : rows) row.kernel = name, sorted.push_back(row);
  std::ranges::stable_sort(sorted, std::greater{}, &PlanRow::nodes);
  return sorted;
}

Shared shared_plan_of(train::Recipe& recipe, const Card& card, kernels::Precision precision, int ranks,
                      const Link& link) {
  PaperRanks paper(ranks, link);
  const parallel::Scope scope(paper);
  count_step(recipe, card, precision, [&](const PlanRow& call) { paper.compute(call.seconds); });
  return paper.plan();
}

std::string scaling_table(const std::function<std::unique_ptr<train::Recipe>()>& make, const Card& card,
                          kernels::Precision precision, int ranks, const Link& link) {
  std::string table = fmt::format("{:>6}{:>12}{:>12}{:>12}{:>10}{:>12}\n", "ranks", "step, us", "link, us",
                                  "waits, us", "times", "efficiency");
  double alone = 0;
  for (const int n : std::set<int>{1, 8, 64, 512, ranks}) {
    const Shared plan = shared_plan_of(*make(), card, precision, n, link);
    if (n == 1) alone = plan.seconds;
    table +=
        fmt::format("{:>6}{:>12.1f}{:>12.1f}{:>12.1f}{:>10.2f}{:>12.3f}\n", n, plan.seconds * 1e6,
                    plan.link * 1e6, plan.waiting * 1e6, alone / plan.seconds, alone / (n * plan.seconds));
  }
  return table;
}

std::string table_of(const std::vector<PlanRow>& rows) {
  std::string table =
      fmt::format("{:<22}{:>7}{:>7}{:>10}{:>10}{:>10}\n", "kernel", "calls", "nodes", "GFLOP", "MB", "us");
  PlanRow sum{.kernel = "step"};
  for (const PlanRow& row : rows) sum += row, table += line_of(row);
  return table + line_of(sum);
}

}  // namespace vae::bench
