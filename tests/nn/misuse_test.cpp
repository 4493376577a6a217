// What layers, flat parameters and optimisers refuse, with the messages in full.
#include <gtest/gtest.h>

#include "nn/distributions.h"
#include "nn/image_layers.h"
#include "nn/mlp.h"
#include "nn/optimizer.h"
#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::nn {
namespace {

using autograd::Tape;
using test::expect_misuse;

struct Net : Module {
  using Module::Module;
  struct Encoder : Module {
    using Module::Module;
    Conv2d c1{this, "c1", 1, 8, Window(4, 2, 1)};
    Linear e{this, "e", 14 * 14 * 8, 16};
    BatchNorm norm{this, "norm", 16};
    Dropout drop{this, "drop", 0.5, "drop"};
  } encoder{this, "encoder"};
  ConvTranspose2d t1{this, "t1", 8, 1, Window(4, 2, 1)};
};

Var f32(Shape shape) { return Var(Tensor::zeros(shape)); }

TEST(Misuse, LayersAreNamedByTypeAndPath) {
  Net net;
  expect_misuse("Conv2d encoder.c1: x is f32 [2, 1, 28, 28], expected [N, H, W, 1]: images are NHWC", [&] {
    net.encoder.c1(f32({2, 1, 28, 28}));
  });
  expect_misuse("ConvTranspose2d t1: x is f32 [2, 8, 14, 14], expected [N, H, W, 8]: images are NHWC", [&] {
    net.t1(f32({2, 8, 14, 14}));
  });
  expect_misuse("Linear encoder.e: x is f32 [2, 14, 14, 8], expected [n, 1568]: flatten(x)", [&] {
    net.encoder.e(f32({2, 14, 14, 8}));
  });
  expect_misuse("Linear encoder.e: x is undefined", [&] { net.encoder.e({}); });
  expect_misuse(
      "Linear encoder.e: weight is f32 [16, 1568] on cpu, but x is f64 [2, 1568] on cpu: operands have one "
      "dtype and lie on one device",
      [&] {
        net.encoder.e(Var(Tensor::zeros({2, 1568}, DType::f64)));
      });
  for (const bool training : {true, false}) {
    net.set_training(training);
    expect_misuse("BatchNorm encoder.norm: x is f32 [2, 5], expected [n, 16] or images [N, H, W, 16]", [&] {
      net.encoder.norm(f32({2, 5}));
    });
  }
  EXPECT_NO_THROW(net.encoder.norm.of_first(f32({2, 20})));
  expect_misuse("BatchNorm encoder.norm: x is f32 [2, 5], expected [n, 16] or images [N, H, W, 16]", [&] {
    net.encoder.norm.of_first(f32({2, 5}));
  });
  EXPECT_NO_THROW(net.encoder.norm(f32({1, 16})));  // with the statistics that it has
  net.set_training(true);
  expect_misuse(
      "BatchNorm encoder.norm: x is f32 [1, 16], one value per channel: its deviation from its own mean is "
      "zero",
      [&] {
        net.encoder.norm(f32({1, 16}));
      });
  expect_misuse("Dropout encoder.drop: x is undefined", [&] { net.encoder.drop({}); });
  expect_misuse("linear: x is undefined", [] {
    autograd::linear({}, f32({2, 2}), {});
  });  // no layer any more
}

TEST(Misuse, ALayerThatIsARootOrInAnMlp) {
  Module root;
  const Linear bare(&root, "", 3, 2);
  expect_misuse("Linear: x is f32 [2, 4], expected [n, 3]", [&] { bare(f32({2, 4})); });
  const Mlp mlp(&root, "mlp", {3, 4, 2}, {});
  expect_misuse("Linear mlp.0: x is f32 [2, 4], expected [n, 3]", [&] { mlp(f32({2, 4})); });
  mlp(f32({2, 3}));
}

TEST(Misuse, AWindowThatDoesNotFit) {
  Module root;
  expect_misuse(
      "ConvTranspose2d none: the window 2x2 stride 1x1 padding 1x1 leaves nothing of the images x, f32 [1, "
      "1, 1, 1]",
      [&] {
        ConvTranspose2d(&root, "none", 1, 1, Window(2, 1, 1))(f32({1, 1, 1, 1}));
      });
}

TEST(Misuse, FewerImagesThanSamples) {
  const Gaussian q{f32({2, 3}), f32({2, 3})};
  expect_misuse(
      "reparameterize: mu is f32 [2, 3], eps is f32 [4, 3]: rows repeat only where asked for, by "
      "repeating(mu)",
      [&] {
        sample(q, f32({4, 3}));
      });
  EXPECT_EQ(sample(repeating(q), f32({4, 3})).shape(), (Shape{4, 3}));
  expect_misuse(
      "bernoulli_nll: target is f32 [2, 3], logits is f32 [4, 3]: rows repeat only where asked for, by "
      "repeating(target)",
      [&] {
        log_likelihood(q.mean, Bernoulli{f32({4, 3})});
      });
}

// ---- parameters and optimisers

struct Small : Module {
  using Module::Module;
  Linear a{this, "a", 3, 2}, b{this, "b", 2, 1};
  Var loss() const { return autograd::mean(b(a(Var(test::sample_tensor({4, 3}, DType::f32))))); }
};

TEST(Misuse, TwoStoresOverOneModule) {
  Small net;
  const std::string message =
      "FlatParameters: parameter a.weight lies in another FlatParameters already, which would train nothing "
      "from now "
      "on: one for each module, and one optimiser over it";
  {
    const FlatParameters first(net);
    expect_misuse(message, [&] { FlatParameters second(net); });
    expect_misuse(
        "FlatParameters: parameter weight lies in another FlatParameters already, which would train nothing "
        "from now on: one for each module, and one optimiser over it",
        [&] { FlatParameters part(net.a); });
  }
  const std::vector<double> before = to_doubles(net.a.weight.value());
  FlatParameters again(net);  // the first one is gone
  EXPECT_EQ(to_doubles(net.a.weight.value()), before);
}

TEST(Misuse, ModulesWithoutParametersOrOfSeveralTypes) {
  Module empty;
  expect_misuse("FlatParameters: the module has no parameters", [&] { FlatParameters flat(empty); });
  Small frozen;
  frozen.freeze();
  expect_misuse("FlatParameters: all parameters of the module are frozen",
                [&] { FlatParameters flat(frozen); });
  Small mixed;
  mixed.b.weight.node()->value = Tensor::zeros({1, 2}, DType::f64);
  expect_misuse(
      "FlatParameters: parameter b.weight is f64 [1, 2] on cpu, but a.weight is f32 [2, 3] on cpu: they have "
      "one dtype and lie on one device",
      [&] { FlatParameters flat(mixed); });
}

TEST(Misuse, AStepWithoutAFreshBackward) {
  const std::string none =
      "Optimizer::step: no backward() has reached a parameter of this optimiser since clear_gradients()";
  const std::string taken =
      "Optimizer::step: the gradients were applied by the step before: clear_gradients() and backward() come "
      "first";
  Small net;
  FlatParameters flat(net);
  Adam adam(flat, {});
  const auto walk = [&] {
    Tape tape;
    tape.backward(net.loss());
  };
  const auto expect_refused = [&](const std::string& message) {
    const auto values = to_doubles(flat.values());
    const double t = adam.t().item();
    expect_misuse(message, [&] { adam.step(); });
    EXPECT_EQ(to_doubles(flat.values()), values);
    EXPECT_EQ(adam.t().item(), t);
  };
  expect_refused(none);
  walk();
  adam.step();
  expect_refused(taken);
  walk();  // on top of the old ones
  expect_refused(taken);
  flat.clear_gradients();
  expect_refused(none);
  walk();
  adam.step();
  EXPECT_EQ(adam.t().item(), 2);
  flat.clear_gradients();
  flat.finish_gradients();  // zero gradients, on purpose
  adam.step();
  EXPECT_EQ(adam.t().item(), 3);
}

}  // namespace
}  // namespace vae::nn
