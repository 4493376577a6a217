// Step, updates and tasks: what a recipe is made of.
#include <gtest/gtest.h>

#include "nn/init.h"
#include "nn/layers.h"
#include "nn/train/checkpoint.h"
#include "nn/train/image_set.h"
#include "nn/train/loop.h"
#include "nn/train/task.h"
#include "tensor/allocator.h"
#include "tests/expect_error.h"
#include "tests/numeric.h"
#include "tests/temporary_directory.h"

namespace vae::train {
namespace {

Step step_of(int64_t iteration) { return Step(3, Tensor::scalar(iteration), DType::f64); }

// Ranks with unequal shares of a batch draw the rows of the whole: of one block, and of several.
TEST(Step, NoiseIsNumberedByRowsOfTheWholeBatch) {
  constexpr int64_t total = 7, columns = 3;
  for (const int64_t blocks : {1, 4}) {
    const auto whole = to_doubles(step_of(5).normal("eps", {total, blocks}, columns).value());
    for (const auto& [first, rows] : {std::pair<int64_t, int64_t>{0, 2}, {2, 4}, {6, 1}}) {
      const Share share(rows, total, first);
      const auto own = to_doubles(step_of(5).normal("eps", {share, blocks}, columns).value());
      for (int64_t b = 0; b < blocks; ++b)
        for (int64_t i = 0; i < rows * columns; ++i)
          EXPECT_EQ(own[static_cast<size_t>(b * rows * columns + i)],
                    whole[static_cast<size_t>((b * total + first) * columns + i)]);
    }
  }
  EXPECT_NE(to_doubles(step_of(5).normal("eps", 2, 2).value()),
            to_doubles(step_of(6).normal("eps", 2, 2).value()));
  EXPECT_NE(to_doubles(step_of(5).normal("eps", 2, 2).value()),
            to_doubles(step_of(5).in("U").normal("eps", 2, 2).value()));
  EXPECT_NE(to_doubles(step_of(5).normal("eps", 2, 2).value()),
            to_doubles(step_of(5).numbered(9).normal("eps", 2, 2).value()));
}

TEST(Step, ItemsOfSharesMakeTheBatch) {
  const Tensor pool = item_range(100, 120, kCpu);
  const auto whole = step_of(4).items("batch", pool, 9).to_vector<int64_t>();
  const auto own = step_of(4).items("batch", pool, Share(4, 9, 5)).to_vector<int64_t>();
  EXPECT_EQ(own, (std::vector<int64_t>(whole.begin() + 5, whole.end())));
}

TEST(Step, MeansOfSharesAddUp) {
  const Var values(test::sample_tensor({10}, DType::f64));
  const auto part = [&](int64_t first, int64_t rows) {
    return step_of(0)
        .mean(Var(values.value().slice(first, first + rows)), Share(rows, 10, first))
        .value()
        .item();
  };
  EXPECT_NEAR(part(0, 3) + part(3, 7), step_of(0).mean(values, 10).value().item(), 1e-15);
  test::expect_misuse("Step::mean: the batch has no rows", [&] { step_of(0).mean(values, 0); });
}

TEST(Step, NumbersFollowTheIterationNotTheDraw) {
  const kernels::Schedule warm_up = kernels::Schedule::rise(1, 4);
  Notes notes;
  const Step step = step_of(2).with_notes(notes).in("U");
  EXPECT_EQ(step.numbered(77).number("beta", warm_up).value().item(), 0.75);
  ASSERT_TRUE(notes.contains("U/beta"));
  EXPECT_EQ(last_step(3, 2, kCpu, "x").number("beta", warm_up).value().item(), 0.5) << "that of iteration 1";
  EXPECT_EQ(last_step(3, 0, kCpu, "x").number("beta", warm_up).value().item(), 0.25) << "nothing trained yet";
}

TEST(Step, NoiseFromElsewhereHasFullNames) {
  std::vector<std::string> asked;
  const Step step = step_of(0).with_noise([&](const std::string& name, Shape shape, Draw) {
    asked.push_back(name);
    return Tensor::zeros(shape, DType::f64);
  });
  step.in("L").normal("z", 2, 1), step.uniform("u", {2, 3}, 1);
  EXPECT_EQ(asked, (std::vector<std::string>{"L/z", "u"}));
}

/// A player: one number that two groups share a loss over.
struct Game : nn::Module {
  Game() : Module({.dtype = DType::f64}) { nn::init_normal(*this, 1, 7); }
  struct Player : nn::Module {
    using Module::Module;
    nn::Linear linear{this, "linear", 2, 1};
  };
  Player p{this, "p"}, q{this, "q"};
  Var loss(double weight) const {
    const Var x(test::tensor_of({1, 2, 3, -1}, {2, 2}, DType::f64));
    return weight * autograd::mean(autograd::square(p.linear(x) + q.linear(x)));
  }
};

std::vector<Group> groups_of(Game& game) {
  const nn::Sgd::Settings rule{.learning_rate = 0.1, .rule = {}};
  return {{"p", &game.p, rule, {}}, {"q", &game.q, rule, kernels::Schedule::steps(0.1, 0.5, 2)}};
}

TEST(Groups, AnUpdateStepsTheGroupsItNamesAlone) {
  Game game;
  Groups groups(groups_of(game));
  const auto values = [&](const char* name) { return to_doubles(groups.at(name).parameters.values()); };
  const auto p = values("p"), q = values("q");
  groups.run({{"p"}, {[&] { return game.loss(1); }}}, Tensor::scalar(int64_t{0}));
  EXPECT_NE(values("p"), p);
  EXPECT_EQ(values("q"), q);
  EXPECT_FALSE(game.q.linear.weight.has_grad()) << "a constant meanwhile";
  EXPECT_TRUE(game.q.linear.weight.needs_grad()) << "and a parameter again";
  groups.run({{"q"}, {[&] { return game.loss(1); }}}, Tensor::scalar(int64_t{2}));
  EXPECT_NE(values("q"), q);
  EXPECT_EQ(groups.at("q").optimizer->learning_rate(), 0.05) << "the rate of iteration 2";
  test::expect_error(ErrorKind::internal, "no group of parameters 'r'", [&] { groups.at("r"); });
}

// Neither by the update of another group, which makes its own parameters constants for a while, nor by weight
// decay, which needs no gradient.
TEST(Groups, FrozenPartsAreNotTrained) {
  Game game;
  struct Two : nn::Module {
    using Module::Module;
    nn::Linear frozen{this, "frozen", 2, 2}, trained{this, "trained", 2, 1};
  } two({.dtype = DType::f64});
  nn::init_normal(two, 1, 3);
  two.frozen.freeze();
  const Tensor before = two.frozen.weight.value().clone();
  const std::vector<double> start = to_doubles(two.trained.weight.value());
  Groups groups({{"two", &two, nn::Sgd::Settings{.learning_rate = 0.1, .rule = {.weight_decay = 0.5}}, {}},
                 {"p", &game.p, nn::Sgd::Settings{.learning_rate = 0.1, .rule = {}}, {}}});
  const Tensor first = Tensor::scalar(int64_t{0});
  groups.run({{"p"}, {[&] { return game.loss(1); }}}, first);
  EXPECT_FALSE(two.frozen.weight.needs_grad());
  groups.run({{"two"}, {[&] {
                const Var x(test::tensor_of({1, 2}, {1, 2}, DType::f64));
                return autograd::sum(two.trained(two.frozen(x)));
              }}},
             first);
  EXPECT_TRUE(test::same_bits(two.frozen.weight.value(), before));
  EXPECT_NE(to_doubles(two.trained.weight.value()), start);
}

TEST(Groups, GradientsOfSeveralLossesAddUp) {
  Game one, two;
  Groups of_one(groups_of(one)), of_two(groups_of(two));
  const Tensor first = Tensor::scalar(int64_t{0});
  of_one.run({{}, {[&] { return one.loss(3); }}}, first);
  of_two.run({{}, {[&] { return two.loss(1); }, [&] { return two.loss(2); }}}, first);
  for (const char* name : {"p", "q"})
    EXPECT_LE(test::distance(to_doubles(of_two.at(name).parameters.values()),
                             to_doubles(of_one.at(name).parameters.values())),
              1e-15);
}

/// A recipe of two players that step in turn, on batches whose size changes.
class GameRecipe : public Recipe {
 public:
  explicit GameRecipe(Device device) : root_({.device = device}) { nn::init_normal(root_, 1, 7); }
  nn::Module& model() override { return root_; }
  nlohmann::json meta() const override { return {{"model", "game"}}; }
  std::vector<Group> groups() override {
    const nn::Adam::Settings rule{.learning_rate = 0.02, .rule = {}};
    return {{"p", &p_, rule, {}},
            {"q", &q_, rule, kernels::Schedule::decay(0.02, kernels::Decay::linear, 20, 3)}};
  }
  std::vector<int64_t> sizes(int64_t iteration) const override { return {batch(iteration)}; }
  void prepare(int64_t iteration) override { rows_ = batch(iteration); }
  std::vector<Update> updates(const Step& step) override {
    const Var x = step.normal("x", rows_, 3), weight = step.number("weight", kernels::Schedule::rise(2, 8));
    const auto loss = [=, this](const char* name) {
      const Var loss = weight * step.mean(autograd::square(p_(x) + q_(x)), rows_);
      step.metric(name, loss);
      return loss;
    };
    return {{{"p"}, {[=] { return loss("loss_p"); }}}, {{"q"}, {[=] { return loss("loss_q"); }}}};
  }
  int64_t images_per_step() const override { return 4; }
  int64_t steps_per_pass() const override { return 5; }
  std::vector<std::string> training_metrics() const override { return {"loss_p", "loss_q"}; }
  std::vector<std::string> evaluation_metrics() const override { return {"weight"}; }
  Scalars evaluate(const Step& step) override {
    EXPECT_FALSE(root_.training());
    return {{"weight", step.number("weight", kernels::Schedule::rise(2, 8)).value().item()}};
  }
  void report(report::Summary&, const Step&) override {}

