// Updates of groups and what runs behind them; numbers that a recipe reads off its state, on their way to the
// log.
#include "nn/train/task.h"

#include <gtest/gtest.h>

#include <sstream>

#include "autograd/ops.h"
#include "nn/train/loop.h"
#include "tests/read_text.h"
#include "tests/temporary_directory.h"

namespace vae::train {
namespace {

/// A weight that begins at one.
struct Player : nn::Module {
  using Module::Module;
  Var weight = parameter("weight", {1}, 1);
  double value() const { return weight.value().item(); }
};

/// Two of them, each a group of its own. In an iteration the first goes down by its rate, then the second;
/// `seen` has their weights after each update.
class Players : public Recipe {
 public:
  nn::Module& model() override { return root_; }
  nlohmann::json meta() const override { return {{"model", "players"}}; }
  std::vector<Group> groups() override {
    const auto adam = [](double rate) { return nn::Adam::Settings{.learning_rate = rate, .rule = {}}; };
    return {{"first", &first, adam(0.125), {}}, {"second", &second, adam(0.25), {}}};
  }
  std::vector<Update> updates(const Step& step) override {
    const auto loss = [](const Player& player) { return [&] { return autograd::sum(player.weight); }; };
    const auto metric = [=, this] {
      const Var loss = autograd::sum(second.weight);
      step.metric("loss", loss);
      return loss;
    };
    const auto look = [this] { seen.emplace_back(first.value(), second.value()); };
    return {{.groups = {"first"}, .losses = {loss(first), loss(first)}, .after = look},
            {.groups = {"second"}, .losses = {metric}, .after = look}};
  }
  int64_t images_per_step() const override { return 1; }
  int64_t steps_per_pass() const override { return 2; }
  std::vector<std::string> training_metrics() const override { return {"loss"}; }
  std::vector<std::string> reading_metrics() const override { return {"first", "second"}; }
  std::vector<std::string> evaluation_metrics() const override { return {"test_loss"}; }
  Scalars read() override { return {{"first", first.value()}, {"second", second.value()}}; }
  Scalars evaluate(const Step&) override { return {{"test_loss", 7}}; }
  void report(report::Summary&, const Step&) override {}

  std::vector<std::pair<double, double>> seen;

 private:
  nn::Module root_;

 public:
  Player first{&root_, "first"}, second{&root_, "second"};
};

// Steps of Adam are of the size of the rate.
TEST(Update, AfterRunsOnceBehindTheStep) {
  Players players;
  Task task(players, {.graph = GraphMode::off});
  task.step();
  ASSERT_EQ(players.seen.size(), 2u) << "once for each update, whatever the number of its losses";
  EXPECT_NEAR(players.seen[0].first, 0.875, 1e-6) << "the group has stepped";
  EXPECT_EQ(players.seen[0].second, 1) << "the other has not";
  EXPECT_NEAR(players.seen[1].first, 0.875, 1e-6);
  EXPECT_NEAR(players.seen[1].second, 0.75, 1e-6);
  task.step();
  ASSERT_EQ(players.seen.size(), 4u);
  EXPECT_NEAR(players.seen[2].first, 0.75, 1e-6);
}

TEST(Update, AfterDoesNotRunWhereALossFails) {
  Players players;
  Groups groups(players.groups());
  const Tensor iteration = Tensor::scalar(int64_t{0});
  int runs = 0;
  const Update bad{.groups = {"first"},
                   .losses = {[]() -> Var { fail(ErrorKind::internal, "no loss"); }},
                   .after = [&] { ++runs; }};
  EXPECT_THROW(groups.run(bad, iteration), Error);
  EXPECT_EQ(runs, 0);
  EXPECT_EQ(players.first.value(), 1);
  groups.run({.losses = {[&] { return autograd::sum(players.first.weight); }}}, iteration);  // and without
  EXPECT_LT(players.first.value(), 1);
}

// Readings are of the state at the row, metrics means since the last one.
TEST(Readings, StandInTheLogBetweenMetricsAndEvaluations) {
  Players players;
  Task task(players, {.graph = GraphMode::off});
  EXPECT_EQ(task.metric_names(), (std::vector<std::string>{"loss", "first", "second", "test_loss"}));
  const test::TemporaryDirectory directory;
  const RunDirectory run(directory / "run", RunDirectory::Mode::create);
  run.write_config({});
  run_loop(task, run, {.epochs = 1, .iters_per_epoch = 4, .log_every = 2, .quiet = true});
  EXPECT_TRUE(test::read_text(directory / "run/metrics.csv")
                  .starts_with("step,epoch,loss,first,second,test_loss\n2,1,"));
  std::istringstream lines(test::read_text(directory / "run/metrics.jsonl"));
  const auto row = [&] {
    std::string line;
    std::getline(lines, line);
    return nlohmann::json::parse(line);
  };
  const nlohmann::json two = row(), four = row();
  EXPECT_NEAR(two.at("loss").get<double>(), (1 + 0.75) / 2, 1e-6);
  EXPECT_NEAR(two.at("first").get<double>(), 0.75, 1e-6);
  EXPECT_NEAR(two.at("second").get<double>(), 0.5, 1e-6);
  EXPECT_NEAR(four.at("first").get<double>(), 0.5, 1e-6);
  EXPECT_NEAR(four.at("second").get<double>(), 0, 1e-6);
  EXPECT_EQ(four.at("test_loss"), 7);
}

}  // namespace
}  // namespace vae::train
