#pragma once
// A training step on paper: what it queues on a GPU, and how long that takes one at the least.
#include <functional>
#include <string>
#include <vector>

#include "kernels/precision.h"
#include "nn/train/task.h"
#include "tools/bench/work.h"

namespace vae::bench {

/// A GPU by its data sheet.
struct Card {
  const char* name;
  double bandwidth;         ///< bytes per second
  double fp32, tf32, bf16;  ///< operations per second of products
  double node = 1.3e-6;     ///< seconds that a node of a replayed graph takes at the least

  double flops(kernels::Precision precision) const {
    using kernels::Precision;
    return precision == Precision::bf16 ? bf16 : precision == Precision::tf32 ? tf32 : fp32;
  }
  bool operator==(const Card&) const = default;
};
/// The SXM cards, TF32 and bf16 without sparsity.
inline constexpr Card kH100{"h100", 3.35e12, 67e12, 494e12, 989e12},
    kH200{"h200", 4.8e12, 67e12, 494e12, 989e12};

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
/// Hands the calls of that step to `take` one by one, each as a row.
void count_step(train::Recipe& recipe, const Card& card, kernels::Precision precision,
                const std::function<void(const PlanRow&)>& take);
/// A table of the rows and of their sum.
std::string table_of(const std::vector<PlanRow>& rows);

}  // namespace vae::bench
