// The diagram of a classifier's calibration; what a report says of its probabilities.
#include "nn/report/reliability.h"

#include <gtest/gtest.h>

#include "nn/report/summary.h"
#include "tests/nn/report/recorder.h"
#include "tests/nn/report/well_formed.h"

namespace vae::report {
namespace {

const std::vector<ReliabilityBin> kBins{{}, {3, 0.4, 0.5}, {}, {1, 0.75, 0}};

TEST(Reliability, ErrorIsTheMeanGap) {
  EXPECT_NEAR(calibration_error(kBins), (3 * 0.1 + 0.75) / 4, 1e-15);
  EXPECT_EQ(calibration_error({{}, {}}), 0);
  EXPECT_EQ(calibration_error({}), 0);
}

TEST(Reliability, BarsStandWhereTheirBinsAre) {
  const Figure figure = reliability_figure(kBins);
  const Recorder drawn(figure);
  drawn.only("calibration error 26.2%, 4 images");
  const auto of = [&](int64_t color) {
    std::vector<Recorder::Rectangle> found;
    for (const auto& r : drawn.rectangles)
      if (same_color(r.fill, class_color(color))) found.push_back(r);
    return found;
  };
  const auto right = of(0), gaps = of(2);
  ASSERT_EQ(right.size(), 2u) << "of bins with images";
  ASSERT_EQ(gaps.size(), 2u);
  const double side = 420;
  EXPECT_NEAR(right[0].size.y, 0.5 * side, 1e-9);
  EXPECT_NEAR(right[1].size.y, 0, 1e-9);
  EXPECT_NEAR(gaps[0].size.y, 0.1 * side, 1e-9);
  EXPECT_NEAR(gaps[1].size.y, 0.75 * side, 1e-9);
  EXPECT_NEAR(gaps[0].corner.y, right[0].corner.y, 1e-9) << "right more often than confident";
  EXPECT_NEAR(right[1].corner.x - right[0].corner.x, side / 2, 1e-9) << "two bins on";
  EXPECT_NEAR(right[0].size.x, side / 4 - 2, 1e-9);
  test::expect_well_formed(figure.svg());
}

TEST(Reliability, IsShownWhereAReportHasProbabilities) {
  const auto summary_of = [](int classes, const std::optional<ClassScores>& scores) {
    Summary summary;
    add_predictions(summary, {0, 1, 1}, {0, 1, 0}, classes, {}, "few", scores);
    return summary;
  };
  const Summary plain = summary_of(2, {}), two = summary_of(2, ClassScores{0.5, 1, kBins}),
                six = summary_of(6, ClassScores{0.5, 0.75, kBins});
  EXPECT_EQ(plain.results["test_class_accuracy"], (nlohmann::json{1, 0.5}));
  EXPECT_TRUE(plain.pictures.empty());
  EXPECT_EQ(plain.lines.size(), 1u);
  EXPECT_EQ(two.lines.at(1), "expected calibration error 0.2625, -log p(label) 0.5000 nats");
  EXPECT_FALSE(two.results.contains("test_top5_accuracy"));
  EXPECT_EQ(two.pictures.at(0).name, "reliability");
  EXPECT_EQ(six.lines.at(1),
            "top-5 accuracy 0.7500, expected calibration error 0.2625, -log p(label) 0.5000 nats");
  EXPECT_EQ(six.results["test_top5_accuracy"], 0.75);
  EXPECT_NEAR(six.results["test_calibration_error"].get<double>(), 0.2625, 1e-15);
  EXPECT_EQ(six.results["test_label_nll"], 0.5);
  EXPECT_TRUE(six.results["test_class_accuracy"][2].is_null());
  EXPECT_EQ(six.score, "test_accuracy");
}

}  // namespace
}  // namespace vae::report
