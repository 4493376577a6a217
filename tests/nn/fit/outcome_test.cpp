// What the end of a run leaves when parts of it fail: results, report and the other pictures, always.
#include "nn/fit/outcome.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "autograd/ops.h"
#include "nn/layers.h"
#include "nn/report/scatter.h"
#include "tests/expect_error.h"
#include "tests/read_text.h"
#include "tests/temporary_directory.h"

namespace vae::fit::outcome_test {

struct Net : nn::Module {
  using Module::Module;
  nn::Linear out{this, "out", 1, 1};
};

/// A recipe whose report does what a test says.
struct Reporting : train::Recipe {
  Net net;
  std::function<void(report::Summary&)> says;
  explicit Reporting(std::function<void(report::Summary&)> report) : says(std::move(report)) {}
  nn::Module& model() override { return net; }
  nlohmann::json meta() const override { return {}; }
  std::vector<train::Group> groups() override { return {}; }
  std::vector<train::Update> updates(const train::Step&) override { return {}; }
  int64_t images_per_step() const override { return 1; }
  int64_t steps_per_pass() const override { return 1; }
  std::vector<std::string> training_metrics() const override { return {}; }
  std::vector<std::string> evaluation_metrics() const override { return {}; }
  train::Scalars evaluate(const train::Step&) override { return {}; }
  void report(report::Summary& summary, const train::Step&) override { says(summary); }
};

report::Summary summary_of(const std::function<void(report::Summary&)>& report) {
  Reporting recipe(report);
  return summarize(recipe, {{"test_loss", 2}}, train::last_step(1, 1, kCpu, ""));
}

Images two_images() {
  const Tensor pixels = Tensor::zeros({2, 1, 1, 1}, DType::u8), labels = Tensor::zeros({2}, DType::i64);
  Images images{data::make_dataset("a", pixels, labels, 1), data::make_dataset("b", pixels, labels, 1), {}};
  images.train.class_names = {"caf\xc3\xa9 \xff"};
  images.data.train.pixels = pixels;
  return images;
}

report::Picture dot() { return report::blank_image(1, 1, 1, 7); }

TEST(Outcome, AReportThatThrowsKeepsWhatItSaidBefore) {
  const report::Summary summary = summary_of([](report::Summary& s) {
    s.title = "title";
    s.score = "test_loss";
    s.pictures.push_back({"dot", "a dot", dot});
    throw std::out_of_range("nothing there");
  });
  EXPECT_EQ(summary.left_out, std::vector<std::string>{"the rest of the report is left out: nothing there"});
  EXPECT_EQ(summary.pictures.size(), 1u);
  EXPECT_EQ(score_of(summary).value, 2);
  const test::TemporaryDirectory run;
  write_outcome(run.path(), summary, {.iterations = 3, .last = {}}, {},
                two_images());  // nor is there a metrics.csv
  EXPECT_NE(test::read_text(run / "report.html").find("nothing there"), std::string::npos);
  const auto results = nlohmann::json::parse(test::read_text(run / "results.json"));
  EXPECT_EQ(results["test_loss"], 2);
  EXPECT_EQ(results["iterations"], 3);
  EXPECT_EQ(results["class_names"][0], "caf\u00e9 \uFFFD");
}

TEST(Outcome, AScoreMayBeMissing) {
  const auto score = [](const std::function<void(report::Summary&)>& report) {
    return score_of(summary_of(report)).value;
  };
  EXPECT_TRUE(std::isnan(score([](report::Summary&) {})));
  EXPECT_TRUE(std::isnan(score([](report::Summary& s) { s.score = "accuracy"; })));
  EXPECT_TRUE(
      std::isnan(score([](report::Summary& s) { s.score = "accuracy", s.results["accuracy"] = NAN; })));
  EXPECT_TRUE(std::isnan(score([](report::Summary& s) { s.score = "list", s.results["list"] = {1, 2}; })));
}

TEST(Outcome, TheBestEpochStandsBesideTheLast) {
  const report::Summary summary = summary_of([](report::Summary&) {});
  const test::TemporaryDirectory run;
  testing::internal::CaptureStdout();
  write_outcome(run.path(), summary,
                {.iterations = 30,
                 .last = {},
                 .best = train::Best{"valid_accuracy", 2, {{"test_loss", 1.5}, {"valid_accuracy", 0.75}}}},
                {}, two_images());
  EXPECT_TRUE(testing::internal::GetCapturedStdout().starts_with(
      "best epoch 2 by valid_accuracy:  test_loss 1.5  valid_accuracy 0.75\n"));
  const auto results = nlohmann::json::parse(test::read_text(run / "results.json"));
  EXPECT_EQ(results["test_loss"], 2);
  EXPECT_EQ(results["best_epoch"], 2);
  EXPECT_EQ(results["best_test_loss"], 1.5);
  EXPECT_EQ(results["best_valid_accuracy"], 0.75);
  EXPECT_NE(test::read_text(run / "report.html").find("2 (valid_accuracy 0.75)"), std::string::npos);
}

/// A net whose bias goes down by one in a step, and is averaged.
struct Averaging : Reporting {
  Averaging() : Reporting([](report::Summary&) {}) {}
  std::vector<train::Group> groups() override {
    return {{"net", &net, nn::Sgd::Settings{.learning_rate = 1, .rule = {}}, {}, 0.5}};
  }
  std::vector<train::Update> updates(const train::Step&) override {
    return {{.losses = {[this] { return autograd::sum(net.out.bias); }}}};
  }
  std::vector<std::string> evaluation_metrics() const override { return {"bias"}; }
  train::Scalars evaluate(const train::Step&) override { return {{"bias", bias()}}; }
  std::optional<train::Selection> selection() const override { return train::Selection{"bias"}; }
  std::optional<report::Image> preview(const train::Step&) override {
    previews.push_back(bias());
    return {};
  }
  double bias() const { return net.out.bias.value().item(); }
  std::vector<double> previews{};
};

// From 0 the bias sinks to -1 and -2, its average to -0.5 and -1.25.
TEST(Outcome, ARecipeThatAveragesIsLeftAveraged) {
  Averaging recipe;
  const test::TemporaryDirectory folder;
  const train::RunDirectory directory(folder / "run", train::RunDirectory::Mode::create);
  const train::LoopResult result = train_recipe(recipe, directory, {}, {.epochs = 2, .quiet = true});
  EXPECT_EQ(recipe.previews, (std::vector<double>{-0.5, -1.25}));
  EXPECT_EQ(recipe.bias(), -1.25);
  EXPECT_EQ(result.best->epoch, 1);
  EXPECT_TRUE(train::run_files(folder / "run").contains("best.safetensors"));
}

TEST(Outcome, APictureFailsAlone) {
  const report::Summary summary = summary_of([](report::Summary& s) {
    s.pictures = {{"first", "", dot},
                  {"broken", "", []() -> report::Picture { fail(ErrorKind::data, "no class 2"); }},
                  {"foreign", "", []() -> report::Picture { throw std::bad_alloc(); }},
                  {"empty", "", [] { return report::Picture(report::Image{}); }},
                  {"taken", "", dot},
                  {"last", "", [] {
                     return report::scatter_figure({.points = {{0, 0}}});
                   }}};
  });
  const test::TemporaryDirectory run;
  std::filesystem::create_directories(run / "taken.png/by somebody");
  test::expect_error(ErrorKind::usage, "taken.png", [&] {
    write_outcome(run.path(), summary, {.iterations = 3, .last = {}}, {}, two_images());
  });
  for (const char* name : {"first.png", "last.png", "last.svg", "last.pdf", "results.json", "report.html"})
    EXPECT_TRUE(std::filesystem::is_regular_file(run / name)) << name;
  const std::string html = test::read_text(run / "report.html");
  size_t images = 0;
  for (size_t at = 0; (at = html.find("<img", at)) != std::string::npos; ++at) ++images;
  EXPECT_EQ(images, 2u);
}

TEST(Outcome, APreviewThatFailsDoesNotEndTheTraining) {
  struct Unseen : Reporting {
    using Reporting::Reporting;
    std::optional<report::Image> preview(const train::Step&) override { fail(ErrorKind::data, "too dark"); }
  } recipe([](report::Summary&) {});
  const test::TemporaryDirectory folder;
  const train::RunDirectory directory(folder / "run", train::RunDirectory::Mode::create);
  testing::internal::CaptureStderr();
  const train::LoopResult result = train_recipe(recipe, directory, {}, {.epochs = 2, .quiet = true});
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "no preview of epoch 1: too dark\nno preview of epoch 2: too dark\n");
  EXPECT_EQ(result.iterations, 2);
}

TEST(Outcome, TheReportEmbedsWhatWasDrawnNotWhatLiesThere) {
  const test::TemporaryDirectory run;
  std::ofstream(run / "secret") << "a secret";
  std::filesystem::create_symlink(run / "secret", run / "dot.png");
  std::filesystem::create_symlink(run / "secret", run / "other.png");
  const report::Summary summary = summary_of([](report::Summary& s) {
    s.pictures = {{"dot", "", dot},
                  {"other", "", []() -> report::Picture { fail(ErrorKind::data, "none"); }}};
  });
  test::expect_error(ErrorKind::usage, "dot.png", [&] {
    write_outcome(run.path(), summary, {.iterations = 3, .last = {}}, {}, two_images());
  });
  EXPECT_EQ(test::read_text(run / "secret"), "a secret");
  EXPECT_EQ(test::read_text(run / "report.html").find("YSBzZWNyZXQ"), std::string::npos);  // base64 of it
}

}  // namespace vae::fit::outcome_test
