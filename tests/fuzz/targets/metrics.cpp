#include "nn/train/metrics.h"

#include <fstream>

#include "nn/report/series.h"
#include "tests/fuzz/target.h"
#include "tests/read_text.h"

/// The three logs of a run, resumed at step 20: what is there is refused, or kept up to that step, and goes
/// on.
VAE_FUZZ_TARGET(metrics) {
  using namespace vae;
  auto parts = fuzz::parts(input);
  parts.resize(3);
  const auto write = [&] {
    fuzz::file("run.files", fuzz::bytes("metrics.jsonl\nmetrics.csv\ntiming.csv\n"));
    fuzz::file("metrics.jsonl", fuzz::bytes(parts[0]));
    fuzz::file("metrics.csv", fuzz::bytes(parts[1]));
    fuzz::file("timing.csv", fuzz::bytes(parts[2]));
  };
  write();
  fuzz::accepts([&] { report::read_metrics(fuzz::folder() / "metrics.csv"); });
  std::optional<train::MetricsLog> log;
  if (!fuzz::accepts([&] { log.emplace(fuzz::folder(), std::vector<std::string>{"loss"}, 20); })) return;
  log->write(21, 1, {{"loss", 0.5}});
  const std::string json = test::read_text(fuzz::folder() / "metrics.jsonl"),
                    csv = test::read_text(fuzz::folder() / "metrics.csv");
  const std::string row = "{\"step\":21,\"epoch\":1,\"loss\":0.5}\n", line = "21,1,0.5\n";
  fuzz::require(json.ends_with(row) && parts[0].starts_with(json.substr(0, json.size() - row.size())),
                "JSON lines");
  fuzz::require(csv.ends_with(line) && csv.starts_with("step,epoch,loss\n"), "rows");
}
