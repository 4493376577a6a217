#include "nn/report/series.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

#include "tensor/error.h"
#include "tensor/file.h"

namespace vae::report {
namespace {

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> cells;
  while (true) {
    const size_t comma = line.find(',');
    cells.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return cells;
    line.remove_prefix(comma + 1);
  }
}

/// As much of a cell as a message should hold.
std::string_view shown(std::string_view cell) { return cell.substr(0, 40); }

struct Reader {
  const std::filesystem::path& path;
  int64_t line = 0;
  Metrics metrics = {};

  template <class... Args>
  [[noreturn]] void reject(fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorKind::data, "{}:{}: {}", path.string(), line, fmt::format(format, std::forward<Args>(args)...));
  }

  void header(const std::vector<std::string_view>& cells) {
    for (const std::string_view cell : cells) {
      if (cell.empty()) reject("column without a name");
      if (metrics.contains(std::string(cell))) reject("column {:?} appears twice", shown(cell));
      metrics.names.emplace_back(cell);
    }
    metrics.columns.resize(cells.size());
  }

  void row(const std::vector<std::string_view>& cells) {
    if (cells.size() != metrics.names.size())
      reject("{} cells, expected {} as in the first line", cells.size(), metrics.names.size());
    for (size_t i = 0; i < cells.size(); ++i) metrics.columns[i].push_back(value(cells[i], metrics.names[i]));
  }

  std::optional<double> value(std::string_view cell, const std::string& column) const {
    if (cell.empty()) return std::nullopt;
    double value = 0;
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (error != std::errc{} || end != cell.data() + cell.size())
      reject("{:?} in column {:?} is no number", shown(cell), shown(column));
    return value;
  }
};

}  // namespace

bool Metrics::contains(const std::string& name) const { return std::ranges::count(names, name) > 0; }

Series Metrics::series(const std::string& name, const std::string& x) const {
  const auto column = [&](const std::string& wanted) -> const std::vector<std::optional<double>>& {
    const auto found = std::ranges::find(names, wanted);
    if (found == names.end()) fail(ErrorKind::data, "metrics have no column '{}'", wanted);
    return columns[found - names.begin()];
  };
  const auto &xs = column(x), &ys = column(name);
  Series series{name, {}, {}};
  for (size_t i = 0; i < xs.size(); ++i)
    if (xs[i] && ys[i]) {
      series.x.push_back(*xs[i]);
      series.y.push_back(*ys[i]);
    }
  return series;
}

Metrics read_metrics(const std::filesystem::path& csv) {
  const std::vector<std::byte> bytes = read_file(csv, kMostLog);
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  Reader reader{csv};
  for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    ++reader.line;
    if (reader.line == 1)
      reader.header(split(line));
    else
      reader.row(split(line));
  }
  if (reader.line == 0)
    fail(ErrorKind::data, "{}: no header line with the names of the columns", csv.string());
  return std::move(reader.metrics);
}

}  // namespace vae::report
