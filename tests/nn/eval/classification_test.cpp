// Accuracies and calibration of a classifier, by hand.
#include "nn/eval/classification.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/expect_error.h"
#include "tests/numeric.h"

namespace vae::eval {
namespace {

Tensor rows(const std::vector<double>& values, int64_t classes, DType dtype = DType::f64) {
  return test::tensor_of(values, {static_cast<int64_t>(values.size()) / classes, classes}, dtype);
}
Tensor labels(const std::vector<int64_t>& values) { return Tensor::from(values, {std::ssize(values)}); }

TEST(Classification, OfFourImagesByHand) {
  Classification c(3);
  c.add(rows({0.7, 0.2, 0.1,   // right, 0.7
              0.3, 0.6, 0.1},  // second of three
             3),
        labels({0, 0}), Scores::probabilities);
  c.add(rows({0.1, 0.4, 0.5,     // third
              0.25, 0.65, 0.1},  // right, 0.65
             3),
        labels({0, 1}), Scores::probabilities);
  EXPECT_EQ(c.images(), 4);
  EXPECT_EQ(c.predictions(), (std::vector<int64_t>{0, 1, 2, 1}));
  EXPECT_EQ(c.labels(), (std::vector<int64_t>{0, 0, 0, 1}));
  EXPECT_EQ(c.accuracy(), 0.5);
  EXPECT_EQ(c.top_accuracy(2), 0.75);
  EXPECT_EQ(c.top_accuracy(3), 1);
  EXPECT_EQ(c.top_accuracy(5), 1) << "there are but three classes";
  EXPECT_NEAR(c.class_accuracy(0), 1. / 3, 1e-15);
  EXPECT_EQ(c.class_accuracy(1), 1);
  EXPECT_TRUE(std::isnan(c.class_accuracy(2)));
  EXPECT_NEAR(c.nll(), -std::log(0.7 * 0.3 * 0.1 * 0.65) / 4, 1e-15);
  // Fifths: (0.4, 0.6] has 0.6 and 0.5, both wrong; (0.6, 0.8] has 0.7 and 0.65, both right.
  const auto bins = c.bins(5);
  ASSERT_EQ(bins.size(), 5u);
  EXPECT_EQ(bins[2].images, 2);
  EXPECT_NEAR(bins[2].confidence, 0.55, 1e-15);
  EXPECT_EQ(bins[2].accuracy, 0);
  EXPECT_EQ(bins[3].images, 2);
  EXPECT_EQ(bins[3].accuracy, 1);
  EXPECT_EQ(bins[0].images + bins[1].images + bins[4].images, 0);
  EXPECT_NEAR(c.calibration_error(5), (0.55 + (1 - 0.675)) / 2, 1e-15);
  // Fifteenths: 0.6 is the upper end of the ninth, 0.5 of the eighth; 0.7 and 0.65 are of the eleventh and
  // tenth.
  EXPECT_EQ(c.bins()[8].images, 1);
  EXPECT_EQ(c.bins()[7].images, 1);
  EXPECT_NEAR(c.calibration_error(), (0.6 + 0.5 + 0.3 + 0.35) / 4, 1e-15);
  EXPECT_EQ(c.scores().top5, 1);
  EXPECT_EQ(c.scores().nll, c.nll());
  EXPECT_EQ(c.scores().bins.size(), 15u);
}

TEST(Classification, LogitsAreProbabilitiesButForAConstant) {
  const std::vector<double> p{0.7, 0.2, 0.1, 0.3, 0.6, 0.1, 0.1, 0.4, 0.5};
  Classification expected(3);
  expected.add(rows(p, 3), labels({0, 0, 1}), Scores::probabilities);
  for (const double shift : {0.0, 5.0, -1000.0, 1000.0}) {
    std::vector<double> logits;
    for (const double value : p) logits.push_back(std::log(value) + shift);
    Classification c(3);
    c.add(rows(logits, 3), labels({0, 0, 1}));
    EXPECT_EQ(c.predictions(), expected.predictions());
    EXPECT_EQ(c.top_accuracy(2), expected.top_accuracy(2));
    EXPECT_NEAR(c.nll(), expected.nll(), 1e-12);
    EXPECT_NEAR(c.calibration_error(), expected.calibration_error(), 1e-12);
  }
}

TEST(Classification, OfEqualScoresTheFirstClassIsTheMoreProbable) {
  Classification c(7);
  std::vector<double> equal(7 * 7, 2.5);
  c.add(rows(equal, 7, DType::f32), labels({0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(c.predictions(), std::vector<int64_t>(7, 0));
  for (int64_t k = 1; k <= 7; ++k) EXPECT_EQ(c.top_accuracy(k), static_cast<double>(k) / 7);
  EXPECT_NEAR(c.nll(), std::log(7), 1e-12);
  Classification first(3);
  first.add(rows({1, 1, 0, 1, 1, 0, 1, 1, 0}, 3), labels({0, 0, 1}));
  EXPECT_EQ(first.accuracy(), 2. / 3);
  EXPECT_EQ(first.top_accuracy(2), 1);
}

TEST(Classification, LargeLogitsKeepTheirOrderAndTheirLikelihood) {
  Classification c(2);
  c.add(rows({800, 0}, 2), labels({1}));
  EXPECT_EQ(c.nll(), 800);
  EXPECT_EQ(c.bins()[14].confidence, 1);
  EXPECT_EQ(c.calibration_error(), 1);
}

TEST(Classification, OfNothing) {
  Classification c(4);
  c.add(rows({}, 4).reshape({0, 4}), labels({}));
  EXPECT_EQ(c.images(), 0);
  EXPECT_EQ(c.accuracy(), 0);
  EXPECT_EQ(c.top_accuracy(5), 0);
  EXPECT_EQ(c.nll(), 0);
  EXPECT_EQ(c.calibration_error(), 0);
  EXPECT_TRUE(std::isnan(c.class_accuracy(0)));
}

TEST(Classification, AProbabilityOfZeroIsNoInfiniteLoss) {
  Classification c(2);
  c.add(rows({1, 0}, 2), labels({1}), Scores::probabilities);
  EXPECT_NEAR(c.nll(), -std::log(1e-12), 1e-12);
}

TEST(Classification, RefusesWhatIsNoScore) {
  Classification c(2);
  test::expect_error(ErrorKind::numeric, "the score of class 1 is nan for image 0", [&] {
    c.add(rows({0, NAN}, 2), labels({0}));
  });
  for (const std::vector<double>& bad : {std::vector<double>{0.5, 0.6}, {1.5, -0.5}, {0.1, 0.1}})
    test::expect_error(ErrorKind::usage, "has no probabilities",
                       [&] { c.add(rows(bad, 2), labels({0}), Scores::probabilities); });
  test::expect_error(ErrorKind::internal, "label 2 of 2 classes", [&] {
    c.add(rows({0, 1}, 2), labels({2}));
  });
  test::expect_error(ErrorKind::internal, "of 2 classes", [&] { c.add(rows({0, 1, 2}, 3), labels({0})); });
}

}  // namespace
}  // namespace vae::eval
