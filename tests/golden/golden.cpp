#include "golden.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <utility>

#include "allowed.h"

namespace vae::golden {
namespace fs = std::filesystem;
namespace {

/// The error as a fraction of what is allowed; infinite where one of the numbers is NaN.
double fraction(double have, double want, double allowed) {
  if (have == want) return 0;
  const double part = std::abs(have - want) / allowed;
  return std::isnan(part) ? std::numeric_limits<double>::infinity() : part;
}

/// How a computed tensor compares with the expected one.
struct Comparison {
  size_t at = 0;     ///< the worst element
  double worst = 0;  ///< its error as a fraction of what is allowed
  double have = 0, want = 0, allowed = 0;

  bool ok() const { return worst <= 1; }
  double error() const { return std::abs(have - want); }
};

Comparison compare_elements(const Tensor& expected, const Tensor& computed,
                            const std::vector<double>& allowed) {
  const std::vector<double> want = to_doubles(expected), have = to_doubles(computed);
  Comparison result;
  for (size_t i = 0; i < want.size(); ++i)
    if (const double part = fraction(have[i], want[i], allowed[i]); part > result.worst)
      result = {.at = i, .worst = part, .have = have[i], .want = want[i], .allowed = allowed[i]};
  return result;
}

bool is_golden(const fs::directory_entry& entry) {
  return entry.is_regular_file() && entry.path().extension() == ".safetensors";
}

std::vector<fs::path> golden_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry :
       fs::recursive_directory_iterator(folder, fs::directory_options::follow_directory_symlink))
    if (is_golden(entry)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

Report failed(const std::string& file, DType precision, const char* why) {
  Report report{.file = file, .kind = "not run", .precision = std::string(name_of(precision))};
  report.failures.emplace_back(why);
  return report;
}

Report run_file(const Family& family, const File& file, DType precision) {
  try {
    return compare(file, family.run(file, precision), precision, [&] { return conditioning(family, file); });
  } catch (const std::exception& error) {
    return failed(file.name, precision, error.what());
  }
}

std::optional<Device> chosen_device;

}  // namespace

Device golden_device() {
  if (chosen_device) return *chosen_device;
  const char* name = std::getenv("VAE_TEST_DEVICE");
  return name ? Device::parse(name) : kCpu;
}

GoldenDevice::GoldenDevice(Device device) { chosen_device = device; }
GoldenDevice::~GoldenDevice() { chosen_device.reset(); }

Tensor as_tensor(const std::vector<double>& values, Shape shape, DType dtype) {
  if (RoundedNumbers::alive()) {
    std::vector<double> moved;
    for (const double value : values) moved.push_back(RoundedNumbers::moved(value, moved.size()));
    return Tensor::from(moved, shape, golden_device());
  }
  return dispatch_floating(dtype, [&](auto zero) {
    return Tensor::from(std::vector<decltype(zero)>(values.begin(), values.end()), shape, golden_device());
  });
}

File load_file(const fs::path& path, const fs::path& folder) {
  File file{.name = path.lexically_relative(folder).replace_extension().string(),
            .path = path,
            .system = {},
            .config = {},
            .content = load_safetensors(path)};
  const auto metadata = [&](const char* key) {
    const auto found = file.content.metadata.find(key);
    if (found == file.content.metadata.end())
      fail(ErrorKind::data, "{}: no '{}' in the metadata: not a golden file", path.string(), key);
    return found->second;
  };
  file.system = metadata("system");
  file.config = nlohmann::json::parse(metadata("config"), nullptr, false);
  if (!file.config.is_object())
    fail(ErrorKind::data, "{}: the configuration in the metadata is not a JSON object", path.string());
  return file;
}

Report compare(const File& file, const Outcome& outcome, DType precision,
               const std::function<std::map<std::string, double>()>& measure_conditioning) {
  Report report{.file = file.name, .kind = outcome.kind, .precision = std::string(name_of(precision))};
  AllowedErrors allowed(file, outcome);
  bool conditioned = false;
  const auto compare_tensor = [&](const std::string& name, const Tensor& expected, const Tensor& computed,
                                  const std::vector<double>& errors) {
    ++report.compared;
    if (!(expected.shape() == computed.shape())) {
      report.failures.push_back(
          fmt::format("{}: shape {}, computed {}", name, expected.shape().str(), computed.shape().str()));
      return;
    }
    Comparison result = compare_elements(expected, computed, errors);
    if (!result.ok() && precision == DType::f32 && measure_conditioning) {
      if (!std::exchange(conditioned, true)) allowed.set_conditioning(measure_conditioning());
      ++report.conditioned;
      result = compare_elements(expected, computed, *allowed.of(name));
    }
    if (result.worst > report.worst)
      report.worst = result.worst, report.error = result.error(), report.where = name;
    if (!result.ok())
      report.failures.push_back(
          fmt::format("{}: element {} is {:.17g}, expected {:.17g}: error {:.2g}, allowed {:.2g}", name,
                      result.at, result.have, result.want, result.error(), result.allowed));
  };
  for (const auto& [name, expected] : file.content.tensors) {
    const auto computed = outcome.values.find(name);
    if (computed == outcome.values.end()) {
      if (!outcome.inputs.count(name))
        report.failures.push_back(name + ": a tensor that this kind of case does not know");
    } else if (const auto errors = allowed.of(name)) {
      compare_tensor(name, expected, computed->second, *errors);
    } else {
      ++report.excluded;
    }
  }
  if (report.compared == 0) report.failures.emplace_back("nothing to compare");
  return report;
}

std::string Report::str() const {
  std::string text = fmt::format("{} {} ({})  {} tensors", file, precision, kind, compared);
  if (excluded > 0) text += fmt::format(" (+ {} excluded as noise)", excluded);
  if (conditioned > 0) text += fmt::format(" ({} by their conditioning)", conditioned);
  if (compared > 0 && where.empty()) text += "  exact";
  if (!where.empty())
    text += fmt::format("  worst {:.2g} of tolerance ({}, error {:.1g})", worst, where, error);
  if (!ok()) text += "  FAILED";
  for (const std::string& failure : failures) text += "\n    " + failure;
  return text;
}

bool Summary::ok() const {
  return failures.empty() &&
         std::all_of(reports.begin(), reports.end(), [](const Report& r) { return r.ok(); });
}

std::string Summary::str() const {
  std::string text;
  for (const Report& report : reports) text += report.str() + "\n";
  for (const auto& [system, count] : not_covered)
    text += fmt::format("{}: not covered yet: {} files\n", system, count);
  for (const std::string& failure : failures) text += "FAILED: " + failure + "\n";
  std::set<std::string> failed_files;
  for (const Report& report : reports)
    if (!report.ok()) failed_files.insert(report.file);
  return text + fmt::format("{} files run, {} failed\n", files, failed_files.size());
}

Summary run_folder(const fs::path& folder, const std::vector<Family>& families,
                   const std::set<std::string>& not_covered_yet,
                   const std::function<bool(const File&)>& wanted) {
  Summary summary;
  if (!fs::is_directory(folder)) {
    summary.failures.push_back(fmt::format("no folder '{}'", fs::absolute(folder).string()));
    return summary;
  }
  const std::vector<fs::path> paths = golden_files(folder);
  if (paths.empty())
    summary.failures.push_back(fmt::format("no golden file in '{}'", fs::absolute(folder).string()));
  for (const auto& entry : fs::directory_iterator(folder))
    if (!paths.empty() && entry.is_directory() && golden_files(entry.path()).empty())
      summary.failures.push_back(fmt::format("no golden file in '{}'", entry.path().string()));

  for (const fs::path& path : paths) {
    File file;
    try {
      file = load_file(path, folder);
    } catch (const Error& error) {
      summary.failures.emplace_back(error.what());
      continue;
    }
    if (wanted && !wanted(file)) continue;
    if (not_covered_yet.count(file.system)) {
      ++summary.not_covered[file.system];
      continue;
    }
    const auto family = std::find_if(families.begin(), families.end(),
                                     [&](const Family& f) { return f.system == file.system; });
    if (family == families.end()) {
      summary.failures.push_back(fmt::format("{}: unknown system '{}'", path.string(), file.system));
      continue;
    }
    ++summary.files;
    for (const DType precision : family->precisions(file))
      summary.reports.push_back(run_file(*family, file, precision));
  }
  return summary;
}

}  // namespace vae::golden
