#pragma once
// Golden tests: files of numbers made by an independent implementation, against ours. A golden file is a
// safetensors container whose metadata names its system, its case and its configuration (JSON). The folder is
// known at run time only, so nothing here depends on a file's name, and every tensor of a file must either be
// read by the family that runs it or agree with one that the family computed.
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tensor/compare.h"
#include "tensor/safetensors.h"

namespace vae::golden {

/// Where the families run: VAE_TEST_DEVICE of the environment ("cuda:0"), else the CPU.
Device golden_device();

/// While alive, the families run on another device.
class GoldenDevice {
 public:
  explicit GoldenDevice(Device device);
  ~GoldenDevice();
  GoldenDevice(const GoldenDevice&) = delete;
  GoldenDevice& operator=(const GoldenDevice&) = delete;
};

/// The tensor with these elements in a floating dtype, on golden_device().
Tensor as_tensor(const std::vector<double>& values, Shape shape, DType dtype);

struct File {
  std::string name;  ///< path in the folder, without extension: "m1-m2/split"
  std::filesystem::path path;
  std::string system;  ///< the family
  nlohmann::json config;
  SafeTensors content;
};

/// Loads a file of a folder. Throws Error(data) where the metadata are not those of a golden file.
File load_file(const std::filesystem::path& path, const std::filesystem::path& folder);

/// How far element e of a tensor may be off: absolute + of_value |e| + of_maximum max |tensor|.
struct Tolerance {
  double absolute = 0, of_value = 0, of_maximum = 0;
};

/// An optimiser's update without history: a parameter moves by rate g / (|g| + eps) whatever the size of its
/// gradient g, so that rounding noise moves it as far as a gradient does.
struct Update {
  std::string gradient;  ///< its name in the file
  double rate = 0, eps = 0;
  double scale = 1;             ///< by which clipping multiplies the gradient
  std::vector<double> decay{};  ///< added to it
};

/// What a family made of a file in one precision.
struct Outcome {
  std::string kind;                      ///< for the report: "M2 iteration, separate"
  std::map<std::string, Tensor> values;  ///< computed tensors under the file's names
  std::set<std::string> inputs;          ///< tensors of the file that were read
  /// Tolerance of a tensor; none where it is rounding noise and not compared.
  std::function<std::optional<Tolerance>(const std::string& name)> tolerance{};
  /// The updates that a tensor has been through, of gradients that the file holds.
  std::function<std::vector<Update>(const std::string& name)> updates{};
};

/// A family of models: runs its files.
struct Family {
  std::string system;
  /// The precisions that a file is run in; i64 for files without floating tensors.
  std::function<std::vector<DType>(const File&)> precisions;
  std::function<Outcome(const File&, DType)> run;
};

/// Result of one file in one precision.
struct Report {
  std::string file, kind, precision;
  int64_t compared = 0, excluded = 0;
  int64_t conditioned = 0;  ///< compared within the conditioning of the file's numbers
  double worst = 0;         ///< largest error as a fraction of its tolerance
  double error = 0;         ///< that error
  std::string where{};      ///< the tensor where it occurs
  std::vector<std::string> failures{};

  bool ok() const { return failures.empty(); }
  /// One line, and one more for each failure.
  std::string str() const;
};

/// Compares everything in the file with the outcome. A tensor neither read nor computed is a failure, and so
/// are another shape, NaN, and a file with nothing to compare. Where single precision misses a tolerance, the
/// conditioning of the file's numbers is asked for: how far each tensor moves when they are rounded.
Report compare(const File& file, const Outcome& outcome, DType precision,
               const std::function<std::map<std::string, double>()>& measure_conditioning = {});

struct Summary {
  std::vector<Report> reports;
  std::map<std::string, int64_t> not_covered;  ///< files of systems without an implementation, by system
  int64_t files = 0;                           ///< that were run
  std::vector<std::string> failures;           ///< of the folder as a whole

  bool ok() const;
  std::string str() const;
};

/// Runs every file below `folder`, or those that are `wanted`. Systems in `not_covered_yet` are counted and
/// pass; any other system without a family fails, and so does a folder, or one of its sub-folders, without
/// golden files.
Summary run_folder(const std::filesystem::path& folder, const std::vector<Family>& families,
                   const std::set<std::string>& not_covered_yet,
                   const std::function<bool(const File&)>& wanted = {});

}  // namespace vae::golden
