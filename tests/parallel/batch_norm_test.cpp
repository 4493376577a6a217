// Batch norm of a batch that lies on several ranks, beside that of the whole batch on one.
#include <gtest/gtest.h>

#include "kernels/kernels.h"
#include "tests/numeric.h"
#include "tests/parallel/ranks.h"

namespace vae {
namespace {

using test::world;

constexpr int64_t kColumns = 70;

struct Result {
  Tensor y, dx, dgamma, dbeta, running_mean, running_var;
};

Tensor sample(Shape shape, uint64_t stream, double low = -1, double high = 1) {
  return test::sample_tensor(shape, DType::f64, kCpu, low, high, stream);
}

/// Both passes over rows of x and dy.
Result normalised(const Tensor& x, const Tensor& dy, parallel::Communicator* ranks) {
  using namespace kernels;
  const auto like = [](const Tensor& t) { return Tensor::empty(t.shape(), t.dtype()); };
  const Tensor gamma = sample({kColumns}, 3, 0.5, 1.5), beta = sample({kColumns}, 4);
  Result r{
      like(x), like(x), like(gamma), like(gamma), sample({kColumns}, 5), sample({kColumns}, 6, 0.5, 1.5)};
  BatchNormForward f{.x = x,
                     .gamma = gamma,
                     .beta = beta,
                     .y = r.y,
                     .mean = like(gamma),
                     .rstd = like(gamma),
                     .running_mean = r.running_mean,
                     .running_var = r.running_var,
                     .rule = {.copies = 2},
                     .activation = activation(Map::relu),
                     .ranks = ranks};
  batch_norm_fwd(f);
  BatchNormBackward b{.dy = dy,
                      .x = x,
                      .gamma = gamma,
                      .mean = f.mean,
                      .rstd = f.rstd,
                      .dx = r.dx,
                      .dgamma = r.dgamma,
                      .dbeta = r.dbeta,
                      .beta = beta,
                      .y = r.y,
                      .activation = f.activation,
                      .ranks = ranks};
  batch_norm_bwd(b);
  return r;
}

void expect_near(const Tensor& found, const Tensor& expected, const char* what) {
  const std::vector<double> a = to_doubles(found), b = to_doubles(expected);
  ASSERT_EQ(a.size(), b.size()) << what;
  for (size_t i = 0; i < a.size(); ++i)
    ASSERT_NEAR(a[i], b[i], 1e-11 * (1 + std::abs(b[i]))) << what << " " << i;
}

/// With the rows of rank r from begins[r] to begins[r + 1].
void expect_like_one(const std::vector<int64_t>& begins) {
  const Tensor x = sample({begins.back(), kColumns}, 1, 90, 91), dy = sample({begins.back(), kColumns}, 2);
  const Result whole = normalised(x, dy, nullptr);
  const int64_t begin = begins[world().rank()], end = begins[world().rank() + 1];
  const Result own = normalised(x.slice(begin, end), dy.slice(begin, end), &world());
  expect_near(own.y, whole.y.slice(begin, end), "y"), expect_near(own.dx, whole.dx.slice(begin, end), "dx");
  expect_near(own.running_mean, whole.running_mean, "mean"),
      expect_near(own.running_var, whole.running_var, "var");
  world().all_reduce(own.dgamma), world().all_reduce(own.dbeta);  // of a rank's rows
  expect_near(own.dgamma, whole.dgamma, "dgamma"), expect_near(own.dbeta, whole.dbeta, "dbeta");
}

TEST(BatchNorm, OfRowsOnSeveralRanks) {
  const int64_t size = world().size();
  std::vector<int64_t> even{0}, uneven{0}, few{0};
  for (int64_t r = 0; r < size; ++r) {
    even.push_back(even.back() + 50);
    uneven.push_back(uneven.back() + 1 + 400 * r);  // one row; several parts of a kernel
    few.push_back(few.back() + (r == 1 ? 2 : 0));   // others have none
  }
  expect_like_one(even), expect_like_one(uneven), expect_like_one(few);
}

}  // namespace
}  // namespace vae
