#include "nn/train/metrics.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "nn/train/run_files.h"
#include "tensor/error.h"
#include "tensor/file.h"

namespace vae::train {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTimingHeader = "step,seconds,images_per_s\n";
constexpr std::string_view kJsonPrefix = "{\"step\":";

/// What to keep of a log file on resuming.
struct Kept {
  std::string text;  ///< header and complete rows
  std::string last;  ///< the last of these rows, without its newline
};

/// The header and the rows up to `step` of a file whose rows start with `prefix` and the step.
Kept kept_rows(const fs::path& path, std::string_view header, std::string_view prefix, int64_t step) {
  Kept kept;
  if (!fs::exists(path)) return kept;
  const std::vector<std::byte> bytes = read_file(path, kMostLog);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.find('\n') == std::string_view::npos) return kept;  // killed within the first line
  if (!text.starts_with(header)) fail(ErrorKind::data, "{}: columns of another run", path.string());
  size_t begin = header.size();
  for (size_t end; (end = text.find('\n', begin)) != std::string_view::npos; begin = end + 1) {
    const std::string_view row = text.substr(begin, end - begin);
    int64_t row_step = -1;
    const char* number = row.data() + prefix.size();
    if (!row.starts_with(prefix) ||
        std::from_chars(number, row.data() + row.size(), row_step).ec != std::errc{})
      fail(ErrorKind::data, "{}: line '{}' is no row of a log; without this file the run can be resumed",
           path.string(), row.substr(0, 60));
    if (row_step > step) break;
    kept.last = row;
  }
  kept.text = text.substr(0, begin);
  return kept;
}

std::string csv_header(const std::vector<std::string>& columns) {
  std::string header = "step,epoch";
  std::set<std::string_view> names{"step", "epoch"};
  for (const std::string& name : columns) {
    VAE_CHECK(names.insert(name).second, "metric '{}' is named twice", name);
    VAE_CHECK(!name.empty() && name.find_first_of(",\"\r\n") == std::string::npos,
              "metric '{}' has a bad name", name);
    header += "," + name;
  }
  return header + "\n";
}

/// The values of a row of metrics.jsonl.
Scalars values_of(const std::string& row, const fs::path& path) {
  Scalars values;
  if (row.empty()) return values;
  const auto json = nlohmann::ordered_json::parse(row, nullptr, false);
  bool good = json.is_object();
  for (const auto& [name, value] : json.items()) {
    good = good && value.is_number();
    if (good && name != "step" && name != "epoch") values.push_back({name, value.get<double>()});
  }
  if (!good)
    fail(ErrorKind::data, "{}: line '{}' is no row of a log; without this file the run can be resumed",
         path.string(), row.substr(0, 60));
  return values;
}

/// Opens one file, keeping what a resumed run needs; returns its last kept row.
std::string open(std::optional<AppendFile>& file, const fs::path& path, std::string_view header,
                 std::string_view prefix, std::optional<int64_t> resume_step) {
  const Kept kept = resume_step ? kept_rows(path, header, prefix, *resume_step) : Kept{};
  file.emplace(path, kept.text.size());
  if (kept.text.empty()) file->append(header);
  return kept.last;
}

}  // namespace

MetricsLog::MetricsLog(const fs::path& directory, std::vector<std::string> columns,
                       std::optional<int64_t> resume_step)
    : columns_(std::move(columns)) {
  const fs::path json_lines = claim(directory, "metrics.jsonl");
  kept_ = values_of(open(json_lines_, json_lines, "", kJsonPrefix, resume_step), json_lines);
  open(csv_, claim(directory, "metrics.csv"), csv_header(columns_), "", resume_step);
  const std::string last = open(timing_, claim(directory, "timing.csv"), kTimingHeader, "", resume_step);
  if (const size_t comma = last.find(','); comma != std::string::npos)
    std::from_chars(last.data() + comma + 1, last.data() + last.size(), seconds_before_);
}

void MetricsLog::write(int64_t step, int64_t epoch, const Scalars& values) {
  std::string json = fmt::format("{}{},\"epoch\":{}", kJsonPrefix, step, epoch);
  std::vector<std::string> cells(columns_.size());
  for (const auto& [name, value] : values) {
    const size_t column = std::find(columns_.begin(), columns_.end(), name) - columns_.begin();
    VAE_CHECK(column < columns_.size() && cells[column].empty(), "metric '{}' is no column or given twice",
              name);
    VAE_CHECK(std::isfinite(value), "metric '{}' is {}", name, value);
    cells[column] = fmt::to_string(value);
    json += fmt::format(",{}:{}", nlohmann::json(name).dump(), cells[column]);
  }
  json_lines_->append(json + "}\n");
  csv_->append(fmt::format("{},{}{}{}\n", step, epoch, cells.empty() ? "" : ",", fmt::join(cells, ",")));
}

void MetricsLog::write_timing(int64_t step, double seconds, double images_per_s) {
  timing_->append(fmt::format("{},{:.3f},{:.1f}\n", step, seconds, images_per_s));
}

void MetricsLog::sync() {
  json_lines_->sync();
  csv_->sync();
  timing_->sync();
}

}  // namespace vae::train
