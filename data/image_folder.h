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

/// What the images of a set must be: grey (1) or RGB (3), and their size. Not set: colour if one of them is,
/// and the size of the first.
struct ImageFormat {
  std::optional<int> channels;
  std::optional<ImageSize> size;
};

/// What a folder holds beside its pictures, by reason: "files that are no pictures (.txt)", 3.
using Ignored = std::map<std::string, int64_t>;

struct ImageFolder {
  Tensor images;    ///< u8 [N, H, W, C], in the order of the sorted file names
  Tensor labels;    ///< i64 [N]
  Ignored ignored;  ///< names that begin with a dot, too
};

/// Reads `LABEL_anything.EXTENSION` (pattern ([0-9]+)_.+) directly in `folder`; labels count from
/// `label_offset`. Throws Error(io) if the folder or a file cannot be read and Error(data) naming the file
/// for a label that is none of the classes, a damaged picture or another size, and if no file fits.
ImageFolder read_labeled_names(const std::filesystem::path& folder, int num_classes,
                               const ImageFormat& format, int label_offset = 0);

/// Reads all pictures directly in `folder`, whatever their names; labels are 0. Errors as above.
ImageFolder read_pictures(const std::filesystem::path& folder, const ImageFormat& format = {});

/// The class names of `folder`: its sub-folders in natural order (1, 2, 10), without those that begin with a
/// dot.
std::vector<std::string> class_folders(const std::filesystem::path& folder);

/// Reads the pictures in the sub-folders of `folder`; the label is the position of the sub-folder's name in
/// `classes`. Throws Error(data) if the sub-folders are not just the classes, if one holds no picture, or
/// pictures in a folder of its own; otherwise as read_labeled_names().
ImageFolder read_class_folders(const std::filesystem::path& folder, const std::vector<std::string>& classes,
                               const ImageFormat& format);

/// Writes the first `limit` items as LABEL_INDEX.EXTENSION (png or bmp). The folder must not exist or be
/// empty; it appears under its name when it is complete. Throws Error(io) if it cannot be written.
void export_images(const Dataset& set, const std::filesystem::path& folder, const std::string& extension,
                   int64_t limit);

}  // namespace vae::data
