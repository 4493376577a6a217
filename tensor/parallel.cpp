#include "tensor/parallel.h"

#include <omp.h>

#include <cmath>
#include <cstdlib>
#include <latch>
#include <system_error>
#include <thread>
#include <vector>

#include "tensor/control_group.h"
#include "tensor/error.h"

namespace vae {
namespace {

int default_threads() {
  const int cores = omp_get_max_threads();
  if (std::getenv("OMP_NUM_THREADS")) return cores;
  const std::optional<double> quota = cpu_quota();
  return quota ? std::clamp(static_cast<int>(std::ceil(*quota)), 1, cores) : cores;
}

/// Where threads are short, OpenMP ends the process; so they are tried first, all at once.
void require_threads(int threads) {
  static int tried = 1;
  if (threads <= tried) return;
  std::latch all_there(1);
  std::vector<std::jthread> others;
  try {
    while (static_cast<int>(others.size()) < threads - 1) others.emplace_back([&] { all_there.wait(); });
  } catch (const std::system_error& e) {
    const size_t started = others.size() + 1;
    all_there.count_down();
    fail(ErrorKind::device, "the system gives this process {} of {} threads ({}): ask for fewer", started,
         threads, e.code().message());
  }
  all_there.count_down();
  others.clear();
  tried = threads;
}

const int g_default = [] {
  const int threads = default_threads();
  omp_set_num_threads(threads);
  return threads;
}();

}  // namespace

void set_num_threads(int threads) {
  if (threads <= 0) threads = g_default;
  require_threads(threads);
  omp_set_num_threads(threads);
}

int num_threads() { return omp_get_max_threads(); }

}  // namespace vae
