#pragma once
// Data sets kept as folders of pictures: the label in the file name, or one sub-folder per class.
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/image_file.h"

namespace vae::data {

/// What a folder holds beside its pictures, by reason: "files that are no pictures (.txt)", 3.
using Ignored = std::map<std::string, int64_t>;

/// Where there are pictures without a label, which have kNoLabel.
struct Unlabeled {
  bool names = false;              ///< those whose names do not begin with one
  std::filesystem::path folder{};  ///< all that lie directly in this; empty: none
};

struct ImageFolder {
  Tensor images;  ///< u8 [N, H, W, C], in the order of the sorted file names; those of Unlabeled::folder last
  Tensor labels;  ///< i64 [N]
  Ignored ignored;           ///< names that begin with a dot, too
  bool transparent = false;  ///< one of the pictures is, somewhere
};

/// Reads `LABEL_anything.EXTENSION` (pattern ([0-9]+)_.+) directly in `folder`; labels count from
/// `label_offset`. Throws Error(io) if the folder or a file cannot be read and Error(data) naming the file
/// for a label that is none of the classes, a damaged picture or another size, and if no file fits.
ImageFolder read_labeled_names(const std::filesystem::path& folder, int num_classes,
                               const ImageFormat& format, int label_offset = 0,
                               const Unlabeled& unlabeled = {});

/// Reads all pictures directly in `folder`, whatever their names; labels are 0. Errors as above.
ImageFolder read_pictures(const std::filesystem::path& folder, const ImageFormat& format = {});

/// The class names of `folder`: its sub-folders in natural order (1, 2, 10), without those that begin with a
/// dot.
std::vector<std::string> class_folders(const std::filesystem::path& folder);

/// Reads the pictures in the sub-folders of `folder`; the label is the position of the sub-folder's name in
/// `classes`. Throws Error(data) if the sub-folders are not just the classes, if one holds no picture, or
/// pictures in a folder of its own; otherwise as read_labeled_names().
ImageFolder read_class_folders(const std::filesystem::path& folder, const std::vector<std::string>& classes,
                               const ImageFormat& format, const Unlabeled& unlabeled = {});

/// Writes the first `limit` items as LABEL_INDEX.EXTENSION (png or bmp), those without a label as
/// unlabeled_INDEX.EXTENSION. The folder must not exist or be
/// empty; it appears under its name when it is complete. Throws Error(io) if it cannot be written.
void export_images(const Dataset& set, const std::filesystem::path& folder, const std::string& extension,
                   int64_t limit);

}  // namespace vae::data
