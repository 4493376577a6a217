#pragma once
// What kernels have to do at least, by the sizes of their operands: of the cases of bench_kernels and of the
// calls of a recorded step.
#include "tensor/recorder.h"
#include "tools/bench/peaks.h"

namespace vae::bench {

/// Operations of a product [m, k] [k, n].
double product_flops(int64_t m, int64_t n, int64_t k);
/// Operations of the direct algorithm, of any of the three passes, for results y [n, oh, ow, o] of the
/// forward pass and weights [o, kh, kw, c].
double conv_flops(const Shape& y, const Shape& weights);
/// Batch norm reads x twice, since the statistics come first; its gradient x and dy.
Work batch_norm_work(double bytes);
Work batch_norm_bwd_work(double bytes);
/// Optimisers: gradients read, parameters and so many moments updated.
Work optimizer_work(double bytes, int moments);

/// Of one call; a kernel that is not among the above reads each operand once or writes it once.
Work work_of(const Recorder::Call& call);

}  // namespace vae::bench
