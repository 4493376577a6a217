// Updates of groups and what runs behind them; averaged weights; numbers that a recipe reads off its state,
// on their way to the log.
#include "nn/train/task.h"

#include <gtest/gtest.h>

#include <sstream>

#include "autograd/ops.h"
#include "nn/train/loop.h"
#include "tests/expect_error.h"
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

/// One weight under a gradient of one and a rate of one, averaged; evaluated as it is.
class Sinking : public Recipe {
 public:
  explicit Sinking(double average = 0.5) : average_(average) {}
  nn::Module& model() override { return weight_; }
  nlohmann::json meta() const override { return {{"model", "sinking"}}; }
  std::vector<Group> groups() override {
    return {{"weight", &weight_, nn::Sgd::Settings{.learning_rate = 1, .rule = {}}, {}, average_}};
  }
  std::vector<Update> updates(const Step&) override {
    return {{.losses = {[this] { return autograd::sum(weight_.weight); }}}};
  }
  int64_t images_per_step() const override { return 1; }
  int64_t steps_per_pass() const override { return 1; }
  std::vector<std::string> training_metrics() const override { return {}; }
  std::vector<std::string> evaluation_metrics() const override { return {"test_weight"}; }
  std::optional<Selection> selection() const override { return Selection{"test_weight"}; }
  Scalars evaluate(const Step&) override {
    if (fails) fail(ErrorKind::data, "no evaluation");
    return {{"test_weight", weight_.value()}};
  }
  void report(report::Summary&, const Step&) override {}
  double weight() const { return weight_.value(); }
  bool fails = false;

 private:
  double average_;
  Player weight_;
};

// From 1 the weight sinks to 0, -1, -2, and its average is 0.5, -0.25, -1.125.
TEST(Averages, StandInForTheWeightsInEvaluationsAlone) {
  for (const GraphMode mode : {GraphMode::off, GraphMode::on}) {
    Sinking recipe;
    Task task(recipe, {.graph = mode});
    const double averages[] = {0.5, -0.25, -1.125, -2.0625, -3.03125};
    for (int i = 0; i < 5; ++i) {
      task.step();
      EXPECT_EQ(task.evaluate().at(0).value, averages[i]) << i;
      EXPECT_EQ(recipe.weight(), -i) << "what is trained stays";
      EXPECT_EQ(task.state().find("average.weight")->slice(0, 1).item(), averages[i]);
    }
    recipe.fails = true;
    EXPECT_THROW(task.evaluate(), Error);
    EXPECT_EQ(recipe.weight(), -4) << "whatever happens";
    EXPECT_EQ(task.state().find("average.weight")->slice(0, 1).item(), averages[4]);
  }
}

TEST(Averages, AreKeptForInspectionsAndWithTheBestEpoch) {
  const test::TemporaryDirectory directory;
  const auto train = [&](Sinking& recipe, const std::string& name) {
    const RunDirectory run(directory / name, RunDirectory::Mode::create);
    run.write_config({});
    Task task(recipe, {.graph = GraphMode::off});
    run_loop(task, run, {.epochs = 3, .iters_per_epoch = 1, .quiet = true});
    return directory / name;
  };
  Sinking averaged, plain(0);
  const std::filesystem::path with = train(averaged, "with"), without = train(plain, "without");
  const auto check = [](Sinking&& recipe, const std::filesystem::path& run, Weights which, int64_t iterations,
                        double weight) {
    EXPECT_EQ(load_weights(recipe, run, which), iterations);
    EXPECT_EQ(recipe.weight(), weight);
  };
  check(Sinking(), with, Weights::automatic, 3, -1.125);
  check(Sinking(), with, Weights::average, 3, -1.125);
  check(Sinking(), with, Weights::last, 3, -2);
  check(Sinking(), with, Weights::best, 1, 0.5);
  check(Sinking(0), without, Weights::automatic, 3, -2);
  check(Sinking(0), without, Weights::last, 3, -2);
  check(Sinking(0), without, Weights::best, 1, 0);
  test::expect_error(ErrorKind::usage, "without has no averaged weights: its training keeps none",
                     [&] { load_weights(plain, without, Weights::average); });
  std::filesystem::remove(with / kBestFile);
  test::expect_error(ErrorKind::usage,
                     "with has no best.safetensors: ", [&] { load_weights(averaged, with, Weights::best); });
}

TEST(Averages, AreOfTheState) {
  Sinking first, second;
  Task task(first, {.graph = GraphMode::off}), resumed(second, {.graph = GraphMode::off});
  task.step(), task.step();
  const nn::StateDict from = task.state(), to = resumed.state();
  for (const auto& [name, tensor] : to.entries()) tensor.copy_from(*from.find(name));
  task.step(), resumed.step();
  EXPECT_EQ(resumed.evaluate().at(0).value, task.evaluate().at(0).value);
  EXPECT_EQ(resumed.evaluate().at(0).value, -1.125);
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
