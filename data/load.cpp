#include "data/load.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "data/cifar.h"
#include "data/idx.h"
#include "data/svhn.h"

namespace vae::data {
namespace {

namespace fs = std::filesystem;

/// What the images of a set are known to be; of one's own: anything.
ImageFormat known_format(const std::string& name) {
  if (name == "mnist" || name == "fashion-mnist") return {1, ImageSize{28, 28}};
  if (name == "cifar10" || name == "cifar100" || name == "svhn") return {3, ImageSize{32, 32}};
  return {};
}

/// Grey or colour, and as they are wanted.
Tensor check_format(const Tensor& images, const DatasetOptions& options, const std::string& where) {
  const ImageFormat known = known_format(options.name), wanted = options.format;
  const int64_t height = images.size(1), width = images.size(2), channels = images.size(3);
  if (channels != 1 && channels != 3)
    fail(ErrorKind::data, "{}: images are {}x{}x{}, expected 1 channel (grey) or 3 (RGB)", where, height,
         width, channels);
  const int64_t wanted_channels = wanted.channels.value_or(known.channels.value_or(channels));
  const auto size = wanted.size ? wanted.size : known.size;
  const int64_t wanted_height = size ? size->height : height, wanted_width = size ? size->width : width;
  if (channels != wanted_channels || height != wanted_height || width != wanted_width)
    fail(ErrorKind::data, "{}: images are {}x{}x{}, expected {}x{}x{}", where, height, width, channels,
         wanted_height, wanted_width, wanted_channels);
  return images;
}

/// Refuses classes and offsets that are not those of a set which has its own.
void check_classes(const DatasetOptions& options) {
  static const std::map<std::string, int> known{
      {"synth", 10}, {"synth-color", 10}, {"cifar10", 10}, {"cifar100", 100}, {"svhn", 10}};
  const auto found = known.find(options.name);
  const bool left_open = options.num_classes == DatasetOptions().num_classes;
  if (found != known.end() && options.num_classes != found->second && !left_open)
    fail(ErrorKind::usage, "'{}' has {} classes, not {}", options.name, found->second, options.num_classes);
  if ((found != known.end() || options.name == "subfolders") && options.label_offset != 0)
    fail(ErrorKind::usage, "the labels of '{}' are its own: no offset of {}", options.name,
         options.label_offset);
}

Dataset load_idx(const DatasetOptions& options) {
  const auto files = find_files(options.name, options.part, options.data_dir).files;
  const Tensor pixels = check_format(read_idx_images(files[0]), options, files[0].string());
  return make_dataset(fmt::format("{} ({})", options.name, name_of(options.part)), pixels,
                      read_idx_labels(files[1], options.num_classes, options.label_offset),
                      options.num_classes);
}

Dataset load_color(const DatasetOptions& options) {
  const FoundFiles found = find_files(options.name, options.part, options.data_dir);
  Dataset set = options.name == "svhn" ? read_svhn(options.part, found.files[0])
                                       : read_cifar(options.name, options.part, found);
  check_format(set.images, options, found.folder.string());
  return set;
}

/// The picture folder of a part, in the first root that has one of the two. Class folders lie in
/// train_images/ and test_images/ or in train/ and test/.
fs::path picture_folder(const DatasetOptions& options, Part part) {
  std::vector<const char*> endings{"_images"};
  if (options.name == "subfolders") endings.push_back("");
  std::vector<std::string> searched;
  for (const fs::path& root : readable_roots(options.data_dir)) {
    const auto folder = [&](Part of, const char* ending) {
      return root / fmt::format("{}{}", name_of(of), ending);
    };
    std::vector<fs::path> found;
    std::error_code error;
    for (const char* ending : endings) {
      searched.push_back(folder(part, ending).string());
      for (const Part of : {Part::train, Part::test})
        if (fs::is_directory(folder(of, ending), error)) {
          found.push_back(folder(part, ending));
          break;
        }
    }
    if (found.size() > 1)
      fail(ErrorKind::data, "{}: it has pictures for '{}' in two ways, {}/ and {}/: which ones are meant?",
           root.string(), options.name, found[0].filename().string(), found[1].filename().string());
    if (found.empty()) continue;
    if (!fs::is_directory(found[0], error))
      fail(ErrorKind::io, "{}: no such folder: {}", options.name, found[0].string());
    return found[0];
  }
  fail(ErrorKind::io, "{}: no such folder: {}", options.name, fmt::join(searched, ", "));
}

Dataset load_pictures(const DatasetOptions& options) {
  const fs::path folder = picture_folder(options, options.part);
  ImageFolder set;
  std::vector<std::string> classes;
  if (options.name == "folder") {
    set = read_labeled_names(folder, options.num_classes, options.format, options.label_offset);
  } else {
    classes = class_folders(picture_folder(options, Part::train));
    set = read_class_folders(folder, classes, options.format);
  }
  const int num_classes = classes.empty() ? options.num_classes : static_cast<int>(classes.size());
  Dataset dataset = make_dataset(folder.string(), set.images, set.labels, num_classes);
  dataset.class_names = classes;
  for (const auto& [reason, count] : set.ignored)
    dataset.ignored.push_back(fmt::format("{} {}", count, reason));
  return dataset;
}

}  // namespace

Dataset load_dataset(const DatasetOptions& options) {
  const std::string& name = options.name;
  check_classes(options);
  const int64_t drawn = options.part == Part::train ? options.synth_train : options.synth_test;
  if (name == "synth") return synthetic_digits(drawn, options.part, options.synth_seed);
  if (name == "synth-color") return synthetic_color_digits(drawn, options.part, options.synth_seed);
  if (name == "folder" || name == "subfolders") return load_pictures(options);
  if (name == "cifar10" || name == "cifar100" || name == "svhn") return load_color(options);
  if (file_set(name)) return load_idx(options);
  fail(ErrorKind::usage, "unknown data set '{}', expected one of {}", name, fmt::join(kDatasetNames, ", "));
}

}  // namespace vae::data
