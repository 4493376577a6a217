// What Fit refuses before there is a run, weights in a file of their own, the accuracy as a metric. Training,
// resuming and pictures are tried with the examples on the installed package (tests/install).
#include "nn/fit/fit.h"

#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "nn/init.h"
#include "nn/layers.h"
#include "tests/expect_error.h"
#include "tests/numeric.h"
#include "tests/temporary_directory.h"

namespace vae::fit {
namespace {

struct Net : nn::Module {
  using Module::Module;
  nn::Linear out{this, "out", 784, 3};
};

Losses loss_of(const Net& net, const Var& x) {
  const Var y = net.out(autograd::flatten(x));
  return {autograd::mean(autograd::square(y)), {{"y", autograd::mean(y)}}};
}

TEST(Fit, RefusesBeforeThereIsARun) {
  const test::TemporaryDirectory folder;
  Net net;
  const auto refused = [&](const std::string& words, FitOptions options, const Fit::ImageLoss& loss) {
    options.run = folder.path() / "run";
    test::expect_error(ErrorKind::usage, words, [&] { Fit(net, loss, options); });
    EXPECT_FALSE(std::filesystem::exists(options.run));
  };
  const auto loss = [&](const Var& x, const Step&) { return loss_of(net, x); };
  refused("with batches of 0", {.run = {}, .batch = 0}, loss);
  refused("at rate 0", {.run = {}, .learning_rate = 0}, loss);
  refused("two metrics 'y'", {.run = {}}, [&](const Var& x, const Step&) {
    const Var y = loss_of(net, x).total;
    return Losses{y, {{"y", y}, {"y", y}}};
  });
  refused("metric 'rows' is f32 [1, 3] on cpu, not one number", {.run = {}}, [&](const Var& x, const Step&) {
    return Losses{loss_of(net, x).total, {{"rows", net.out(autograd::flatten(x))}}};
  });
  refused("Linear out: x is f32 [1, 28, 28, 1], expected [n, 784]: flatten(x)", {.run = {}},
          [&](const Var& x, const Step&) { return Losses{autograd::mean(net.out(x))}; });
  test::expect_error(ErrorKind::usage, "name a directory", [&] { Fit(net, Fit::ImageLoss(loss), {}); });
  Net exact({.dtype = DType::f64});
  test::expect_error(ErrorKind::usage, "the module is f64",
                     [&] { Fit(exact, Fit::ImageLoss(loss), {.run = folder.path() / "run"}); });
}

TEST(Fit, WeightsGoToAFileAndBack) {
  const test::TemporaryDirectory folder;
  const auto file = folder.path() / "net.safetensors";
  Net net({.seed = 3}), other;
  nn::init_where_zero(net);
  const Tensor first = net.out.weight.value().clone();
  nn::init_where_zero(net);  // not zero any more: left as it is
  EXPECT_TRUE(same_bits(first, net.out.weight.value()));
  save_weights(net, file);
  load_weights(other, file);
  for (size_t i = 0; i < 2; ++i)
    EXPECT_TRUE(same_bits(net.parameters()[i].var.value(), other.parameters()[i].var.value()));
  struct Larger : nn::Module {
    nn::Linear out{this, "out", 784, 4};
  } larger;
  test::expect_error(ErrorKind::data, "out.weight", [&] { load_weights(larger, file); });
  test::expect_error(ErrorKind::io, "none", [&] { load_weights(other, folder.path() / "none"); });
}

TEST(Fit, AccuracyIsTheShareOfRightRows) {
  const Var logits(Tensor::from(std::vector<float>{2, 1, 0, 0, 3, 1, 1, 0, 5, 4, 0, 0}, {4, 3}));
  const Tensor labels = Tensor::from(std::vector<int64_t>{0, 1, 0, 0}, {4});
  EXPECT_FLOAT_EQ(static_cast<float>(accuracy(logits, labels).value().item()), 0.75F);
}

}  // namespace
}  // namespace vae::fit
