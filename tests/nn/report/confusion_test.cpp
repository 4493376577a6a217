#include "nn/report/confusion.h"

#include <gtest/gtest.h>

#include <cmath>

#include "nn/report/statistics.h"
#include "tests/expect_error.h"
#include "tests/nn/report/recorder.h"
#include "tests/nn/report/well_formed.h"

namespace vae::report {
namespace {

using test::expect_error;

const std::vector<int64_t> kLabels{0, 0, 0, 1, 1, 3, 3, 3, 3}, kPredictions{0, 0, 1, 1, 1, 3, 0, 3, 3};

TEST(Confusion, CountsAndRates) {
  const Confusion confusion(kLabels, kPredictions, 4);
  EXPECT_EQ(confusion.count(0, 0), 2);
  EXPECT_EQ(confusion.count(0, 1), 1);
  EXPECT_EQ(confusion.count(1, 0), 0);
  EXPECT_EQ(confusion.count(3, 0), 1);
  EXPECT_DOUBLE_EQ(confusion.accuracy(), 7.0 / 9);
  EXPECT_DOUBLE_EQ(confusion.recall(0), 2.0 / 3);
  EXPECT_DOUBLE_EQ(confusion.precision(0), 2.0 / 3);
  EXPECT_DOUBLE_EQ(confusion.recall(1), 1);
  EXPECT_DOUBLE_EQ(confusion.precision(1), 2.0 / 3);
  EXPECT_TRUE(std::isnan(confusion.recall(2)));
  EXPECT_TRUE(std::isnan(confusion.precision(2)));
}

TEST(Confusion, Text) {
  EXPECT_EQ(Confusion(kLabels, kPredictions, 4).text(),
            "true\\pred      0      1      2      3   recall\n"
            "        0      2      1      0      0    66.7%\n"
            "        1      0      2      0      0   100.0%\n"
            "        2      0      0      0      0        -\n"
            "        3      1      0      0      3    75.0%\n"
            "precision  66.7%  66.7%      - 100.0%    77.8%\n");
}

TEST(Confusion, Json) {
  const nlohmann::ordered_json json = Confusion(kLabels, kPredictions, 4).json();
  EXPECT_EQ(json["classes"], 4);
  EXPECT_EQ(json["counts"][3], (std::vector<int64_t>{1, 0, 0, 3}));
  EXPECT_DOUBLE_EQ(json["accuracy"], 7.0 / 9);
  EXPECT_TRUE(json["recall"][2].is_null());
  EXPECT_DOUBLE_EQ(json["recall"][3], 0.75);
  EXPECT_EQ(json["precision"].size(), 4u);
  EXPECT_TRUE(Confusion({}, {}, 2).json()["accuracy"].is_null());
}

TEST(Confusion, BadInputNamesTheValue) {
  const std::vector<int64_t> good{0, 1}, large{0, 2}, negative{-1, 0};
  expect_error(ErrorKind::internal, "label 2 at 1 is not in [0, 2)", [&] { Confusion(large, good, 2); });
  expect_error(ErrorKind::internal, "prediction -1 at 0", [&] { Confusion(good, negative, 2); });
  expect_error(ErrorKind::internal, "2 labels, 0 predictions", [&] { Confusion(good, {}, 2); });
  expect_error(ErrorKind::internal, "0 classes", [] { Confusion({}, {}, 0); });
}

TEST(Confusion, ManyClassesAreAListOfTheFirst) {
  std::vector<int64_t> labels, predictions;
  for (int64_t i = 0; i < 3000; ++i)
    labels.push_back(i % 1000), predictions.push_back(i < 2000 ? i % 1000 : 7);
  const Confusion some(labels, predictions, 1000);
  const std::string text = some.text();
  EXPECT_EQ(test::occurrences(text, "\n"), 102u);
  EXPECT_NE(text.find("                       0        3    66.7%     100.0%  7 (1)\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("                       7        3   100.0%       0.3%\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nand 900 further classes\n"), std::string::npos);
  const Confusion million(labels, predictions, 1'000'000);  // a matrix would take terabytes
  EXPECT_EQ(million.count(999, 7), 1);
  EXPECT_DOUBLE_EQ(million.accuracy(), 2001.0 / 3000);
  for (const Confusion& confusion : {some, million}) {
    EXPECT_LT(confusion.figure().svg().size(), 300'000u);
    EXPECT_TRUE(Recorder(confusion.figure()).says("the first 100 of "));
  }
}

TEST(Confusion, NamesOfClasses) {
  const std::vector<std::string> names{"cat", "<b>&\"dog\"\n", "\u732b\xff", std::string(500, 'm')};
  const Confusion confusion(kLabels, kPredictions, 4, names);
  const std::string text = confusion.text();
  EXPECT_EQ(test::occurrences(text, "\n"), 6u);
  for (const std::string name : {"cat", "<b>&\"dog\"\uFFFD", "\u732b\uFFFD", "mmmmmmmmmmmmmmmmmmmmmmm\u2026"})
    EXPECT_NE(text.find(name + " "), std::string::npos) << name << "\n" << text;
  test::expect_well_formed(confusion.figure().svg());
  EXPECT_EQ(Recorder(confusion.figure()).count("cat"), 2);
  EXPECT_LT(confusion.figure().width, 600);
  EXPECT_NO_THROW(confusion.figure().image(1));
}

TEST(Confusion, FigureOfAnySize) {
  for (const int classes : {1, 2, 10, 100, 1000}) {
    std::vector<int64_t> labels, predictions;
    for (int i = 0; i < 3 * classes; ++i) {
      labels.push_back(i % classes);
      predictions.push_back(i * i % classes);
    }
    const Figure figure = Confusion(labels, predictions, classes).figure("<title>");
    EXPECT_LT(figure.width, 900);
    if (classes <= 100) test::expect_well_formed(figure.svg());
    EXPECT_NO_THROW(figure.image(1));
  }
  EXPECT_EQ(Recorder(Confusion(kLabels, kPredictions, 4).figure()).count("accuracy 77.8%"), 1);
}

TEST(Statistics, MeanAndSampleDeviation) {
  const double values[] = {0.90, 0.89, 0.94};
  EXPECT_EQ(mean_std(values).str(), "0.9100 \u00b1 0.0265 (3 runs)");
  EXPECT_EQ(mean_std(std::span(values, 1)).str(2), "0.90");
  EXPECT_TRUE(std::isnan(mean_std({}).mean));
  EXPECT_EQ(percent(0.98765), "98.8%");
  EXPECT_EQ(percent(NAN), "-");
}

}  // namespace
}  // namespace vae::report
