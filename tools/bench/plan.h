#pragma once
// A training step on paper: what it queues on a GPU, and how long that takes one at the least.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernels/precision.h"
#include "nn/train/task.h"
#include "tools/bench/work.h"

namespace vae::bench {

/// A GPU by its data sheet.
struct Card {
  const char* name;
  double bandwidth;      ///< bytes per second
  double fp32, tf32;     ///< operations per second of products
  double node = 1.3e-6;  ///< seconds that a node of a replayed graph takes at the least

  double flops(kernels::Precision precision) const {
    return precision == kernels::Precision::tf32 ? tf32 : fp32;
  }
  bool operator==(const Card&) const = default;
};
/// The SXM cards, TF32 without sparsity.
inline constexpr Card kH100{"h100", 3.35e12, 67e12, 494e12}, kH200{"h200", 4.8e12, 67e12, 494e12};

/// What connects cards.
struct Link {
  double bandwidth = 450e9;  ///< bytes per second that a card sends, and receives meanwhile
  double hop = 2.5e-6;       ///< seconds from card to card at the least
};
/// Seconds of a sum of so many bytes over ranks, n of them: by the faster of a ring, 2 (n - 1) hops and
/// 2 (n - 1) / n of the bytes, and of a tree, 2 log2 n hops and twice the bytes.
double all_reduce_seconds(const Link& link, int ranks, double bytes);
/// Seconds until all ranks have the bytes of each: log2 n hops, n - 1 times the bytes.
double all_gather_seconds(const Link& link, int ranks, double bytes);

/// A step of one of several ranks, which share its batch: seconds in all, those that the link is busy,
/// and those that the card waits for it.
struct Shared {
  double seconds = 0, link = 0, waiting = 0;
};

/// The calls of one kernel in a step.
struct PlanRow {
  std::string kernel;
  int64_t calls = 0, nodes = 0;  ///< launches, calls of a library, copies and fills
  double flops = 0, bytes = 0, seconds = 0;
  PlanRow& operator+=(const PlanRow& other);
};

/// The emulator; throws Error(usage) in a build without it.
Device plan_device();

/// The first step of a recipe on the emulator, recorded and counted without being run: a row for each kernel,
/// those with the most nodes first. The time of a call is that of its operations or of its bytes, whichever
/// is longer, and its nodes'. Its tensors lie on plan_device().
std::vector<PlanRow> plan_of(train::Recipe& recipe, const Card& card, kernels::Precision precision);
/// A table of the rows and of their sum.
std::string table_of(const std::vector<PlanRow>& rows);

/// The same step on the first of so many ranks, their sums counted as they are asked for. Sums of gradients
/// run beside the backward pass from when they are complete; those of losses and batch norms are waited for.
Shared shared_plan_of(train::Recipe& recipe, const Card& card, kernels::Precision precision, int ranks,
                      const Link& link);
/// A table of the steps of 1, 8, 64, 512 and `ranks` ranks on one batch, with speed-up and efficiency.
std::string scaling_table(const std::function<std::unique_ptr<train::Recipe>()>& make, const Card& card,
                          kernels::Precision precision, int ranks, const Link& link);

}  // namespace vae::bench
