#pragma once
// Where data sets are looked for.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vae::data {

enum class Part { train, test };
const char* name_of(Part part);

/// Folders in which data sets are looked for: `data_dir` alone if given, else $VAE_DATA_DIR (if set) and the
/// cache ($XDG_CACHE_HOME/vaekit or ~/.cache/vaekit). Throws Error(io) if `data_dir` is given and no folder.
std::vector<std::filesystem::path> data_roots(const std::filesystem::path& data_dir);
/// The same, of which that which somebody named must be there and readable: throws Error(io).
std::vector<std::filesystem::path> readable_roots(const std::filesystem::path& data_dir);

/// Where the user's files are kept that can be had again: $XDG_CACHE_HOME/vaekit or ~/.cache/vaekit. Throws
/// Error(usage) where there is no home.
std::filesystem::path cache_folder();

/// The folder that somebody named: `data_dir`, else $VAE_DATA_DIR.
std::optional<std::filesystem::path> named_root(const std::filesystem::path& data_dir);

/// A set in files of known names, and what is known of it.
struct FileSet {
  std::vector<std::string> folders;      ///< of a root, in order of preference; "" is the root itself
  std::vector<std::string> train, test;  ///< the files of each part
  std::string archive{};                 ///< in whose place one file may hold them all
  bool may_be_packed = false;            ///< each file may be NAME.gz instead
  int num_classes = 0;                   ///< 0: as many as one says
  int label_offset = 0;                  ///< of the first class
  std::string letters{};                 ///< the names of its classes, where each is a character
  bool is_transposed = false;            ///< rows of its images are columns
  bool is_published = false;             ///< `datasets download` fetches it

  const std::vector<std::string>& files(Part part) const { return part == Part::train ? train : test; }
};

/// That of a name; none for a set that is drawn, or in folders of pictures.
const FileSet* file_set(const std::string& name);

/// One part of such a set, found: its files, or the archive that holds them.
struct FoundFiles {
  std::filesystem::path folder;
  std::vector<std::filesystem::path> files;  ///< as FileSet lists them; none: in the archive
  std::filesystem::path archive;
};
/// Looks in the first place that has anything of the set. Throws Error(io) naming the places searched, or the
/// file that is missing of an incomplete set, or if the root that somebody named cannot be read.
FoundFiles find_files(const std::string& name, Part part, const std::filesystem::path& data_dir);

/// Whether a root holds a set, complete or not: one of its files, or a folder of its own. Throws Error(io) if
/// the root that somebody named cannot be read.
bool holds_any_of(const std::string& name, const std::filesystem::path& data_dir);

}  // namespace vae::data
