#pragma once
// What a run says of itself at its end. Pictures are made when they are written, so that one that cannot be
// made costs nothing but itself.
#include <functional>
#include <optional>
#include <variant>

#include "nn/report/confusion.h"
#include "nn/report/html_report.h"
#include "nn/report/reliability.h"

namespace vae::report {

/// An image becomes NAME.png, a figure NAME.png, NAME.svg and NAME.pdf.
using Picture = std::variant<Image, Figure>;

struct NamedPicture {
  std::string name, caption;
  std::function<Picture()> make;
};

/// A picture as it was written.
struct ShownPicture {
  std::vector<std::byte> png;
  std::string caption;
  std::optional<Figure> figure{};  ///< where it is one
};

struct Summary {
  std::string title{};
  nlohmann::ordered_json results = nlohmann::ordered_json::object();  ///< flat: name -> number
  std::vector<Fact> headline{};
  std::vector<std::string> lines{};     ///< printed at the end of the run
  std::vector<std::string> left_out{};  ///< a line for each part that could not be made
  struct Chart {
    std::string title, y_label;
    std::vector<std::string> columns;  ///< of metrics.csv, curves with one scale
  };
  std::vector<Chart> charts{};
  std::vector<NamedPicture> pictures{};
  std::optional<Confusion> confusion{};
  std::string score{};  ///< the result by which runs are compared
};

/// Makes the results' test_loss, nats per image, the score, beside the training's loss; where it is not the
/// ELBO, that is named, too.
void add_test_loss(Summary& summary);

/// Adds the accuracy on a test set, that of each class, and the confusion matrix; the accuracy becomes the
/// score. Of `scores` the log-likelihood, the calibration error with its diagram, and top-5 accuracy where
/// there are more than five classes.
void add_predictions(Summary& summary, const std::vector<int64_t>& labels,
                     const std::vector<int64_t>& predictions, int classes,
                     const std::vector<std::string>& class_names, const std::string& test_set,
                     const std::optional<ClassScores>& scores = {});

}  // namespace vae::report
