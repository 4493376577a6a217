#include "tensor/parallel.h"

#include <omp.h>

namespace vae {

void set_num_threads(int threads) {
  static const int initial = omp_get_max_threads();
  omp_set_num_threads(threads > 0 ? threads : initial);
}

int num_threads() { return omp_get_max_threads(); }

}  // namespace vae
