// What a run says of its own speed, by a clock that the test moves: steps take a second, evaluations a
// hundred, pictures ten thousand.
#include <gtest/gtest.h>

#include "nn/train/loop.h"
#include "tests/read_text.h"
#include "tests/temporary_directory.h"

namespace vae::train {
namespace {

using Seconds = std::chrono::seconds;

class Clocked : public Trainable {
 public:
  void step() override { time += Seconds(1); }
  std::vector<std::string> metric_names() const override { return {"loss", "test_loss"}; }
  Scalars drain() override { return {{"loss", 1}}; }
  Scalars evaluate() override {
    time += Seconds(100);
    return {{"test_loss", 2}};
  }
  nn::StateDict state() override {
    nn::StateDict state;
    state.add("weight", weight_);
    return state;
  }
  nlohmann::json meta() const override { return {{"family", "clocked"}}; }
  int64_t images_per_step() const override { return 30; }
  std::chrono::steady_clock::time_point time{};

 private:
  Tensor weight_ = Tensor::zeros({1});
};

LoopResult run(Clocked& model, const std::filesystem::path& path, RunDirectory::Mode mode, int64_t epochs) {
  const RunDirectory directory(path, mode);
  if (!directory.resumed()) directory.write_config({});
  return run_loop(model, directory,
                  {.epochs = epochs,
                   .iters_per_epoch = 5,
                   .log_every = 2,
                   .quiet = true,
                   .after_epoch = [&](int64_t, int64_t, EventFile&) { model.time += Seconds(10000); },
                   .now = [&] { return model.time; }});
}

// A new run is checked with two steps of its own.
TEST(Rates, AreOfStepsAlone) {
  const test::TemporaryDirectory directory;
  Clocked model;
  const LoopResult result = run(model, directory / "run", RunDirectory::Mode::create, 2);
  EXPECT_EQ(result.seconds, 2 + 10 + 2 * 100 + 2 * 10000);
  EXPECT_EQ(test::read_text(directory / "run/timing.csv"),
            "step,seconds,images_per_s\n"
            "2,4.000,30.0\n4,6.000,30.0\n5,107.000,30.0\n"
            "6,10108.000,30.0\n8,10110.000,30.0\n10,10212.000,30.0\n");
}

// Seconds go on where the last row stood, not where the clock of another process does.
TEST(Rates, OfAResumedRunCountItsOwnSteps) {
  const test::TemporaryDirectory directory;
  Clocked first, second;
  second.time += Seconds(12345);
  run(first, directory / "run", RunDirectory::Mode::create, 1);
  const LoopResult result = run(second, directory / "run", RunDirectory::Mode::resume, 2);
  EXPECT_EQ(result.iterations, 10);
  EXPECT_TRUE(test::read_text(directory / "run/timing.csv")
                  .ends_with("5,107.000,30.0\n6,108.000,30.0\n8,110.000,30.0\n10,212.000,30.0\n"));
}

}  // namespace
}  // namespace vae::train
