#pragma once
// A training step on paper on several GPUs, which share its batch.
#include <memory>

#include "tools/bench/plan.h"

namespace vae::bench {

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

/// The first step of a recipe on the first of so many ranks, their sums counted as they are asked for. Sums
/// of gradients run beside the backward pass from when they are complete; those of losses and batch norms are
/// waited for.
Shared shared_plan_of(train::Recipe& recipe, const Card& card, kernels::Precision precision, int ranks,
                      const Link& link);
/// A table of the steps of 1, 8, 64, 512 and `ranks` ranks on one batch, with speed-up and efficiency.
std::string scaling_table(const std::function<std::unique_ptr<train::Recipe>()>& make, const Card& card,
                          kernels::Precision precision, int ranks, const Link& link);

}  // namespace vae::bench
