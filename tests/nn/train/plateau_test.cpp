// A rate that falls on a plateau, alone and as that of a group in a training that is recorded and resumed.
#include "nn/train/plateau.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops.h"
#include "nn/train/checkpoint.h"
#include "nn/train/task.h"
#include "tests/expect_error.h"
#include "tests/temporary_directory.h"

namespace vae::train {
namespace {

TEST(Plateau, FollowsTheRule) {
  Plateau plateau(1, {.factor = 0.5, .patience = 2, .threshold = 0.1});
  const std::vector<std::pair<double, double>> epochs{
      {10, 1},                            // the first is the best
      {9.5, 1},                           // no gain of a tenth
      {9.1, 1},                           // none
      {9, 0.5},                           // not below 9: the third in a row
      {8.99, 0.5},                        // below 9, since the best is still 10
      {8.2, 0.5},  {8.2, 0.5}, {8, 0.5},  // below 8.091: the count begins anew
      {8, 0.5},    {8, 0.5},   {8, 0.25}, {8, 0.25}, {8, 0.25}, {8, 0.125}};
  for (size_t i = 0; i < epochs.size(); ++i) {
    EXPECT_EQ(plateau.step(epochs[i].first), epochs[i].second) << "epoch " << i;
    EXPECT_EQ(plateau.rate().item(), epochs[i].second) << "epoch " << i;
  }
}

TEST(Plateau, WhatIsNoNumberIsNoGainAndTinyChangesAreLeftOut) {
  Plateau plateau(1e-7, {.factor = 0.1, .patience = 0});
  EXPECT_EQ(plateau.step(NAN), 1e-7 * 0.1);
  EXPECT_EQ(plateau.step(1), 1e-7 * 0.1);
  EXPECT_EQ(plateau.step(1), 1e-7 * 0.1) << "a change of 9e-9";
}

TEST(Plateau, RefusesSettingsThatAreNone) {
  test::expect_error(ErrorKind::usage, "learning rate 0", [] { Plateau(0, {}); });
  test::expect_error(ErrorKind::usage, "cannot fall by 1 ", [] { Plateau(1, {.factor = 1}); });
  test::expect_error(ErrorKind::usage, "after -1 epochs", [] { Plateau(1, {.patience = -1}); });
}

TEST(Plateau, GoesOnFromItsStateAfterAnyEpoch) {
  const test::TemporaryDirectory directory;
  const std::vector<double> losses{3, 2, 2, 2, 2, 1, 1, 1, 1, 1};
  const Plateau::Settings settings{.factor = 0.5, .patience = 1};
  for (size_t stop = 0; stop < losses.size(); ++stop) {
    Plateau whole(1, settings), first(1, settings), second(7, settings);
    nn::StateDict from, to;
    first.add_state(from), second.add_state(to);
    for (size_t i = 0; i < losses.size(); ++i) {
      if (i == stop) {  // before the first epoch, too
        save_checkpoint(directory / "state", from, nlohmann::json::object());
        load_checkpoint(directory / "state", to, nlohmann::json::object());
      }
      const double rate = whole.step(losses[i]);
      EXPECT_EQ((i < stop ? first : second).step(losses[i]), rate) << stop << " " << i;
    }
    EXPECT_EQ(whole.rate().item(), 0.125);
  }
}

/// A weight that goes down by the rate in each step, in epochs of two iterations of which none gains.
class Flat : public Recipe {
 public:
  nn::Module& model() override { return net_; }
  nlohmann::json meta() const override { return {{"model", "flat"}}; }
  void add_state(nn::StateDict& state) override {
    net_.add_state(state);
    plateau_.add_state(state);
    epoch_.add_state(state, "epoch");
  }
  std::vector<Group> groups() override { return {{"net", &net_, nn::Sgd::Settings{}, plateau_.rate()}}; }
  void prepare(int64_t iteration) override {
    if (iteration % steps_per_pass() != 0) return;
    for (const Scalar& mean : epoch_.drain()) plateau_.step(mean.value);
  }
  std::vector<Update> updates(const Step&) override {
    return {{.losses = {[this] {
               epoch_.add("loss", loss_);
               epoch_.count();
               return autograd::sum(net_.weight);
             }}}};
  }
  int64_t images_per_step() const override { return 1; }
  int64_t steps_per_pass() const override { return 2; }
  std::vector<std::string> training_metrics() const override { return {}; }
  std::vector<std::string> evaluation_metrics() const override { return {}; }
  Scalars evaluate(const Step&) override { return {}; }
  void report(report::Summary&, const Step&) override {}
  double weight() const { return net_.weight.value().item(); }

 private:
  struct Net : nn::Module {
    Var weight = parameter("weight", {1}, 1);
  } net_;
  Plateau plateau_{1, {.factor = 0.5, .patience = 0}};
  Meter epoch_{{"loss"}, kCpu};
  Tensor loss_ = Tensor::scalar(1.0);
};

TEST(Plateau, IsTheRateOfAGroup) {
  for (const GraphMode mode : {GraphMode::off, GraphMode::on}) {
    const std::vector<double> rates{1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.125};
    for (size_t stop = 0; stop < rates.size(); ++stop) {
      Flat recipe, other;
      Task task(recipe, {.graph = mode}), resumed(other, {.graph = mode});
      double weight = 1;
      for (size_t i = 0; i < rates.size(); ++i) {
        if (i == stop) {
          const nn::StateDict from = task.state(), to = resumed.state();
          for (const auto& [name, tensor] : to.entries()) tensor.copy_from(*from.find(name));
        }
        (i < stop ? task : resumed).step();
        EXPECT_EQ((i < stop ? recipe : other).weight(), weight -= rates[i]) << stop << " " << i;
      }
    }
  }
}

}  // namespace
}  // namespace vae::train
