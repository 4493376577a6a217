#pragma once
// The directory of one training run. One process at a time may hold it; nothing of anybody else is ever
// removed.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace vae::train {

class RunDirectory {
 public:
  enum class Mode {
    create,  ///< a new run; refused if the directory already holds files of one
    fresh,   ///< a new run; the files of the run that is there are removed first
    resume,  ///< continue the run that is there
  };

  /// Makes the directory where needed and locks it for this process. Throws Error(usage) when the mode does
  /// not fit what is there or another process trains in it, Error(io) when the directory cannot be made or
  /// written. `advice` says what may be done where a run is there already.
  RunDirectory(std::filesystem::path path, Mode mode, std::string advice = "");
  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  bool resumed() const { return mode_ == Mode::resume; }

  /// config.json, the resolved options of the run. read_config throws Error(data) when it is not a JSON
  /// object.
  void write_config(const nlohmann::json& config) const;
  nlohmann::json read_config() const;

  /// Whether a file of that name is written by a run: config.json, split.json, metrics.*, timing.csv,
  /// events.*, checkpoint*.safetensors, report.html, results.json,
  /// *.png, *.svg, or a temporary left by a killed process.
  static bool owns(const std::string& name);

 private:
  void lock();
  void check_mode() const;
  /// Everything of the old run when starting afresh, what killed processes left half-written when resuming.
  void remove_files() const;

  std::filesystem::path path_;
  Mode mode_;
  std::string advice_;
  int lock_ = -1;
};

}  // namespace vae::train
