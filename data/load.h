#pragma once
// Named data sets and where they are looked for.
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/image_folder.h"
#include "data/synthetic.h"

namespace vae::data {

/// The names that load_dataset() knows:
///   synth          drawn on the spot, needs no files
///   mnist          in a root itself, its mnist/ or its MNIST/raw/ (torchvision's layout)
///   fashion-mnist  in fashion-mnist/ or FashionMNIST/raw/ of a root
///   idx            IDX files under MNIST's file names in a root itself, whatever they hold
///   folder         pictures LABEL_anything.png|bmp|jpg|jpeg in train_images/ and test_images/ of a root
///   subfolders     pictures in one sub-folder per class of train_images/ and test_images/ of a root
inline constexpr std::array<const char*, 6> kDatasetNames = {"synth", "mnist",  "fashion-mnist",
                                                             "idx",   "folder", "subfolders"};

struct DatasetOptions {
  std::string name = "synth";
  Part part = Part::train;
  std::filesystem::path data_dir{};  ///< the only root if set; see data_roots()
  ImageFormat format{};              ///< what images must be; not set: any, but for the published sets
  int num_classes = 10;              ///< not for subfolders, which count their own
  int label_offset = 0;              ///< the first class's label in the files
  int64_t synth_train = 60000;       ///< size of the synthetic training set
  int64_t synth_test = 10000;
  uint64_t synth_seed = 1;
};

/// Folders in which data sets are looked for: `data_dir` alone if given, else $VAE_DATA_DIR (if set) and the
/// cache ($XDG_CACHE_HOME/vaekit or ~/.cache/vaekit). Throws Error(io) if `data_dir` is given and no folder.
std::vector<std::filesystem::path> data_roots(const std::filesystem::path& data_dir);

/// Where the user's files are kept that can be had again: $XDG_CACHE_HOME/vaekit or ~/.cache/vaekit. Throws
/// Error(usage) where there is no home.
std::filesystem::path cache_folder();

/// The folder that somebody named: `data_dir`, else $VAE_DATA_DIR.
std::optional<std::filesystem::path> named_root(const std::filesystem::path& data_dir);

/// Folders of a root, in order of preference, that may hold an IDX data set; throws Error(usage) for another
/// name.
std::vector<std::filesystem::path> idx_folders(const std::string& name);

/// Where the two files of one part of an IDX data set are. Errors as load_dataset().
struct IdxFiles {
  std::filesystem::path images, labels;
};
IdxFiles find_idx(const DatasetOptions& options);

/// Whether a root holds an IDX data set, complete or not: one of its files, or a folder of its own. Throws
/// Error(io) if the root that somebody named cannot be read.
bool holds_any_of(const std::string& name, const std::filesystem::path& data_dir);

/// Loads and validates one part of a named set: 28x28 and grey for the published ones; others of any size,
/// grey or colour. Throws Error(usage) for an unknown name, Error(io) naming the places searched if it is not
/// found or incomplete, or if the root that somebody named cannot be read, Error(data) naming the file if it
/// is malformed.
Dataset load_dataset(const DatasetOptions& options);

}  // namespace vae::data
