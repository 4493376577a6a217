#include "data/load.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "data/cifar.h"
#include "data/idx.h"
#include "data/svhn.h"
#include "tensor/print.h"

namespace vae::data {
namespace {

namespace fs = std::filesystem;

/// What the images of a set are known to be; of one's own: anything.
ImageFormat known_format(const std::string& name) {
  if (name == "cifar10" || name == "cifar100" || name == "svhn") return {3, ImageSize{32, 32}};
  if (file_set(name) && name != "idx") return {1, ImageSize{28, 28}};
  return {};
}

/// Of sets that have their own; else 0.
int known_classes(const std::string& name) {
  const FileSet* set = file_set(name);
  return set ? set->num_classes : name == "synth" || name == "synth-color" ? 10 : 0;
}

/// Whether images [N, H, W, C] are grey or colour, and as they are wanted.
void check_format(const Shape& images, const DatasetOptions& options, const std::string& where) {
  const ImageFormat known = known_format(options.name), wanted = options.format;
  const int64_t height = images[1], width = images[2], channels = images[3];
  if (channels != 1 && channels != 3)
    fail(ErrorKind::data, "{}: images are {}x{}x{}, expected 1 channel (grey) or 3 (RGB)", where, height,
         width, channels);
  const int64_t wanted_channels = wanted.channels.value_or(known.channels.value_or(channels));
  const auto size = wanted.size ? wanted.size : known.size;
  const int64_t wanted_height = size ? size->height : height, wanted_width = size ? size->width : width;
  if (channels != wanted_channels || height != wanted_height || width != wanted_width)
    fail(ErrorKind::data, "{}: images are {}x{}x{}, expected {}x{}x{}", where, height, width, channels,
         wanted_height, wanted_width, wanted_channels);
}

/// Refuses classes and offsets that are not those of a set which has its own.
void check_classes(const DatasetOptions& options) {
  const int known = known_classes(options.name);
  const bool left_open = options.num_classes == DatasetOptions().num_classes;
  if (known && options.num_classes != known && !left_open)
    fail(ErrorKind::usage, "'{}' has {} classes, not {}", options.name, known, options.num_classes);
  if ((known || options.name == "subfolders") && options.label_offset != 0)
    fail(ErrorKind::usage, "the labels of '{}' are its own: no offset of {}", options.name,
         options.label_offset);
}

/// Refuses what is for other sets.
void check_options(const DatasetOptions& options) {
  check_classes(options);
  if (options.transpose && options.name != "idx")
    fail(ErrorKind::usage, "'{}' is not transposed: --transpose is for the images of 'idx'", options.name);
  if (options.format.resize && !is_of_pictures(options.name))
    fail(ErrorKind::usage, "'{}' is no set of pictures, which are resized as they are read", options.name);
}

/// Images [N, H, W, C] whose rows and columns are exchanged.
Tensor transposed(const Tensor& images) {
  const int64_t n = images.size(0), height = images.size(1), width = images.size(2),
                channels = images.size(3);
  Tensor result = Tensor::empty({n, width, height, channels}, DType::u8);
  uint8_t* to = result.data<uint8_t>();
  for (int64_t i = 0; i < n; ++i)
    for (int64_t y = 0; y < width; ++y)
      for (int64_t x = 0; x < height; ++x, to += channels)
        std::copy_n(images.data<uint8_t>() + ((i * height + x) * width + y) * channels, channels, to);
  return result;
}

Dataset load_idx(const DatasetOptions& options) {
  const std::string& name = options.name;
  const auto files = find_files(name, options.part, options.data_dir).files;
  const FileSet& known = *file_set(name);
  const bool turned = options.transpose || known.is_transposed;
  Tensor pixels = read_idx_images(files[0], [&](const Shape& stored) {
    const auto [height, width] = turned ? std::pair(stored[2], stored[1]) : std::pair(stored[1], stored[2]);
    check_format({stored[0], height, width, stored[3]}, options, files[0].string());
  });
  if (turned) pixels = transposed(pixels);
  const int classes = known.num_classes ? known.num_classes : options.num_classes;
  const Tensor labels =
      read_idx_labels(files[1], classes, options.label_offset + known.label_offset, pixels.size(0));
  Dataset set = make_dataset(fmt::format("{} ({})", name, name_of(options.part)), pixels, labels, classes);
  for (const char letter : known.letters) set.class_names.emplace_back(1, letter);
  return set;
}

Dataset load_color(const DatasetOptions& options) {
  const FoundFiles found = find_files(options.name, options.part, options.data_dir);
  Dataset set = options.name == "svhn" ? read_svhn(options.part, found.files[0])
                                       : read_cifar(options.name, options.part, found);
  check_format(set.images.shape(), options, found.folder.string());
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

bool all_equal(const Tensor& images) {
  const int64_t n = images.size(0), bytes = images.numel() / n;
  const auto* first = images.data<uint8_t>();
  for (int64_t i = 1; i < n; ++i)
    if (!std::equal(first, first + bytes, first + i * bytes)) return false;
  return n > 1;
}

Dataset load_pictures(const DatasetOptions& options) {
  const fs::path folder = picture_folder(options, options.part);
  ImageFolder set;
  std::vector<std::string> classes;
  Unlabeled unlabeled;
  if (options.part == Part::train) {  // beside train/ or train_images/
    std::string beside = folder.filename().string();
    beside.replace(0, beside.find('_'), "unlabeled");
    std::error_code error;
    unlabeled.names = true;
    if (fs::is_directory(folder.parent_path() / beside, error))
      unlabeled.folder = folder.parent_path() / beside;
  }
  if (options.name == "folder") {
    set = read_labeled_names(folder, options.num_classes, options.format, options.label_offset, unlabeled);
  } else {
    classes = class_folders(picture_folder(options, Part::train));
    set = read_class_folders(folder, classes, options.format, unlabeled);
  }
  const int num_classes = classes.empty() ? options.num_classes : static_cast<int>(classes.size());
  Dataset dataset = make_dataset(folder.string(), set.images, set.labels, num_classes);
  if (set.transparent && all_equal(set.images))
    dataset.warnings.push_back(
        fmt::format("all {} pictures are equal over this background (--background)", dataset.size()));
  for (const std::string& name : classes) dataset.class_names.push_back(printable(name));
  for (const auto& [reason, count] : set.ignored)
    dataset.ignored.push_back(fmt::format("{} {}", count, reason));
  return dataset;
}

}  // namespace

bool is_of_pictures(const std::string& name) { return name == "folder" || name == "subfolders"; }

Dataset load_dataset(const DatasetOptions& options) {
  const std::string& name = options.name;
  check_options(options);
  const int64_t drawn = options.part == Part::train ? options.synth_train : options.synth_test;
  if (name == "synth") return synthetic_digits(drawn, options.part, options.synth_seed);
  if (name == "synth-color") return synthetic_color_digits(drawn, options.part, options.synth_seed);
  if (is_of_pictures(name)) return load_pictures(options);
  if (name == "cifar10" || name == "cifar100" || name == "svhn") return load_color(options);
  if (file_set(name)) return load_idx(options);
  fail(ErrorKind::usage, "unknown data set '{}', expected one of {}", name, fmt::join(kDatasetNames, ", "));
}

}  // namespace vae::data
