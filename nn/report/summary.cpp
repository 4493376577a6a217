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

void add_predictions(Summary& summary, const std::vector<int64_t>& labels,
                     const std::vector<int64_t>& predictions, int classes,
                     const std::vector<std::string>& class_names, const std::string& test_set) {
  summary.confusion.emplace(labels, predictions, classes, class_names);
  const double accuracy = labels.empty() ? 0 : summary.confusion->accuracy();
  summary.score = "test_accuracy";
  summary.results["test_accuracy"] = accuracy;
  summary.headline.push_back({"test accuracy", fmt::format("{:.2f} %", 100 * accuracy)});
  summary.lines.push_back(
      fmt::format("test accuracy {:.4f} on {} images of {}", accuracy, labels.size(), test_set));
}

}  // namespace vae::report
