#include "tools/runs/stored_run.h"

#include "tensor/file.h"
#include "tensor/print.h"
#include "tools/common/option_table.h"

namespace vae::runs {
namespace {

namespace fs = std::filesystem;

nlohmann::ordered_json numbers_of(const fs::path& file) {
  const std::vector<std::byte> bytes = read_file(file, kMostText);
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  const auto json = nlohmann::ordered_json::parse(text, text + bytes.size(), nullptr, false);
  if (!json.is_object()) fail(ErrorKind::data, "{}: not the results of a run", file.string());
  nlohmann::ordered_json numbers = nlohmann::ordered_json::object();
  for (const auto& [name, value] : json.items())
    if (value.is_number()) numbers[name] = value;
  return numbers;
}

nlohmann::ordered_json last_row(const report::Metrics& metrics) {
  nlohmann::ordered_json row = nlohmann::ordered_json::object();
  for (const std::string& name : metrics.names)
    if (const report::Series series = metrics.series(name); !series.y.empty()) row[name] = series.y.back();
  return row;
}

StoredRun read_run(const fs::path& folder, nlohmann::json config) {
  StoredRun run{
      printable(folder.string()), std::move(config), {}, report::read_metrics(folder / "metrics.csv")};
  run.finished = fs::exists(folder / "results.json");
  run.results = run.finished ? numbers_of(folder / "results.json") : last_row(run.metrics);
  return run;
}

}  // namespace

std::vector<StoredRun> read_runs(const fs::path& folder) {
  const nlohmann::json config = tool::read_config(folder / "config.json");
  const auto seeds = config.find("seeds");
  if (seeds == config.end()) return {read_run(folder, config)};
  std::vector<StoredRun> runs;
  for (const uint64_t seed : tool::numbers().parse(tool::text_of(*seeds))) {
    const fs::path of_seed = folder / fmt::format("seed_{}", seed);
    if (fs::exists(of_seed / "metrics.csv"))
      runs.push_back(read_run(of_seed, tool::read_config(of_seed / "config.json")));
  }
  if (runs.empty()) fail(ErrorKind::data, "{}: no seed of it has begun", folder.string());
  return runs;
}

}  // namespace vae::runs
