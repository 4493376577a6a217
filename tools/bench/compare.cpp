#include "tools/bench/compare.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "tensor/error.h"

namespace vae::bench {
namespace {

/// Of the ratio of rates, now to then.
struct Range {
  double low, high;
};

/// What the machine itself did meanwhile: from the least to the greatest ratio of a peak, or one.
Range machine_range(const Results& now, const Results& then, int threads) {
  const Peaks a = now.peaks(threads), b = then.peaks(threads);
  const auto [low, high] = std::minmax(
      {1.0, a.read / b.read, a.write / b.write, a.copy / b.copy, a.update / b.update, a.product / b.product});
  return {low, high};
}

const char* verdict(const Range& ratio, const Range& machine) {
  return ratio.low > machine.high ? "faster" : ratio.high < machine.low ? "slower" : "same";
}

/// Cases that the other results lack.
void print_missing(const Results& of, const Results& other, const std::string& where) {
  for (const Row& row : of.cases)
    if (!other.find(row.name(), row.threads))
      fmt::print("only {}: {}, {} threads\n", where, row.name(), row.threads);
}

template <class Value>
void check_equal(const char* what, const Value& now, const Value& then, const std::string& file) {
  if (now != then)
    fail(ErrorKind::usage, "{} cannot be compared: {} is {} there, {} here", file, what, then, now);
}

}  // namespace

void check_comparable(const Results& now, const Results& then, const std::filesystem::path& file_of_then) {
  const std::string file = file_of_then.string();
  const Setting &a = now.setting, &b = then.setting;
  check_equal("the device", a.device, b.device, file);
  check_equal("the device", a.device_name, b.device_name, file);
  check_equal("the processor", a.processor, b.processor, file);
  check_equal("the number of cores", a.cores, b.cores, file);
  check_equal("the precision", a.precision, b.precision, file);
  check_equal("the number of threads", a.threads, b.threads, file);
  if (std::none_of(now.cases.begin(), now.cases.end(),
                   [&](const Row& row) { return !row.is_peak() && then.find(row.name(), row.threads); }))
    fail(ErrorKind::usage, "{} cannot be compared: it has none of these cases", file);
}

void print_comparison(const Results& now, const Results& then, const std::filesystem::path& file_of_then) {
  const std::string file = file_of_then.string();
  fmt::print("\n{}: commit {}, {}; load {:.1f} before, {:.1f} after\n", file, then.commit, then.date,
             then.load_before, then.load_after);
  for (const int threads : now.setting.threads) {
    const Range machine = machine_range(now, then, threads);
    fmt::print("the machine itself, {} threads: {:.2f} - {:.2f}\n", threads, machine.low, machine.high);
  }
  fmt::print("\n{:<17} {:<32} {:>2} {:>9}    {:>9} us  ratio of rates, from - to\n", "kernel", "shape", "T",
             "then", "now");
  std::map<std::string, int> verdicts;
  std::vector<double> ratios;
  for (const Row& row : now.cases) {
    const Row* before = then.find(row.name(), row.threads);
    if (!before) continue;
    const Range ratio{before->fastest() / row.slowest(), before->slowest() / row.fastest()};
    const double middle = before->seconds() / row.seconds();
    const char* word = verdict(ratio, row.is_peak() ? Range{1, 1} : machine_range(now, then, row.threads));
    fmt::print("{:<17} {:<32} {:>2} {:>9.1f} -> {:>9.1f} us  {:>5.2f}  {:>4.2f} - {:>4.2f}  {}\n", row.kernel,
               row.shape, row.threads, before->seconds() * 1e6, row.seconds() * 1e6, middle, ratio.low,
               ratio.high, word);
    if (row.is_peak()) continue;
    ++verdicts[word];
    ratios.push_back(middle);
  }
  print_missing(now, then, "here");
  print_missing(then, now, "in " + file);
  std::sort(ratios.begin(), ratios.end());
  fmt::print("{} cases: {} faster, {} slower, {} the same; median ratio {:.2f}\n", ratios.size(),
             verdicts["faster"], verdicts["slower"], verdicts["same"], ratios[ratios.size() / 2]);
}

}  // namespace vae::bench
