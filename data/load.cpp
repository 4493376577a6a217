#include "data/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "data/idx.h"

namespace vae::data {
namespace {

namespace fs = std::filesystem;

fs::path environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

const char* name_of(Part part) { return part == Part::train ? "train" : "test"; }

/// The file, or else its packed form.
std::optional<fs::path> plain_or_packed(const fs::path& path) {
  for (const char* suffix : {"", ".gz"}) {
    std::error_code error;
    const fs::path candidate = path.string() + suffix;
    if (fs::is_regular_file(candidate, error)) return candidate;
  }
  return std::nullopt;
}

Tensor check_format(const Tensor& images, const ImageFormat& format, const fs::path& path) {
  const ImageSize size{static_cast<int>(images.size(1)), static_cast<int>(images.size(2))};
  if (images.size(3) != format.channels || (format.size != ImageSize{} && size != format.size))
    fail(ErrorKind::data, "{}: images are {}x{}x{}, expected {}x{}x{}", path.string(), size.height,
         size.width, images.size(3), format.size.height, format.size.width, format.channels);
  return images;
}

Dataset load_idx(const DatasetOptions& options) {
  const std::string stem = options.part == Part::train ? "train" : "t10k";
  std::vector<std::string> searched;
  for (const fs::path& root : data_roots(options.data_dir))
    for (const fs::path& folder : idx_folders(options.name)) {
      const fs::path place = folder.empty() ? root : root / folder;
      const auto images = plain_or_packed(place / (stem + "-images-idx3-ubyte"));
      searched.push_back(place.string());
      if (!images) continue;
      const auto labels = plain_or_packed(place / (stem + "-labels-idx1-ubyte"));
      if (!labels)
        fail(ErrorKind::io, "{}: its labels, {}-labels-idx1-ubyte[.gz], are missing", images->string(), stem);
      const Tensor pixels = check_format(read_idx_images(*images), options.format, *images);
      return make_dataset(fmt::format("{} ({})", options.name, name_of(options.part)), pixels,
                          read_idx_labels(*labels, options.num_classes), options.num_classes);
    }
  const bool known = options.name != "idx";
  fail(ErrorKind::io, "{}: no {}-images-idx3-ubyte[.gz] in {}{}{}", options.name, stem,
       fmt::join(searched, ", "), known ? "; get it with: datasets download " : "",
       known ? options.name : "");
}

/// The picture folder of a part, in the first root that has it.
fs::path picture_folder(const DatasetOptions& options, Part part) {
  std::vector<std::string> searched;
  for (const fs::path& root : data_roots(options.data_dir)) {
    const fs::path folder = root / fmt::format("{}_images", name_of(part));
    std::error_code error;
    if (fs::is_directory(folder, error)) return folder;
    searched.push_back(folder.string());
  }
  fail(ErrorKind::io, "{}: no such folder: {}", options.name, fmt::join(searched, ", "));
}

Dataset load_pictures(const DatasetOptions& options) {
  const fs::path folder = picture_folder(options, options.part);
  int num_classes = options.num_classes;
  ImageFolder set;
  if (options.name == "folder") {
    set = read_labeled_names(folder, num_classes, options.format);
  } else {
    const auto classes = class_folders(picture_folder(options, Part::train));
    num_classes = static_cast<int>(classes.size());
    set = read_class_folders(folder, classes, options.format);
  }
  if (set.ignored > 0)
    fmt::print(stderr, "{}: {} files ignored, their names do not fit\n", folder.string(), set.ignored);
  return make_dataset(folder.string(), set.images, set.labels, num_classes);
}

}  // namespace

std::vector<fs::path> data_roots(const fs::path& data_dir) {
  std::error_code error;
  if (!data_dir.empty()) {
    if (!fs::is_directory(data_dir, error)) fail(ErrorKind::io, "{}: no such data folder", data_dir.string());
    return {data_dir};
  }
  std::vector<fs::path> roots;
  if (const auto root = environment("VAE_DATA_DIR"); !root.empty()) roots.push_back(root);
  if (const auto cache = environment("XDG_CACHE_HOME"); cache.is_absolute())
    roots.push_back(cache / "vaekit");
  else if (const auto home = environment("HOME"); !home.empty())
    roots.push_back(home / ".cache" / "vaekit");
  if (roots.empty()) fail(ErrorKind::usage, "no data folder: give one, or set VAE_DATA_DIR or HOME");
  return roots;
}

std::vector<fs::path> idx_folders(const std::string& name) {
  if (name == "mnist") return {"", "mnist", "MNIST/raw"};
  if (name == "fashion-mnist") return {"fashion-mnist", "FashionMNIST/raw"};
  if (name == "idx") return {""};
  fail(ErrorKind::usage, "unknown data set '{}', expected one of {}", name, fmt::join(kDatasetNames, ", "));
}

Dataset load_dataset(const DatasetOptions& options) {
  if (options.name == "synth" && options.num_classes != 10)
    fail(ErrorKind::usage, "the synthetic digits are ten classes, not {}", options.num_classes);
  if (options.name == "synth")
    return synthetic_digits(options.part == Part::train ? options.synth_train : options.synth_test,
                            options.part, options.synth_seed);
  if (options.name == "folder" || options.name == "subfolders") return load_pictures(options);
  return load_idx(options);
}

}  // namespace vae::data
