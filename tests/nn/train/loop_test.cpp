// The loop on a small trainable of its own: resume after kill -9, signals, full disks, NaN.
#include "nn/train/loop.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>

#include "nn/train/benchmark.h"
#include "nn/train/checkpoint.h"
#include "nn/train/interrupt.h"
#include "tensor/philox.h"
#include "tests/expect_error.h"
#include "tests/file_size_limit.h"
#include "tests/read_text.h"
#include "tests/temporary_directory.h"

namespace vae::train {
namespace {

using test::expect_error;
using test::read_text;
using Mode = RunDirectory::Mode;

/// A noisy descent of four weights; all that it remembers is in its state, unless it is told to hide its
/// counter.
class Descent : public Trainable {
 public:
  void step() override {
    int64_t& counter = hides_counter ? hidden_ : counter_.data<int64_t>()[0];
    const int64_t t = ++counter;
    const PhiloxBlock noise = random_block(RandomKey::named(1, "test/noise"), static_cast<uint64_t>(t), 0);
    double* weight = weight_.data<double>();
    for (int i = 0; i < 4; ++i) {
      weight[i] -= 0.1 * (weight[i] - uniform01(noise.v[i]));
      sums_.data<double>()[0] += weight[i] * weight[i];
    }
    sums_.data<double>()[1] += 1;
    if (t == spoil_weights_at) weight[2] = NAN;
    if (t == spoil_loss_at) sums_.data<double>()[0] = NAN;
    if (t == signal_at) ::raise(signal);
  }
  std::vector<std::string> metric_names() const override {
    std::vector<std::string> names{"train/loss", "test/accuracy"};
    for (const Scalar& metric : further) names.push_back(metric.name);
    return names;
  }
  Scalars drain() override {
    const double mean = sums_.data<double>()[0] / sums_.data<double>()[1];
    sums_.zero();
    return {{"train/loss", mean}};
  }
  Scalars evaluate() override {
    const auto epoch = static_cast<size_t>(counter_.item()) / 10;
    const bool given = epoch > 0 && epoch <= accuracies.size();
    Scalars all{{"test/accuracy", given ? accuracies[epoch - 1] : 1 / (1 + weight_.data<double>()[0])}};
    all.insert(all.end(), further.begin(), further.end());
    return all;
  }
  std::optional<Selection> selection() const override { return select; }
  StateDict state() override {
    StateDict state;
    state.add("weight", weight_);
    state.add("counter", counter_);
    state.add("sums", sums_);
    return state;
  }
  nlohmann::json meta() const override { return {{"family", family}}; }
  int64_t images_per_step() const override { return 100; }

  int64_t spoil_weights_at = -1, spoil_loss_at = -1, signal_at = -1;
  int signal = SIGKILL;
  bool hides_counter = false;
  std::string family = "descent";
  Scalars further{};                 ///< of every evaluation
  std::vector<double> accuracies{};  ///< of epochs of ten iterations, in place of its own
  std::optional<Selection> select{};

