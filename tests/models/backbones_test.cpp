// Deep backbones: sizes and names of the published nets, gradients, dropout, what is refused.
#include <gtest/gtest.h>

#include <map>

#include "autograd/gradcheck.h"
#include "models/backbones/backbone.h"
#include "nn/init.h"
#include "tests/expect_error.h"
#include "tests/models/few.h"

namespace vae::backbones {
namespace {

using test::expect_error;

/// A net of its own, below "encoder".
struct Root : nn::Module {
  explicit Root(const Config& config, nn::Options options = {.dtype = DType::f64})
      : Module(options), net(make(this, "encoder", config)) {}
  std::unique_ptr<Backbone> net;
};

train::Step step(int64_t iteration = 0) { return {7, Tensor::scalar(iteration), DType::f64}; }

Var images(int64_t n, int64_t side, int64_t channels = 3) {
  return Var(test::sample_tensor({n, side, side, channels}, DType::f64, kCpu, 0, 1));
}

/// A small net of each family, and of bottlenecks.
std::map<std::string, Config> tiny_nets() {
  return {{"wide", {.sizes = WideResNet{10, 0.25, 2}}},
          {"basic", {.sizes = PreActResNet{{1, 2}, 1, 2}}},
          {"bottleneck", {.sizes = PreActResNet{{1, 2}, 3, 2}}},
          {"dense", {.sizes = DenseNet{3, {2, 1}, 3, 2, 0.6}}}};
}

std::vector<std::string> names_of(const nn::Module& module) {
  std::vector<std::string> names;
  for (const nn::Module::Parameter& p : module.parameters()) names.push_back(p.name);
  return names;
}

// Totals of the published nets for ten classes, less the decoder and the linear heads of 128 + 128 + 10
// units.
TEST(Backbones, HaveAsManyParametersAsThePublishedNets) {
  const std::map<std::string, std::pair<int64_t, int64_t>> totals{
      {"wideresnet-28-2", {128, 12'790'346}},  {"wideresnet-28-10", {640, 47'933'770}},
      {"preactresnet18", {512, 22'593'930}},   {"preactresnet34", {512, 32'702'090}},
      {"preactresnet50", {2048, 35'330'954}},  {"preactresnet101", {2048, 54'323'082}},
      {"preactresnet152", {2048, 69'966'730}}, {"densenet121", {1024, 18'508'234}},
      {"densenet161", {2208, 38'337'450}},     {"densenet169", {1664, 24'209'098}},
      {"densenet201", {1920, 29'885'642}},     {"densenetbc100", {342, 12'146'466}},
      {"densenetbc190", {2180, 37'029'618}},   {"densenetbc250", {1734, 27'058'086}}};
  for (const auto& [name, expected] : totals) {
    const auto [features, total] = expected;
    const Root root(parse(name), {});
    EXPECT_EQ(root.net->features(), features) << name;
    EXPECT_EQ(root.net->parameter_count(), total - 11'289'472 - 266 * (features + 1)) << name;
  }
  EXPECT_EQ(Root(parse("wideresnet-28-2"), {}).net->parameter_count(), 1'466'560);
  EXPECT_EQ(Root(parse("wideresnet-28-10"), {}).net->parameter_count(), 36'473'792);
}

TEST(Backbones, NamesOfAWideResidualNet) {
  const auto unit = [](const std::string& path, bool shortcut) {
    std::vector<std::string> names;
    for (const char* part :
         {"norm1.weight", "norm1.bias", "conv1.weight", "norm2.weight", "norm2.bias", "conv2.weight"})
      names.push_back(path + ".f_block." + part);
    if (shortcut)
      for (const char* part : {"norm.weight", "norm.bias", "conv.weight"})
        names.push_back(path + ".i_block." + part);
    return names;
  };
  std::vector<std::string> expected{"encoder.pre_process.conv0.weight", "encoder.pre_process.conv0.bias"};
  for (const int block : {1, 2, 3})
    for (const auto& name : unit(fmt::format("encoder.wideblock{0}.wide_block.wideunit1", block), block > 1))
      expected.push_back(name);
  for (const char* part : {"weight", "bias"})
    expected.push_back(std::string("encoder.transition.norm.") + part);
  EXPECT_EQ(names_of(Root({.sizes = WideResNet{10, 0.25, 4}})), expected);
}

TEST(Backbones, NamesOfTheOtherNets) {
  const auto has = [](const Config& config, const std::vector<std::string>& expected) {
    const std::vector<std::string> names = names_of(Root(config));
    for (const std::string& name : expected)
      EXPECT_EQ(std::count(names.begin(), names.end(), "encoder." + name), 1) << name;
    EXPECT_EQ(names.back(), "encoder." + expected.back());
  };
  has({.sizes = PreActResNet{{1, 2}, 1, 2}},
      {"pre_process.conv0.bias", "block1.preact_block.unit1.f_block.conv1.weight",
       "block2.preact_block.unit1.i_block.norm.weight", "block2.preact_block.unit1.i_block.conv.weight",
       "block2.preact_block.unit2.f_block.norm2.weight", "transition.norm.bias"});
  has({.sizes = PreActResNet{{1, 1}, 4, 2}},
      {"block1.preact_block.unit1.f_block.conv3.weight", "block1.preact_block.unit1.i_block.conv.weight",
       "block2.preact_block.unit1.f_block.norm3.bias", "transition.norm.bias"});
  has({.sizes = DenseNet{3, {2, 1}, 4}},
      {"pre_process.conv0.weight", "denseblock1.denselayer2.norm1.weight",
       "denseblock1.denselayer2.conv2.weight", "transition1.norm.weight", "transition1.conv.weight",
       "denseblock2.denselayer1.conv1.weight", "transition2.norm.bias"});
}

TEST(Backbones, TheLastNormMayHaveAnotherName) {
  Config config{.sizes = WideResNet{10, 0.25, 4}};
  config.last_norm = "global_avg.norm";
  const Root root(config);
  const auto names = names_of(root);
  EXPECT_EQ(names.front(), "encoder.pre_process.conv0.weight");
  EXPECT_EQ(names.back(), "global_avg.norm.bias");
}

TEST(Backbones, ShapesOfWeightsAndFeatures) {
  for (auto& [name, config] : tiny_nets()) {
    config.channels = 2;
    Root root(config);
    test::scatter(root);
    const Var y = (*root.net)(images(3, 8, 2), 3, step());
    EXPECT_EQ(y.shape(), (Shape{3, root.net->features()})) << name;
    EXPECT_EQ(test::parameter_of(root, "encoder.pre_process.conv0.weight").shape()[3], 2) << name;
  }
  const Root wide({.sizes = WideResNet{10, 0.3, 5}});  // 4.8, 9.6 and 19.2 channels, cut
  EXPECT_EQ(wide.net->features(), 19);
  EXPECT_EQ(test::parameter_of(wide, "encoder.wideblock2.wide_block.wideunit1.f_block.conv1.weight").shape(),
            (Shape{9, 3, 3, 4}));
  const Root dense({.sizes = DenseNet{3, {1, 1}, 4}});  // half of seven channels, cut
  EXPECT_EQ(test::parameter_of(dense, "encoder.transition1.conv.weight").shape(), (Shape{3, 1, 1, 7}));
}

TEST(Backbones, GradientsWithDropout) {
  for (auto& [name, config] : tiny_nets()) {
    config.dropout = 0.3;
    Root root(config);
    test::scatter(root);
    autograd::NamedInputs inputs;
    for (const nn::Module::Parameter& p : root.parameters()) inputs.emplace_back(p.name, p.var);
    const Tensor x = images(2, 5).value();
    inputs.emplace_back("images", Var(x, true));
    const auto f = [&] { return (*root.net)(inputs.back().second, 2, step()); };
    const autograd::GradcheckResult result = autograd::gradcheck(f, inputs, {.max_elements = 24});
    EXPECT_TRUE(result.ok) << name << "\n" << result.str();
    EXPECT_LT(result.kinks.size(), static_cast<size_t>(result.checked) / 10) << name;
  }
}

/// Names and sizes of the noise that a pass asks for.
std::vector<std::pair<std::string, Shape>> noise_of(const Backbone& net, int64_t side) {
  std::vector<std::pair<std::string, Shape>> asked;
  const train::Step recording =
      step().in("l1").with_noise([&](const std::string& name, Shape shape, train::Draw draw) {
        EXPECT_EQ(draw, train::Draw::uniform);
        asked.emplace_back(name, shape);
        return test::sample_tensor(shape, DType::f64, kCpu, 0, 1);
      });
  net(images(3, side), 3, recording);
  return asked;
}

TEST(Backbones, DropoutsCountInTheOrderOfTheirExecution) {
  using Asked = std::vector<std::pair<std::string, Shape>>;
  Root root({.sizes = PreActResNet{{1, 2, 1, 1}, 1, 2}, .dropout = 0.25});
  const Asked expected{{"l1/drop_0", {3, 2 * 32 * 32}},
                       {"l1/drop_1", {3, 4 * 16 * 16}},
                       {"l1/drop_2", {3, 4 * 16 * 16}},
                       {"l1/drop_3", {3, 8 * 8 * 8}},
                       {"l1/drop_4", {3, 16 * 4 * 4}}};
  EXPECT_EQ(noise_of(*root.net, 32), expected);
  root.set_training(false);
  EXPECT_EQ(noise_of(*root.net, 32), Asked{});
  const Root without({.sizes = PreActResNet{{1, 2, 1, 1}, 1, 2}});
  EXPECT_EQ(noise_of(*without.net, 32), Asked{});
  const Root bottleneck({.sizes = PreActResNet{{1}, 3, 2}, .dropout = 0.25});  // behind the 3x3 convolution
  EXPECT_EQ(noise_of(*bottleneck.net, 8), (Asked{{"l1/drop_0", {3, 2 * 8 * 8}}}));
  const Root dense({.sizes = DenseNet{3, {1, 1}, 4}, .dropout = 0.25});  // of the new channels
  EXPECT_EQ(noise_of(*dense.net, 8), (Asked{{"l1/drop_0", {3, 3 * 64}}, {"l1/drop_1", {3, 3 * 16}}}));
}

TEST(Backbones, DropoutChangesTrainingAlone) {
  for (auto& [name, config] : tiny_nets()) {
    config.dropout = 0.4;
    Root root(config);
    test::scatter(root);
    const auto run = [&](int64_t iteration) {
      return to_doubles((*root.net)(images(3, 8), 3, step(iteration)).value());
    };
    EXPECT_EQ(run(0), run(0)) << name;
    EXPECT_NE(run(0), run(1)) << name;
    root.set_training(false);
    EXPECT_EQ(run(0), run(1)) << name;
    // An image alone: running statistics, so no other image counts.
    const auto alone = to_doubles((*root.net)(Var(images(3, 8).value().slice(0, 1)), 1, step()).value());
    std::vector<double> first = run(0);
    first.resize(alone.size());
    EXPECT_LE(test::distance(alone, first), 1e-12) << name;
  }
}

/// Feature 0 of images of ones in test mode, where the stem makes -0.5 of a pixel, the shortcuts copy channel
/// 0, all other convolutions give zero, and the last norm adds one.
double through_shortcuts(const Config& config) {
  Root root(config);
  root.set_training(false);
  for (const nn::Module::Parameter& p : root.parameters()) {
    const bool stem = p.name.ends_with("conv0.weight"), shortcut = p.name.ends_with("i_block.conv.weight");
    std::vector<double> values = to_doubles(p.var.value());
    if (stem) values[4] = -0.5;  // the middle of the window
    if (shortcut) values[0] = 1;
    if (p.name.ends_with("transition.norm.bias")) values[0] = 1;
    p.var.value().copy_from(test::tensor_of(values, p.var.shape(), DType::f64));
  }
  const Var ones(test::tensor_of(std::vector<double>(64, 1), {1, 8, 8, 1}, DType::f64));
  return to_doubles((*root.net)(ones, 1, step()).value()).front();
}

TEST(Backbones, OnlyShortcutsOfWideNetsHaveAnActivation) {
  nn::BatchNormOptions norm;
  norm.eps = 0;
  EXPECT_DOUBLE_EQ(through_shortcuts({.sizes = WideResNet{10, 1, 1}, .channels = 1, .norm = norm}),
                   1 - 0.5 * 0.01 * 0.01 * 0.01);
  EXPECT_DOUBLE_EQ(
      through_shortcuts({.sizes = WideResNet{10, 1, 1}, .channels = 1, .leaky_slope = 0.5, .norm = norm}),
      1 - 0.5 * 0.125);
  EXPECT_DOUBLE_EQ(through_shortcuts({.sizes = PreActResNet{{1, 1}, 3, 1}, .channels = 1, .norm = norm}),
                   0.5);
}

TEST(Backbones, RefusesWhatMakesNoNet) {
  const auto refused = [](const std::string& words, const std::string& name) {
    expect_error(ErrorKind::usage, words, [&] { parse(name); });
  };
  refused("no backbone 'resnet18': there are wideresnet-DEPTH-WIDTH, preactresnet18, preactresnet34, ",
          "resnet18");
  refused("densenetbc250", "densenet");
  refused("no backbone 'wideresnet-28'", "wideresnet-28");
  refused("no backbone 'wideresnet-28-2x'", "wideresnet-28-2x");
  refused("depth 27, width 2", "wideresnet-27-2");
  refused("depth 4, width 2", "wideresnet-4-2");
  refused("width 0", "wideresnet-28-0");
  refused("width nan", "wideresnet-28-nan");
  const auto no_net = [](const std::string& words, const Config& config) {
    expect_error(ErrorKind::usage, words, [&] { const Root root(config); });
  };
  no_net("blocks [] and sizes [1, 64]", {.sizes = PreActResNet{{}}});
  no_net("blocks [2, 0]", {.sizes = PreActResNet{{2, 0}}});
  no_net("sizes [0, 24, 4]", {.sizes = DenseNet{0}});
  no_net("keep 0 of the channels", {.sizes = DenseNet{.compression = 0}});
  no_net("dropout ratio 1", {.sizes = WideResNet{}, .dropout = 1});
  no_net("images of 0 channels", {.sizes = WideResNet{}, .channels = 0});
  no_net("depth 11", {.sizes = WideResNet{11}});
}

}  // namespace
}  // namespace vae::backbones
