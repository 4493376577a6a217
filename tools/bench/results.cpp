#include "tools/bench/results.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tensor/error.h"
#include "tensor/file.h"

namespace vae::bench {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Work, read, written, updated, flops, direct)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Row, kernel, shape, threads, work, error, rounds)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Setting, device, device_name, processor, cores, precision, threads)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Results, setting, date, commit, seconds, load_before, load_after, cases)

namespace {

using nlohmann::json;

constexpr int kSchema = 1;

bool is_sound(const Row& row) {
  return !row.rounds.empty() && std::all_of(row.rounds.begin(), row.rounds.end(),
                                            [](double s) { return s > 0 && std::isfinite(s); });
}

/// Of the numbers that follow from a row.
json derived(const Row& row, const Bound& bound) {
  return {{"dtype", "f32"},         {"seconds", row.seconds()},
          {"spread", row.spread()}, {"rate", row.work.amount() / row.seconds()},
          {"peak", bound.kind},     {"share", bound.seconds / row.seconds()}};
}

}  // namespace

double Row::seconds() const {
  std::vector<double> sorted = rounds;
  std::sort(sorted.begin(), sorted.end());
  const size_t n = sorted.size();
  return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
}

double Row::spread() const { return (slowest() - fastest()) / (2 * seconds()); }

const Row* Results::find(const std::string& name, int threads) const {
  for (const Row& row : cases)
    if (row.threads == threads && row.name() == name) return &row;
  return nullptr;
}

Peaks Results::peaks(int threads, double (Row::*seconds)() const) const {
  const auto rate = [&](const char* kind) {
    const Row* row = find(fmt::format("{} {}", kPeak, kind), threads);
    if (!row) fail(ErrorKind::data, "no peak of kind '{}' for {} threads", kind, threads);
    return row->work.amount() / (row->*seconds)();
  };
  return {rate("read"), rate("write"), rate("copy"), rate("update"), rate("product")};
}

void write_results(const Results& results, const std::filesystem::path& file) {
  json all = results;
  all["schema"] = kSchema;
  for (size_t i = 0; i < results.cases.size(); ++i) {
    const Row& row = results.cases[i];
    all["cases"][i].update(derived(row, results.bound(row)));
    if (!row.engine.empty()) all["cases"][i]["engine"] = row.engine;
  }
  write_file_atomically(file, all.dump(1) + "\n");
}

Results read_results(const std::filesystem::path& file) {
  const std::vector<std::byte> bytes = read_file(file, kMostText);
  const char* text = reinterpret_cast<const char*>(bytes.data());
  const json all = json::parse(text, text + bytes.size(), nullptr, false);
  if (!all.is_object() || all.value("schema", json()) != kSchema)
    fail(ErrorKind::data, "{}: not results of bench_kernels, schema {}", file.string(), kSchema);
  Results results;
  try {
    results = all.get<Results>();
    for (size_t i = 0; i < results.cases.size(); ++i)
      results.cases[i].engine = all["cases"][i].value("engine", "");
    for (const Row& row : results.cases)
      if (!is_sound(row)) fail(ErrorKind::data, "{} lacks times", row.name());
    for (const Row& row : results.cases) results.peaks(row.threads);
    for (const int threads : results.setting.threads) results.peaks(threads);
    if (results.cases.empty() || results.setting.threads.empty())
      fail(ErrorKind::data, "nothing was measured");
  } catch (const std::exception& e) {
    fail(ErrorKind::data, "{}: {}", file.string(), e.what());
  }
  return results;
}

void print_results(const Results& results) {
  const Setting& s = results.setting;
  fmt::print("{}: {}, {}; commit {}, {}\n", s.device, s.device_name, s.precision, results.commit,
             results.date);
  fmt::print("{}, {} cores, load {:.1f} before, {:.1f} after; median of {} rounds, half their range\n\n",
             s.processor, s.cores, results.load_before, results.load_after,
             results.cases.front().rounds.size());
  fmt::print("{:<17} {:<32} {:>2} {:>21} {:>16} {:>6} of peak\n", "kernel", "shape", "T", "time", "rate",
             "share");
  for (const Row& row : results.cases) {
    const Bound bound = results.bound(row);
    fmt::print("{:<17} {:<32} {:>2} {:>9.1f} us ±{:>4.0f} % {:>8.1f} {:<7} {:>4.0f} % {}{}\n", row.kernel,
               row.shape, row.threads, row.seconds() * 1e6, 100 * row.spread(),
               row.work.amount() / row.seconds() * 1e-9, row.work.flops > 0 ? "GFLOP/s" : "GB/s",
               100 * bound.seconds / row.seconds(), bound.kind, row.engine.empty() ? "" : ", " + row.engine);
  }
  fmt::print(
      "\nT threads; copy+read: what is only read at the rate of reading; product: operations at the rate of "
      "a large\n"
      "product; direct: likewise, counted as in direct convolution, of which Winograd's algorithm needs a "
      "quarter\n");
}

}  // namespace vae::bench