 private:
  Tensor weight_ = Tensor::from(std::vector<double>{1, 2, 3, 4}, {4});
  Tensor counter_ = Tensor::zeros({}, DType::i64);
  int64_t hidden_ = 0;
  Tensor sums_ = Tensor::zeros({2}, DType::f64);
};

class LoopTest : public ::testing::Test {
 protected:
  LoopTest() {  // shells and nohup start programs that ignore some of these
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) ::signal(signal, SIG_DFL);
  }
  std::filesystem::path file(const std::string& name) const { return path() / name; }
  std::filesystem::path path() const { return directory_ / "run"; }
  static LoopResult train(Descent& model, const std::filesystem::path& path, Mode mode,
                          const LoopOptions& options) {
    const RunDirectory run(path, mode);
    if (mode != Mode::resume) run.write_config({{"seed", 1}});
    return run_loop(model, run, options);
  }
  LoopResult train(Descent& model, Mode mode) const { return train(model, path(), mode, options_); }
  LoopResult train(Mode mode) const {
    Descent model;
    return train(model, mode);
  }
  /// The whole run in one go, elsewhere; then the run here must have left the same bytes.
  void expect_same_as_uninterrupted() const {
    Descent model;
    if (!std::filesystem::exists(directory_ / "reference"))
      train(model, directory_ / "reference", Mode::create, options_);
    for (const char* name : {"checkpoint.safetensors", "metrics.jsonl", "metrics.csv"})
      EXPECT_EQ(read_text(file(name)), read_text(directory_ / "reference" / name)) << name;
  }
  /// A child process trains and must end by the signal that it sends itself at that iteration.
  void train_and_die(Mode mode, int64_t iteration) const {
    const pid_t child = ::fork();
    if (child == 0) {
      Descent model;
      model.signal_at = iteration;
      train(model, mode);
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << iteration;
  }
  size_t lines(const std::string& name) const {
    const std::string text = read_text(file(name));
    return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  }

  test::TemporaryDirectory directory_;
  LoopOptions options_{
      .epochs = 4, .iters_per_epoch = 10, .log_every = 3, .checkpoint_every = 4, .quiet = true};
};

TEST_F(LoopTest, WritesRowsEventsAndCheckpoint) {
  std::vector<int64_t> epochs;
  options_.after_epoch = [&](int64_t epoch, int64_t step, EventFile&) {
    EXPECT_EQ(step, 10 * epoch);
    epochs.push_back(epoch);
  };
  const LoopResult result = train(Mode::create);
  EXPECT_EQ(result.iterations, 40);
  ASSERT_EQ(result.last.size(), 2u);
  EXPECT_EQ(result.last[1].name, "test/accuracy");
  EXPECT_EQ(epochs, (std::vector<int64_t>{1, 2, 3, 4}));
  EXPECT_EQ(lines("metrics.jsonl"), 16u);  // 3, 6, ..., 39 without 30, and the four epoch ends
  EXPECT_EQ(lines("metrics.csv"), 17u);
  EXPECT_EQ(lines("timing.csv"), 17u);
  Descent model;
  const nlohmann::json meta = load_checkpoint(file(kCheckpointFile), model.state(), model.meta());
  EXPECT_EQ(meta["loop"], (nlohmann::json{{"iteration", 40}, {"iters_per_epoch", 10}}));
}

TEST_F(LoopTest, TheWeightsOfTheBestEpochAreKept) {
  for (const bool more : {true, false}) {
    Descent model;
    model.accuracies = {0.6, 0.7, 0.7, 0.5};
    model.select = {"test/accuracy", more};
    const LoopResult result = train(model, Mode::fresh);
    ASSERT_TRUE(result.best);
    EXPECT_EQ(result.best->epoch, more ? 2 : 4) << "as good is not better";
    EXPECT_EQ(result.best->value(), more ? 0.7 : 0.5);
    Descent best;
    const nlohmann::json meta = load_weights(file(kBestFile), best.state(), best.meta());
    EXPECT_EQ(best.state().find("counter")->item(), more ? 20 : 40);
    EXPECT_EQ(meta.at("best").at("epoch"), result.best->epoch);
    EXPECT_EQ(meta.at("best").at("metrics"), (nlohmann::json{{"test/accuracy", result.best->value()}}));
    EXPECT_TRUE(run_files(path()).contains(kBestFile));
    Descent again;
    again.select = model.select;
    EXPECT_EQ(train(again, Mode::resume).best->epoch, result.best->epoch) << "of a finished run";
  }
  train(Mode::fresh);
  EXPECT_FALSE(std::filesystem::exists(file(kBestFile))) << "where nothing is selected";
}

TEST_F(LoopTest, ResumedRunsHaveTheMetricsOfTheBestEpochInTheirOrder) {
  const auto names = [&](Mode mode) {
    Descent model;
    model.further = {{"a", 1}, {"z", 2}, {"b", 3}};
    model.select = {"test/accuracy"};
    std::vector<std::string> all;
    const LoopResult result = train(model, mode);
    for (const Scalar& metric : result.best->metrics) all.push_back(metric.name);
    return all;
  };
  EXPECT_EQ(names(Mode::create), (std::vector<std::string>{"test/accuracy", "a", "z", "b"}));
  EXPECT_EQ(names(Mode::resume), (std::vector<std::string>{"test/accuracy", "a", "z", "b"}));
}

TEST_F(LoopTest, TheBestEpochIsTheSameWhicheverMomentARunIsKilled) {
  const auto make = [] {
    Descent model;
    model.accuracies = {0.5, 0.7, 0.6, 0.7};
    model.select = {"test/accuracy"};
    return model;
  };
  Descent whole = make();
  train(whole, directory_ / "reference", Mode::create, options_);
  const auto check = [&](const std::function<void()>& train_and_kill) {
    const pid_t child = ::fork();
    if (child == 0) {
      train_and_kill();
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    Descent resumed = make();
    EXPECT_EQ(train(resumed, Mode::resume).best->epoch, 2);
    expect_same_as_uninterrupted();
    EXPECT_EQ(read_text(file(kBestFile)), read_text(directory_ / "reference" / kBestFile));
    std::filesystem::remove_all(path());
  };
  for (const int64_t iteration : {5, 15, 20, 21, 30, 35, 40}) {
    SCOPED_TRACE(iteration);
    check([&] {
      Descent model = make();
      model.signal_at = iteration;
      train(model, Mode::create);
    });
  }
  for (const int64_t killed : {1, 2, 3}) {
    SCOPED_TRACE(killed);
    check([&] {  // between the weights of the epoch and its checkpoint
      Descent model = make();
      LoopOptions options = options_;
      options.after_epoch = [&](int64_t epoch, int64_t, EventFile&) {
        if (epoch == killed) ::raise(SIGKILL);
      };
      train(model, path(), Mode::create, options);
    });
  }
}

TEST_F(LoopTest, ABestEpochNeedsAMetricThatIsThere) {
  Descent model;
  model.select = {"accuracy"};
  test::expect_misuse("the best epoch is that of 'accuracy', which is no metric here",
                      [&] { train(model, Mode::create); });
}

TEST_F(LoopTest, WithoutLogEveryThereIsOneRowAnEpoch) {
  options_.log_every = options_.checkpoint_every = 0;
  train(Mode::create);
  EXPECT_EQ(lines("metrics.jsonl"), 4u);
}

TEST_F(LoopTest, TheEpochLineGoesToStandardOutput) {
  options_.quiet = false;
  options_.epochs = 1;
  testing::internal::CaptureStdout();
  train(Mode::create);
  const std::string text = testing::internal::GetCapturedStdout();
  EXPECT_TRUE(text.starts_with("epoch 1/1  iteration 10  train/loss ")) << text;
  EXPECT_NE(text.find("  test/accuracy 0."), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with(" s\n")) << text;
}

TEST_F(LoopTest, ResumingAfterKill9GivesTheSameBytes) {
  for (const int64_t iteration : {1, 3, 4, 5, 10, 11, 19, 20, 21, 30, 39, 40}) {
    SCOPED_TRACE(iteration);
    train_and_die(Mode::fresh, iteration);
    EXPECT_EQ(train(Mode::resume).iterations, 40);
    expect_same_as_uninterrupted();
    std::filesystem::remove_all(path());
  }
}

TEST_F(LoopTest, ResumingAfterSeveralKillsGivesTheSameBytes) {
  train_and_die(Mode::create, 7);
  train_and_die(Mode::resume, 18);
  train_and_die(Mode::resume, 19);
  train_and_die(Mode::resume, 33);
  train(Mode::resume);
  expect_same_as_uninterrupted();
}

TEST_F(LoopTest, HalfWrittenLinesAndTemporariesOfAKilledProcessDoNotMatter) {
  train_and_die(Mode::create, 26);
  for (const char* name : {"metrics.jsonl", "metrics.csv", "timing.csv"})
    write_file_atomically(file(name), read_text(file(name)) + "{\"ste");
  write_file_atomically(file("checkpoint.safetensors.tmp-1-1"), "half");
  train(Mode::resume);
  expect_same_as_uninterrupted();
  EXPECT_FALSE(std::filesystem::exists(file("checkpoint.safetensors.tmp-1-1")));
}

TEST_F(LoopTest, AFinishedRunCanBeProlonged) {
  options_.epochs = 2;
  train(Mode::create);
  options_.epochs = 4;
  train(Mode::resume);
  expect_same_as_uninterrupted();
}

TEST_F(LoopTest, ResumingAFinishedRunChangesNothing) {
  const Scalars last = train(Mode::create).last;
  const LoopResult result = train(Mode::resume);
  EXPECT_EQ(result.iterations, 40);
  ASSERT_EQ(result.last.size(), last.size());
  for (size_t i = 0; i < last.size(); ++i) {
    EXPECT_EQ(result.last[i].name, last[i].name);
    EXPECT_EQ(result.last[i].value, last[i].value);
  }
  EXPECT_GT(result.seconds, 0);
  expect_same_as_uninterrupted();
}

TEST_F(LoopTest, ASignalStopsAfterTheIterationAndTheRunCanBeResumed) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) {
    Descent model;
    model.signal = signal;
    model.signal_at = 17;
    // What cannot be ignored by a main() that turns errors into exit codes.
    expect_error(ErrorKind::interrupted, path().string() + ": saved at iteration 17; run it again to go on",
                 [&] { train(model, Mode::fresh); });
    EXPECT_EQ(Error(ErrorKind::interrupted, "").exit_code(), 130);
    EXPECT_EQ(train(Mode::resume).iterations, 40);
    expect_same_as_uninterrupted();
  }
}

TEST_F(LoopTest, ACounterThatIsNotInTheStateIsMisuse) {
  Descent model;
  check_resumable(model);
  EXPECT_EQ(model.state().find("counter")->item(), 0) << "the state is as it was";
  model.hides_counter = true;
  test::expect_misuse(
      "step: two steps from the same state() left different values in 'weight': a counter or a draw is not "
      "in "
      "state(), and a resumed run would repeat it",
      [&] { train(model, Mode::create); });
  EXPECT_FALSE(std::filesystem::exists(file(kCheckpointFile)));
}

TEST_F(LoopTest, SignalsWithinASecondAreOneRequest) {
  const InterruptGuard guard;
  EXPECT_FALSE(guard.requested());
  for (const int signal : {SIGTERM, SIGTERM, SIGINT, SIGHUP, SIGUSR1}) ::raise(signal);
  EXPECT_TRUE(guard.requested());
}

TEST_F(LoopTest, ASignalThatComesLaterEndsTheProcess) {
  EXPECT_EXIT(
      {
        const InterruptGuard guard;
        ::raise(SIGINT);
        ::usleep(1100000);
        ::raise(SIGHUP);
      },
      testing::KilledBySignal(SIGHUP), "");
}

TEST_F(LoopTest, WhatWasIgnoredStaysIgnored) {
  struct sigaction ignored {
  }, before{};
  ignored.sa_handler = SIG_IGN;
  sigaction(SIGHUP, &ignored, &before);  // nohup
  {
    const InterruptGuard guard;
    ::raise(SIGHUP);
    EXPECT_FALSE(guard.requested());
  }
  sigaction(SIGHUP, &before, nullptr);
}

TEST_F(LoopTest, OneGuardWithinAnotherKeepsTheRequest) {
  const InterruptGuard outer;
  ::raise(SIGTERM);
  {
    const InterruptGuard inner;
    EXPECT_TRUE(inner.requested());
  }
  ::raise(SIGTERM);  // the outer one still holds
  EXPECT_TRUE(outer.requested());
}

TEST_F(LoopTest, ALossThatIsNotFiniteStopsWithTheLastGoodCheckpoint) {
  Descent model;
  model.spoil_loss_at = 10;
  expect_error(ErrorKind::numeric, "train/loss is nan at iteration 10", [&] { train(model, Mode::create); });
  Descent restored;
  EXPECT_EQ(load_checkpoint(file(kCheckpointFile), restored.state(), restored.meta())["loop"]["iteration"],
            8);
  EXPECT_EQ(lines("metrics.jsonl"), 3u);
}

TEST_F(LoopTest, WeightsThatAreNotFiniteNeverReachTheCheckpoint) {
  options_.log_every = 0;
  Descent model;
  model.spoil_weights_at = 7;
  expect_error(ErrorKind::numeric, "NaN in tensor", [&] { train(model, Mode::create); });
  Descent restored;
  EXPECT_EQ(load_checkpoint(file(kCheckpointFile), restored.state(), restored.meta())["loop"]["iteration"],
            4);
}

TEST_F(LoopTest, AFullDiskIsAnErrorAndTheRunCanBeResumedLater) {
  {
    const test::FileSizeLimit limit(700);
    expect_error(ErrorKind::io, "File too large", [&] { train(Mode::create); });
  }
  EXPECT_TRUE(std::filesystem::exists(file(kCheckpointFile)));
  train(Mode::resume);
  expect_same_as_uninterrupted();
}

TEST_F(LoopTest, ResumeRefusesTheCheckpointOfAnotherRun) {
  train(Mode::create);
  Descent other;
  other.family = "ascent";
  expect_error(ErrorKind::data, "checkpoint of another model: \"family\" is \"descent\", here \"ascent\"",
               [&] { train(other, Mode::resume); });
  options_.iters_per_epoch = 20;
  expect_error(ErrorKind::data, "the run has 10 iterations in an epoch, not 20",
               [&] { train(Mode::resume); });
  for (const char* loop :
       {"null", "{}", "{\"iteration\":-1,\"iters_per_epoch\":20}",
        "{\"iteration\":18446744073709551615,\"iters_per_epoch\":20}", "{\"iteration\":\"x\"}"}) {
    Descent model;
    nlohmann::json meta = model.meta();
    meta["loop"] = nlohmann::json::parse(loop);
    save_checkpoint(file(kCheckpointFile), model.state(), meta);
    expect_error(ErrorKind::data, "not a checkpoint of a training run", [&] { train(Mode::resume); });
  }
  write_file_atomically(file(kCheckpointFile), "");
  expect_error(ErrorKind::data, "not a safetensors file", [&] { train(Mode::resume); });
}

TEST_F(LoopTest, OptionsWithoutSenseAreUsageErrors) {
  for (const LoopOptions& bad : {LoopOptions{.epochs = -1}, LoopOptions{.iters_per_epoch = 0},
                                 LoopOptions{.log_every = -1}, LoopOptions{.checkpoint_every = -1},
                                 LoopOptions{.epochs = 1LL << 40, .iters_per_epoch = 1LL << 40}}) {
    Descent model;
    expect_error(ErrorKind::usage, "cannot train", [&] { train(model, path(), Mode::fresh, bad); });
  }
}

TEST(Benchmark, TimesSteps) {
  Descent model;
  const nlohmann::json figures = benchmark(model, kCpu, 10, 2);
  EXPECT_EQ(model.state().find("counter")->item(), 52);
  EXPECT_LE(figures["min_ms"], figures["median_ms"]);
  EXPECT_LE(figures["median_ms"], figures["max_ms"]);
  EXPECT_DOUBLE_EQ(figures["images_per_s"], 100 * figures["steps_per_s"].get<double>());
  EXPECT_DOUBLE_EQ(figures["steps_per_s"], 1e3 / figures["median_ms"].get<double>());
  EXPECT_GT(figures["peak_bytes"], 0);
  EXPECT_EQ(figures["device"], "cpu");
  EXPECT_GE(figures["threads"], 1);
  expect_error(ErrorKind::usage, "cannot time 0 steps", [&] { benchmark(model, kCpu, 0); });
  model.spoil_weights_at = 60;
  expect_error(ErrorKind::numeric, "train/loss is nan", [&] { benchmark(model, kCpu, 10); });
}

}  // namespace
}  // namespace vae::train
