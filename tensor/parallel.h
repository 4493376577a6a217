#pragma once
// Threads of the CPU backend (OpenMP). Results of our own kernels never depend on how many there are: a
// reduction splits its work by size alone and combines the parts in order. The one exception is oneDNN's f32
// matrix product, whose last bits follow the number of threads for some shapes; at a fixed number it repeats
// bit for bit.
#include <algorithm>
#include <cstdint>

namespace vae {

/// Threads used by CPU kernels; 0 restores the default: OMP_NUM_THREADS, or all cores, but no more than the CPU
/// quota of the process's control group (tensor/control_group.h). Throws Error(device) where the system does not
/// give so many.
void set_num_threads(int threads);
int num_threads();

/// So many threads while it lives, then as many as before.
class ThreadsScope {
 public:
  explicit ThreadsScope(int threads) : before_(num_threads()) { set_num_threads(threads); }
  ~ThreadsScope() { set_num_threads(before_); }
  ThreadsScope(const ThreadsScope&) = delete;
  ThreadsScope& operator=(const ThreadsScope&) = delete;

 private:
  int before_;
};

/// Calls body(begin, end) over disjoint pieces of [0, n), in parallel when n exceeds `grain`.
template <class Body>
void parallel_for(int64_t n, int64_t grain, const Body& body) {
  const int64_t pieces = std::min<int64_t>(num_threads(), (n + grain - 1) / std::max<int64_t>(grain, 1));
  if (pieces <= 1) {
    if (n > 0) body(int64_t{0}, n);
    return;
  }
#pragma omp parallel for schedule(static) num_threads(static_cast <int>(pieces))
  for (int64_t p = 0; p < pieces; ++p) {
    const int64_t begin = n * p / pieces, end = n * (p + 1) / pieces;
    body(begin, end);
  }
}

}  // namespace vae
