#pragma once
// The directory of one training run. One process at a time may hold it, of several ranks rank 0, which alone
// writes there; nothing of anybody else is ever replaced or removed (nn/train/run_files.h).
#include <nlohmann/json.hpp>

#include "nn/train/run_files.h"
#include "tensor/descriptor.h"

namespace vae::train {

class RunDirectory {
 public:
  enum class Mode {
    create,  ///< a new run in an empty directory; hidden files and logs (.log, .out, .err) may be there
    fresh,   ///< a new run; the files that a run wrote there are removed first
    resume,  ///< continue the run that is there
  };

  /// Makes the directory where needed and locks it for this process. All ranks come here together. Throws
  /// Error(usage) when the mode does not fit what is there or another process trains in it, Error(io) when
  /// the directory cannot be made or written. `advice` says what may be done where a run is there already.
  RunDirectory(std::filesystem::path path, Mode mode, std::string advice = "");

  const std::filesystem::path& path() const { return path_; }
  /// A file to read.
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  /// A file to write, noted as one of the run; throws as train::claim() does.
  std::filesystem::path claim(const std::string& name) const;
  bool resumed() const { return mode_ == Mode::resume; }

  /// config.json, the resolved options of the run. read_config throws Error(data) when it is not a JSON
  /// object.
  void write_config(const nlohmann::json& config) const;
  nlohmann::json read_config() const;

 private:
  void lock();
  void check_mode() const;
  /// Of a run that lost its notes, as a copy of some files does: notes what every run writes.
  void adopt_files() const;
  /// Everything of the old run when starting afresh, what killed processes left half-written when resuming.
  void remove_files() const;

  std::filesystem::path path_;
  Mode mode_;
  std::string advice_;
  Descriptor lock_;
};

}  // namespace vae::train
