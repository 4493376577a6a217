#include "kernels/random.h"

#include "kernels/elementwise/map.h"

namespace vae::kernels {
namespace {

void check_step(const char* kernel, In step) {
  VAE_CHECK(step.dtype() == DType::i64 && step.numel() == 1, "{}: draw number {}", kernel, step.str());
}

Runs runs_of(const char* kernel, const Tensor& y, Rows rows) {
  if (rows.per_block == 0) return {1, y.numel(), 0, 0};
  const int64_t count = rows_of(y.shape()), columns = columns_of(y.shape());
  VAE_CHECK(rows.per_block > 0 && count % rows.per_block == 0 && rows.offset >= 0 &&
                rows.offset + rows.per_block <= rows.stride,
            "{}: {} as rows {} to {} of blocks of {}", kernel, y.str(), rows.offset,
            rows.offset + rows.per_block, rows.stride);
  return {count / rows.per_block, rows.per_block * columns, rows.stride * columns, rows.offset * columns};
}

}  // namespace

Runs check_random(const char* kernel, Out y, In step, Rows rows) {
  VAE_CHECK(is_floating(y.dtype()), "{}: into {}", kernel, y.str());
  check_step(kernel, step);
  return runs_of(kernel, y, rows);
}

Runs check_random_integers(Out y, In step, int64_t below, Rows rows) {
  VAE_CHECK(y.dtype() == DType::i64, "random_integers: into {}", y.str());
  VAE_CHECK(below >= 1 && below <= int64_t{1} << 31, "random_integers: below {}", below);
  check_step("random_integers", step);
  return runs_of("random_integers", y, rows);
}

Order check_batch_items(In pool, Out y, In step, const Order& order) {
  Order whole = order;
  if (whole.batch == 0) whole.batch = y.numel();
  VAE_CHECK(pool.dtype() == DType::i64 && y.dtype() == DType::i64 && whole.batch <= pool.numel() &&
                whole.first >= 0 && whole.first + y.numel() <= whole.batch && whole.period >= 1,
            "batch_items: {} from item {} of batches of {}, {} to a permutation of {}", y.str(), whole.first,
            whole.batch, whole.period, pool.str());
  check_step("batch_items", step);
  return whole;
}

}  // namespace vae::kernels
