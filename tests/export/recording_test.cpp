// Functions that are no function of their inputs alone, or of one batch's size, are refused.
#include <gtest/gtest.h>

#include "models/backbones/backbone.h"
#include "tensor/compare.h"
#include "tests/expect_error.h"
#include "tests/export/onnx_graph.h"
#include "tests/temporary_directory.h"
#include "tools/export/translate.h"

namespace vae::test {
namespace {

using autograd::Var;
using exporter::Function, exporter::Output;
using Vars = std::vector<Var>;

train::Step step() { return {1, Tensor::scalar(int64_t{0})}; }

Function function(const std::function<Var(const Var&)>& f, const Shape& shape = {3}) {
  return {"f", "", {{"x", shape, ""}}, [f](const Vars& in, const train::Step&) {
            return std::vector<Output>{{"y", f(in[0]), ""}};
          }};
}

void refuse(const std::string& words, const std::function<Var(const Var&)>& f, const Shape& shape = {3}) {
  expect_error(ErrorKind::usage, words, [&] {
    const Function of_x = function(f, shape);
    exporter::translate(of_x, exporter::record(of_x, step()), {});
  });
}

TEST(Recording, HoldsWhatTheOutputsNeed) {
  const Var weight(Tensor::from(std::vector<float>{1, 2, 3}, {1, 3}));
  const exporter::Recording r = exporter::record(function([&](const Var& x) {
                                                   autograd::exp(x);
                                                   return autograd::linear(x, 2 * weight, {});
                                                 }),
                                                 step());
  ASSERT_EQ(r.calls.size(), 1u);
  EXPECT_EQ(r.calls[0].op, "linear");
  EXPECT_EQ(to_doubles(r.values.at(static_cast<size_t>(r.calls[0].inputs[1])).constant),
            (std::vector<double>{2, 4, 6}));
  EXPECT_EQ(r.values.at(static_cast<size_t>(r.outputs[0].value)).extents,
            (exporter::Extents{exporter::kBatch, 1}));
}

TEST(Recording, FollowsValuesThatAreCutOff) {
  const exporter::Recording r = exporter::record(
      function([](const Var& x) { return autograd::exp(Var(autograd::tanh(x).value())); }), step());
  EXPECT_EQ(r.calls.size(), 2u);
}

TEST(Recording, RefusesHiddenValues) {
  refuse("depends on the inputs",
         [](const Var& x) { return x * Var(Tensor::scalar(static_cast<float>(to_doubles(x.value())[0]))); });
}

TEST(Recording, RefusesAnotherComputationForAnotherBatch) {
  refuse("depends on the size of the batch",
         [](const Var& x) { return x.shape()[0] > 2 ? autograd::exp(x) : autograd::tanh(x); });
  refuse("is 6 for a batch of 2", [](const Var& x) { return autograd::reshape(x, {-1}); });
}

TEST(Translate, NamesWhatItHasNoTranslationOf) {
  refuse("f: the function log_sum_exp has no translation to ONNX",
         [](const Var& x) { return autograd::log_sum_exp(x, kernels::Axis::columns(x.shape()[0], 3)); });
  refuse("f: the function squared_error has no translation to ONNX", [](const Var& x) {
    return autograd::map(kernels::Map::squared_error, {x, x});
  });
}

TEST(Translate, RefusesColumnsUnderImages) {
  refuse("f: an operand 1x2 under -1x2x2x2 does not broadcast as ONNX has it",
         [](const Var& x) {
           const Var columns = autograd::reshape(
               autograd::matmul(x, kernels::Transpose::yes, x, kernels::Transpose::no), {1, 64});
           return autograd::reshape(x, {-1, 2, 2, 2}) * autograd::slice_columns(columns, 0, 2);
         },
         {8});
}

/// Nets of all kinds, and pools, with padding, in both forms of the average.
TEST(Translate, Images) {
  const TemporaryDirectory directory;
  const auto check = [&](const std::function<Var(const Var&)>& f, const Shape& shape) {
    const Function of_x = function(f, shape);
    exporter::translate(of_x, exporter::record(of_x, step()), {}).save(directory / "f.onnx");
    const int64_t n = 3, h = shape[0], w = shape[1], c = shape[2];
    const Tensor x = Tensor::empty({n, h, w, c});
    kernels::random_normal(x, RandomKey::named(2, "x"), Tensor::scalar(int64_t{0}), {});
    Array first{{n, c, h, w}, std::vector<double>(static_cast<size_t>(x.numel()))};
    for (int64_t i = 0; i < x.numel(); ++i)
      first.values[static_cast<size_t>((i / (h * w * c) * c + i % c) * h * w + i / c % (h * w))] =
          x.data<float>()[i];
    const Array y = evaluate(directory / "f.onnx", {{"x", first}}).outputs.at("y");
    const Tensor expected = f(Var(x)).value();
    ASSERT_EQ(y.extents.size(), 2u);
    EXPECT_LT(distance(y.values, to_doubles(expected)), 5e-6);
  };
  using kernels::Divisor;
  for (const Divisor divisor : {Divisor::window, Divisor::pixels})
    check(
        [=](const Var& x) {
          return autograd::flatten(autograd::avg_pool2d(x, {3, 2, 1}, divisor));
        },
        {5, 4, 2});
  check(
      [](const Var& x) {
        return autograd::flatten(autograd::max_pool2d(autograd::relu(x), {3, 2, 1}));
      },
      {5, 4, 2});
  check([](const Var& x) { return autograd::flatten(autograd::softmax(autograd::square(x))); }, {2, 3, 4});
  using namespace backbones;
  for (const Config& config : {Config{.sizes = PreActResNet{.blocks = {1, 1}, .expansion = 2, .stem = 2}},
                               Config{.sizes = DenseNet{.growth = 2, .blocks = {2, 2}, .stem = 3}}}) {
    nn::Module root;
    const auto net = make(&root, "net", config);
    for (const auto& p : root.parameters())
      kernels::random_normal(p.var.value(), RandomKey::named(3, p.name), Tensor::scalar(int64_t{0}), {});
    root.set_training(false);
    check([&](const Var& x) { return (*net)(x, x.shape()[0], step()); }, {8, 8, 3});
  }
}

}  // namespace
}  // namespace vae::test
