#pragma once
// Families whose files are of several kinds, each with a function that runs it.
#include "numbers.h"

namespace vae::golden {

/// A kind of file.
struct FileKind {
  std::string name;                            ///< for the report
  bool (*fits)(const nlohmann::json& config);  ///< whether a file is of this kind
  std::vector<DType> precisions;               ///< that it is run in
  Values (*run)(Numbers& numbers);
  std::optional<Tolerance> (*tolerance)(const File& file, const std::string& name, DType precision);
  /// The updates that a tensor has been through; null: none.
  std::vector<Update> (*updates)(const File& file, const std::string& name) = nullptr;
};

/// The family of a system; the first kind that fits a file runs it, and a file that none fits fails.
Family family_of(std::string system, std::vector<FileKind> kinds);

}  // namespace vae::golden
