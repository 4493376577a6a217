// Optimisers whose steps the ranks share.
#include "nn/train/update.h"

#include <gtest/gtest.h>

#include "kernels/kernels.h"
#include "nn/layers.h"
#include "tensor/graph.h"
#include "tests/numeric.h"
#include "tests/parallel/ranks.h"

namespace vae::update_test {

using autograd::Var;
using test::world;

constexpr int64_t kRows = 12, kWidth = 400;

/// Weights of more than a piece for each rank, and biases of less.
struct Net : nn::Module {
  Net() : Module(nn::Options{DType::f64, kCpu, 1}) {
    uint64_t stream = 0;
    for (const Parameter& p : parameters())
      p.var.value().copy_from(test::sample_tensor(p.var.shape(), DType::f64, kCpu, -0.1, 0.1, ++stream));
  }
  nn::Linear first{this, "first", kWidth, kWidth}, second{this, "second", kWidth, kWidth};
  Var operator()(const Var& x) const { return second(autograd::tanh(first(x))); }
};

struct Result {
  bool shared;  // whether a rank steps some elements alone
  std::vector<std::pair<std::string, std::vector<double>>> state;
};

/// Values, average and all that the optimiser remembers, after five steps on this rank's rows of a batch.
Result trained(const nn::OptimizerSettings& rule, DType sums, GraphMode mode) {
  const parallel::Communicator& ranks = parallel::current();
  Net net;
  train::Groups groups({{.name = "all", .module = &net, .rule = rule, .rate = {}, .average = 0.9}}, sums);
  const Tensor rows = test::sample_tensor({kRows, kWidth}, DType::f64, kCpu, -1, 1, 5);
  const Var x(
      rows.slice(kRows * ranks.rank() / ranks.size(), kRows * (ranks.rank() + 1) / ranks.size()).clone());
  const train::Update update{.groups = {},
                             .losses = {[&] { return autograd::sum(autograd::square(net(x))); }}};
  const Tensor iteration = Tensor::scalar(int64_t{0});
  StepGraph graph(kCpu, mode);
  for (int i = 0; i < 5; ++i) graph.run([&] { groups.run(update, iteration); });
  const nn::FlatParameters& parameters = groups.at("all").parameters;
  nn::StateDict state;
  state.add("values", parameters.values());
  groups.add_state(state);
  int64_t stepped = 0;
  for (const parallel::Piece& piece : parameters.stepped()) stepped += piece.end - piece.begin;
  Result result{.shared = stepped < parameters.values().numel(), .state = {}};
  for (const auto& [name, tensor] : state.entries()) result.state.push_back({name, to_doubles(tensor)});
  return result;
}

/// The same as of one process, and the same bits on all ranks.
void expect_like_one(const nn::OptimizerSettings& rule, bool shared, GraphMode mode = GraphMode::off) {
  const Result alone = trained(rule, DType::f64, mode);
  EXPECT_FALSE(alone.shared);
  const parallel::Scope scope(world());
  const Result found = trained(rule, DType::f64, mode);
  EXPECT_EQ(found.shared, shared);
  ASSERT_EQ(found.state.size(), alone.state.size());
  for (size_t i = 0; i < found.state.size(); ++i) {
    const auto& [name, values] = found.state[i];
    const std::vector<double>& expected = alone.state[i].second;
    double difference = 0, largest = 0;
    for (size_t k = 0; k < values.size(); ++k) {
      difference = std::max(difference, std::abs(values[k] - expected[k]));
      largest = std::max(largest, std::abs(expected[k]));
    }
    EXPECT_LE(difference, 1e-11 * largest) << name;
    const Tensor of_first = Tensor::from(values, {std::ssize(values)});
    world().broadcast(of_first, 0);
    EXPECT_EQ(values, to_doubles(of_first)) << name;
  }
}

TEST(SharedStep, OfEveryRule) {
  expect_like_one(nn::Adam::Settings{.rule = {.eps = 1e-3}}, true);
  expect_like_one(nn::Sgd::Settings{.learning_rate = 1e-3, .rule = {.momentum = 0.9}}, true);
  expect_like_one(nn::Adagrad::Settings{.rule = {}, .clip = {0, 0.5}}, true);
}

TEST(SharedStep, Replayed) {
  expect_like_one(nn::Adam::Settings{.rule = {.eps = 1e-3}}, true, GraphMode::on);
}

// The norm is that of all gradients, which every rank then has, and steps.
TEST(SharedStep, NotWithAClippedNorm) {
  expect_like_one(nn::Sgd::Settings{.learning_rate = 1e-3, .rule = {}, .clip = {1e-2}}, false);
}

}  // namespace vae::update_test
