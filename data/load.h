#pragma once
// Named data sets.
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
///   synth-color    likewise, 32x32 and in colour
///   mnist          in a root itself, its mnist/ or its MNIST/raw/ (torchvision's layout)
///   fashion-mnist  in fashion-mnist/ or FashionMNIST/raw/ of a root
///   kmnist         in kmnist/ or KMNIST/raw/
///   qmnist         in a root itself, its qmnist/ or QMNIST/raw/
///   emnist-SPLIT   likewise, emnist/, emnist/gzip/ or EMNIST/raw/: its images, which are stored transposed,
///   upright cifar10        the binary version: in a root itself, its cifar10/ or its cifar-10-batches-bin/
///   cifar100       likewise: cifar100/, cifar-100-binary/
///   svhn           MATLAB files: in a root itself, its svhn/ or its SVHN/
///   idx            IDX files under MNIST's file names in a root itself, whatever they hold
///   folder         pictures LABEL_anything.png|bmp|jpg|jpeg in train_images/ and test_images/ of a root
///   subfolders     pictures in one sub-folder per class of train_images/ and test_images/, or of train/ and
///                  test/, of a root
/// Of the last two further training images, without a label, may lie in unlabeled_images/ (unlabeled/ beside
/// train/), and in the train_images/ of `folder` under names that do not begin with one.
inline constexpr std::array kDatasetNames{
    "synth",           "synth-color",    "mnist",          "fashion-mnist", "kmnist",         "qmnist",
    "emnist-balanced", "emnist-byclass", "emnist-bymerge", "emnist-digits", "emnist-letters", "emnist-mnist",
    "cifar10",         "cifar100",       "svhn",           "idx",           "folder",         "subfolders"};

struct DatasetOptions {
  std::string name = "synth";
  Part part = Part::train;
  std::filesystem::path data_dir{};  ///< the only root if set; see data_roots()
  ImageFormat format{};              ///< what images must be; not set: any, but for the published sets
  int num_classes = 10;              ///< of sets that do not have their own: not for subfolders, say
  int label_offset = 0;              ///< the first class's label in the files
  bool transpose = false;            ///< of `idx`: rows of its images are columns
  int64_t synth_train = 60000;       ///< size of the synthetic training set
  int64_t synth_test = 10000;
  uint64_t synth_seed = 1;
};

/// Loads and validates one part of a named set: the published ones as they are published, others of any size,
/// grey or colour. Throws Error(usage) for an unknown name or other classes than a set has, Error(io) naming
/// the places searched if it is not found or incomplete, or if the root that somebody named cannot be read,
/// Error(data) naming the file if it is malformed.
Dataset load_dataset(const DatasetOptions& options);

/// Whether a set is one of pictures, whose sizes DatasetOptions::format.resize changes.
bool is_of_pictures(const std::string& name);

}  // namespace vae::data
