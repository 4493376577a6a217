// Gradients added up over the ranks in buckets.
#include "nn/train/reduction.h"

#include <gtest/gtest.h>

#include "nn/layers.h"
#include "nn/train/update.h"
#include "tests/numeric.h"
#include "tests/parallel/ranks.h"

namespace vae {
namespace {

using autograd::Var;
using test::world;

constexpr int64_t kWidth = 600;  // a layer's weight is more than a bucket

struct Net : nn::Module {
  explicit Net(DType dtype) : Module(nn::Options{dtype, kCpu, 1}) {
    uint64_t stream = 0;
    for (const Parameter& p : parameters())
      p.var.value().copy_from(test::sample_tensor(p.var.shape(), dtype, kCpu, -0.1, 0.1, ++stream));
  }
  nn::Linear first{this, "first", kWidth, kWidth}, unused{this, "unused", kWidth, kWidth},
      second{this, "second", kWidth, kWidth};
  Var operator()(const Var& x) const { return second(autograd::tanh(first(x))); }
};

/// Rows of rank r.
Var rows_of(int rank, DType dtype) {
  return Var(test::sample_tensor({3, kWidth}, dtype, kCpu, -1, 1, static_cast<uint64_t>(100 + rank)));
}

/// The gradients of all parameters, of these ranks' rows, of two losses one after the other.
std::vector<double> gradients(DType dtype, DType sums, const std::vector<int>& ranks) {
  Net net(dtype);
  nn::FlatParameters group(net);
  train::Reduction reduction(group, sums);
  group.clear_gradients();
  for (const bool last : {false, true}) {
    autograd::Tape tape;
    Var loss;
    for (const int rank : ranks) {
      const Var x = rows_of(rank, dtype), y = last ? net(x) : net.second(x),
                part = autograd::sum(autograd::square(y));
      loss = loss.defined() ? loss + part : part;
    }
    if (last) reduction.begin();
    tape.backward(loss);
  }
  reduction.finish();
  return to_doubles(group.gradients());
}

void expect_sums(DType dtype, DType sums, double tolerance) {
  std::vector<int> all(static_cast<size_t>(world().size()));
  for (int r = 0; r < world().size(); ++r) all[r] = r;
  const std::vector<double> expected = gradients(dtype, sums, all);
  const parallel::Scope scope(world());
  const std::vector<double> found = gradients(dtype, sums, {world().rank()});
  double largest = 0, difference = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i]));
    difference = std::max(difference, std::abs(found[i] - expected[i]));
  }
  EXPECT_GT(largest, 0.1);
  EXPECT_LT(difference, tolerance * largest);
}

TEST(Reduction, IsTheGradientOfAllRows) {
  expect_sums(DType::f64, DType::f64, 1e-13);
  expect_sums(DType::f32, DType::f32, 1e-5);
  expect_sums(DType::f32, DType::f64, 1e-5);
}

/// The ranks as they are, counting what is begun, and how often it was waited for before.
class Counted : public test::World {
 public:
  void start(const Tensor& sums) override {
    begun.push_back(sums.dtype());
    World::start(sums);
  }
  void finish() override {
    ++waits;
    World::finish();
  }
  std::vector<DType> begun;
  int waits = 0;
};

// A bucket is begun within the walk that finishes it; what no loss reaches, at the end; the first of two
// losses begins none.
TEST(Reduction, BeginsBucketsBesideTheWalk) {
  Counted ranks;
  const parallel::Scope scope(ranks);
  Net net(DType::f32);
  nn::FlatParameters group(net);
  train::Reduction reduction(group, DType::f64);
  group.clear_gradients();
  {
    autograd::Tape tape;
    tape.backward(autograd::sum(net.second(rows_of(0, DType::f32))));
  }
  EXPECT_TRUE(ranks.begun.empty());
  {
    autograd::Tape tape;
    const Var loss = autograd::sum(net(rows_of(0, DType::f32)));
    reduction.begin();
    tape.backward(loss);
  }
  EXPECT_EQ(ranks.begun.size(), 2u) << "the weight of the first layer, the bias of the second";
  reduction.finish();
  EXPECT_EQ(ranks.begun, (std::vector<DType>(4, DType::f64)));
  EXPECT_EQ(ranks.waits, 1);
}

}  // namespace
}  // namespace vae