 private:
  static int64_t batch(int64_t iteration) { return iteration % 3 == 2 ? 2 : 4; }
  nn::Module root_;
  nn::Linear p_{&root_, "p", 3, 1}, q_{&root_, "q", 3, 1};
  int64_t rows_ = 4;
};

TEST(Task, RecordedStepsOfChangingBatchesAreTheSame) {
  for (const Device device : test::devices()) {
    const auto run = [&](GraphMode graph) {
      GameRecipe recipe(device);
      Task task(recipe, {.seed = 1, .graph = graph});
      for (int i = 0; i < 12; ++i) task.step();
      std::vector<std::vector<double>> state;
      const nn::StateDict all = task.state();
      for (const auto& [name, tensor] : all.entries()) state.push_back(to_doubles(tensor));
      return state;
    };
    EXPECT_EQ(run(GraphMode::on), run(GraphMode::off)) << device.str();
  }
}

TEST(Task, MetricsAndTheLastNumbersOfALoadedRun) {
  test::TemporaryDirectory directory;
  GameRecipe recipe(kCpu);
  Task task(recipe, {.seed = 1, .split = "abc"});
  EXPECT_EQ(task.metric_names(), (std::vector<std::string>{"loss_p", "loss_q", "weight"}));
  EXPECT_EQ(task.meta(), (nlohmann::json{{"model", "game"}, {"split", "abc"}}));
  for (int i = 0; i < 4; ++i) task.step();
  EXPECT_EQ(task.evaluate()[0].value, 0.5) << "of the fourth step";
  const Scalars drained = task.drain();
  ASSERT_EQ(drained.size(), 2u);
  EXPECT_TRUE(std::isfinite(drained[1].value));
  save_checkpoint(directory / "checkpoint.safetensors", task.state(), task.meta());

  GameRecipe loaded(kCpu);
  const int64_t iterations = load_weights(loaded, directory / "checkpoint.safetensors");
  EXPECT_EQ(iterations, 4);
  const nn::TestMode test(loaded.model());
  EXPECT_EQ(loaded.evaluate(last_step(1, iterations, kCpu, "evaluate"))[0].value, 0.5);
}

// Each step has the rate of its own iteration, through warm-up, its end, the fall and what is behind it.
TEST(Task, RatesAreThoseOfTheIteration) {
  GameRecipe recipe(kCpu);
  Task task(recipe, {.seed = 1});
  const nn::StateDict state = task.state();
  for (int64_t i = 0; i < 23; ++i) {
    task.step();
    const double expected = i < 3 ? 0.02 * static_cast<double>(i + 1) / 3
                                  : 0.02 * std::max(0.0, static_cast<double>(20 - i) / 17);
    EXPECT_NEAR(state.find("optimizer.q.learning_rate")->item(), expected, 1e-15) << i;
    EXPECT_EQ(state.find("optimizer.p.learning_rate")->item(), 0.02) << i;
    EXPECT_EQ(state.find("optimizer.q.t")->item(), i + 1);
  }
}

// A loss that draws by a number of its own, as a program with a generator on the host would.
TEST(Task, ADrawThatIsNotInTheStateIsMisuse) {
  struct Restless : GameRecipe {
    using GameRecipe::GameRecipe;
    std::vector<Update> updates(const Step& step) override {
      return GameRecipe::updates(step.numbered(draws++));
    }
    int64_t draws = 0;
  } restless(kCpu);
  Task task(restless, {.seed = 1});
  test::expect_error(ErrorKind::usage, "two steps from the same state() left different values in '",
                     [&] { check_resumable(task); });
  GameRecipe recipe(kCpu);
  Task sound(recipe, {.seed = 1});
  for (int i = 0; i < 3; ++i) {
    check_resumable(sound);
    EXPECT_EQ(sound.state().find("counter")->item(), i);
    sound.step();
  }
}

TEST(Task, AllocatesNothingOnceWarm) {
  GameRecipe recipe(kCpu);
  Task task(recipe, {.seed = 1});
  const auto steps = [&](int count) {
    for (int i = 0; i < count; ++i) task.step();
    return allocator(kCpu).stats();
  };
  const AllocatorStats warm = steps(6), later = steps(9);
  EXPECT_EQ(later.raw_allocations, warm.raw_allocations);
  EXPECT_EQ(later.live_bytes, warm.live_bytes);
}

TEST(Meter, GivesMeansOverTheStepsSinceTheLastTime) {
  Meter meter({"loss", "kl"}, kCpu);
  const auto add = [&](double loss, double kl) {
    meter.add("loss", Tensor::scalar(loss)), meter.add("kl", Tensor::scalar(kl));
    meter.count();
  };
  add(1, 8), add(2, 8), add(6, -4);
  const Scalars means = meter.drain();
  ASSERT_EQ(means.size(), 2u);
  EXPECT_EQ(means[0].name, "loss");
  EXPECT_EQ(means[0].value, 3);
  EXPECT_EQ(means[1].value, 4);
  add(5, 7);
  EXPECT_EQ(meter.drain()[0].value, 5);
}

TEST(Meter, KnowsItsNames) {
  Meter meter({"loss"}, kCpu);
  test::expect_error(ErrorKind::internal, "'lost' is no metric",
                     [&] { meter.add("lost", Tensor::scalar(1.0)); });
  EXPECT_TRUE(meter.drain().empty()) << "nothing yet";
  meter.add("loss", Tensor::scalar(1.0));
  test::expect_error(ErrorKind::internal, "'loss' is given twice",
                     [&] { meter.add("loss", Tensor::scalar(1.0)); });
}

}  // namespace
}  // namespace vae::train
