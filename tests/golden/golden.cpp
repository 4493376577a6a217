#include "golden.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace vae::golden {
namespace fs = std::filesystem;
namespace {

/// The error as a fraction of what is allowed; infinite where one of the numbers is NaN.
double fraction(double have, double want, double allowed) {
  if (have == want) return 0;
  const double part = std::abs(have - want) / allowed;
  return std::isnan(part) ? std::numeric_limits<double>::infinity() : part;
}

void compare_tensor(Report& report, const std::string& name, const Tensor& expected, const Tensor& computed,
                    const Tolerance& tolerance) {
  ++report.compared;
  if (!(expected.shape() == computed.shape())) {
    report.failures.push_back(
        fmt::format("{}: shape {}, computed {}", name, expected.shape().str(), computed.shape().str()));
    return;
  }
  const std::vector<double> want = as_doubles(expected), have = as_doubles(computed),
                            allowed = allowed_errors(expected, tolerance);
  size_t at = 0;
  double worst = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    const double part = fraction(have[i], want[i], allowed[i]);
    if (part > worst) worst = part, at = i;
  }
  if (worst > report.worst)
    report.worst = worst, report.error = std::abs(have[at] - want[at]), report.where = name;
  if (!(worst <= 1))
    report.failures.push_back(
        fmt::format("{}: element {} is {:.17g}, expected {:.17g}: error {:.2g}, allowed {:.2g}", name, at,
                    have[at], want[at], std::abs(have[at] - want[at]), allowed[at]));
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
    return compare(file, family.run(file, precision), precision);
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

std::vector<double> as_doubles(const Tensor& x) {
  return dispatch_any(x.dtype(), [&](auto zero) {
    const auto values = x.to_vector<decltype(zero)>();
    return std::vector<double>(values.begin(), values.end());
  });
}

Tensor as_tensor(const std::vector<double>& values, Shape shape, DType dtype) {
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

std::vector<double> allowed_errors(const Tensor& expected, const Tolerance& tolerance) {
  std::vector<double> allowed = as_doubles(expected);
  double maximum = 0;
  for (const double value : allowed) maximum = std::max(maximum, std::abs(value));
  for (double& value : allowed)
    value = tolerance.absolute + tolerance.of_value * std::abs(value) + tolerance.of_maximum * maximum;
  return allowed;
}

Report compare(const File& file, const Outcome& outcome, DType precision) {
  Report report{.file = file.name, .kind = outcome.kind, .precision = std::string(name_of(precision))};
  for (const auto& [name, expected] : file.content.tensors) {
    const auto computed = outcome.values.find(name);
    if (computed == outcome.values.end()) {
      if (!outcome.inputs.count(name))
        report.failures.push_back(name + ": a tensor that this kind of case does not know");
    } else if (const auto tolerance = outcome.tolerance(name)) {
      compare_tensor(report, name, expected, computed->second, *tolerance);
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
