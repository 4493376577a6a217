#include "nn/report/summary.h"

#include <fmt/format.h>

namespace vae::report {

void add_test_loss(Summary& summary) {
  const double loss = summary.results.value("test_loss", 0.0);
  summary.score = "test_loss";
  summary.charts.push_back({"Loss", "nats per image", {"loss", "test_loss"}});
  summary.headline.push_back({"test loss, nats", fmt::format("{:.2f}", loss)});
  if (!summary.results.contains("test_elbo")) {
    summary.lines.push_back(fmt::format("test loss {:.3f} nats per image", loss));
    return;
  }
  summary.charts.push_back({"ELBO", "nats per image", {"elbo", "test_elbo"}});
  summary.lines.push_back(
      fmt::format("test loss {:.3f} nats per image (training objective); ELBO, of KL weight 1, {:.3f}", loss,
                  summary.results["test_elbo"].get<double>()));
}

namespace {

void add_scores(Summary& summary, const ClassScores& scores, int classes) {
  const double error = calibration_error(scores.bins);
  summary.results["test_calibration_error"] = error;
  summary.results["test_label_nll"] = scores.nll;
  summary.headline.push_back({"calibration error", fmt::format("{:.2f} %", 100 * error)});
  std::string line =
      fmt::format("expected calibration error {:.4f}, -log p(label) {:.4f} nats", error, scores.nll);
  if (classes > 5) {
    summary.results["test_top5_accuracy"] = scores.top5;
    summary.headline.push_back({"top-5 accuracy", fmt::format("{:.2f} %", 100 * scores.top5)});
    line = fmt::format("top-5 accuracy {:.4f}, ", scores.top5) + line;
  }
  summary.lines.push_back(line);
  summary.pictures.push_back({"reliability", "Accuracy and confidence on the test images",
                              [bins = scores.bins] { return reliability_figure(bins); }});
}

}  // namespace

void add_predictions(Summary& summary, const std::vector<int64_t>& labels,
                     const std::vector<int64_t>& predictions, int classes,
                     const std::vector<std::string>& class_names, const std::string& test_set,
                     const std::optional<ClassScores>& scores) {
  summary.confusion.emplace(labels, predictions, classes, class_names);
  const double accuracy = labels.empty() ? 0 : summary.confusion->accuracy();
  summary.score = "test_accuracy";
  summary.results["test_accuracy"] = accuracy;
  summary.headline.push_back({"test accuracy", fmt::format("{:.2f} %", 100 * accuracy)});
  summary.lines.push_back(
      fmt::format("test accuracy {:.4f} on {} images of {}", accuracy, labels.size(), test_set));
  summary.results["test_class_accuracy"] = summary.confusion->json()["recall"];
  if (scores) add_scores(summary, *scores, classes);
}

}  // namespace vae::report
