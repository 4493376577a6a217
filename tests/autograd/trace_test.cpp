// A trace holds the calls of a forward pass with their constants.
#include "autograd/trace.h"

#include <gtest/gtest.h>

#include "autograd/ops.h"

namespace vae::autograd {
namespace {

Var ones(const Shape& shape) {
  const Tensor x = Tensor::empty(shape);
  kernels::fill(x, 1);
  return Var(x);
}

std::vector<std::string> names(const Trace& trace) {
  std::vector<std::string> all;
  for (const Trace::Call& call : trace.calls()) all.push_back(call.op);
  return all;
}

TEST(Trace, HoldsCallsInOrder) {
  const Var x = ones({2, 3}), weight = ones({4, 3});
  exp(x);
  const Trace trace;
  const Var y = tanh(linear(x, weight, {}));
  ASSERT_EQ(names(trace), (std::vector<std::string>{"linear", "tanh"}));
  const Trace::Call &first = trace.calls()[0], &second = trace.calls()[1];
  ASSERT_EQ(first.inputs.size(), 3u);
  EXPECT_EQ(first.inputs[0].node(), x.node());
  EXPECT_FALSE(first.inputs[2].defined());
  EXPECT_EQ(second.inputs[0].node(), first.output.node());
  EXPECT_EQ(second.output.node(), y.node());
}

TEST(Trace, HoldsConstants) {
  const kernels::Window window(2, 2, 1);
  const Var x = ones({1, 4, 4, 1});
  const Trace trace;
  affine(x, 3, 4);
  conv2d(x, ones({1, 2, 2, 1}), {}, window, kernels::kRelu);
  avg_pool2d(x, window, kernels::Divisor::pixels);
  slice_columns(ones({2, 5}), 1, 3);
  rowsum(kernels::Map::square, {ones({2, 5})});
  ASSERT_EQ(trace.calls().size(), 5u);
  const auto attributes = [&](size_t i) { return trace.calls()[i].attributes; };
  EXPECT_EQ(attributes(0), (Attributes{.function = kernels::Map::affine, .params = {3, 4}}));
  EXPECT_EQ(attributes(1), (Attributes{.window = window, .activation = kernels::kRelu}));
  EXPECT_EQ(attributes(2), (Attributes{.window = window, .divisor = kernels::Divisor::pixels}));
  EXPECT_EQ(attributes(3), (Attributes{.begin = 1}));
  EXPECT_EQ(attributes(4), Attributes{});  // sums of rows are no map()
}

TEST(Trace, Nests) {
  const Var x = ones({2, 3});
  const Trace outer;
  {
    const Trace inner;
    exp(x);
    EXPECT_EQ(inner.calls().size(), 1u);
  }
  tanh(x);
  EXPECT_EQ(names(outer), std::vector<std::string>{"tanh"});
}

TEST(Trace, LeavesGradientsAsTheyAre) {
  Var x(Tensor::scalar(2.0f), true);
  const Trace trace;
  Tape tape;
  tape.backward(square(x));
  EXPECT_EQ(x.grad().item(), 4);
  EXPECT_EQ(names(trace), std::vector<std::string>{"square"});
}

}  // namespace
}  // namespace vae::autograd
