#include "tools/bench/scaling.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "tensor/communicator.h"

namespace vae::bench {
namespace {

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

}  // namespace vae::bench
