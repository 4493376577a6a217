#pragma once
// Data sets kept as folders of pictures: the label in the file name, or one sub-folder per class.
#include <filesystem>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/image_file.h"

namespace vae::data {

/// How pictures are read: grey or RGB; the size all must have, or that of the first picture when not set.
struct ImageFormat {
  int channels = 1;
  ImageSize size;
};

struct ImageFolder {
  Tensor images;        ///< u8 [N, H, W, C], in the order of the sorted file names
  Tensor labels;        ///< i64 [N]
  int64_t ignored = 0;  ///< files whose name does not fit
};

/// Reads `LABEL_anything.bmp|png|jpg` (pattern ([0-9]+)_.+\.(bmp|png|jpg), extension in any case) directly in
/// `folder`. Throws Error(io) if the folder cannot be read and Error(data) naming the file for a label >=
/// num_classes, a damaged picture or another size, and if no file fits.
ImageFolder read_labeled_names(const std::filesystem::path& folder, int num_classes, ImageFormat format);

/// The class names of `folder`: its sub-folders, sorted.
std::vector<std::string> class_folders(const std::filesystem::path& folder);

/// Reads the pictures (*.bmp|png|jpg) in the sub-folders of `folder`; the label is the position of the
/// sub-folder's name in `classes`. Throws Error(data) for a sub-folder that is none of the classes; otherwise
/// as read_labeled_names().
ImageFolder read_class_folders(const std::filesystem::path& folder, const std::vector<std::string>& classes,
                               ImageFormat format);

/// Writes the first `limit` items as LABEL_INDEX.EXTENSION (png or bmp). The folder must not exist or be
/// empty; it appears under its name when it is complete. Throws Error(io) if it cannot be written.
void export_images(const Dataset& set, const std::filesystem::path& folder, const std::string& extension,
                   int64_t limit);

}  // namespace vae::data
