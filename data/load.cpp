#include "data/load.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
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

/// Empty for a user who has none.
fs::path home_folder() {
  if (const fs::path home = environment("HOME"); home.is_absolute()) return home;
  const passwd* user = ::getpwuid(::geteuid());
  return user && user->pw_dir ? user->pw_dir : "";
}

std::optional<fs::path> cache_root() {
  if (const auto cache = environment("XDG_CACHE_HOME"); cache.is_absolute()) return cache / "vaekit";
  if (const auto home = home_folder(); home.is_absolute()) return home / ".cache" / "vaekit";
  return std::nullopt;
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

/// Grey or colour of the wanted format; the published sets have theirs.
Tensor check_format(const Tensor& images, const DatasetOptions& options, const fs::path& path) {
  ImageFormat wanted = options.format;
  if (options.name != "idx") wanted = {wanted.channels.value_or(1), wanted.size.value_or(ImageSize{28, 28})};
  const int64_t height = images.size(1), width = images.size(2), channels = images.size(3);
  if (channels != 1 && channels != 3)
    fail(ErrorKind::data, "{}: images are {}x{}x{}, expected 1 channel (grey) or 3 (RGB)", path.string(),
         height, width, channels);
  const int64_t wanted_channels = wanted.channels.value_or(channels);
  const int64_t wanted_height = wanted.size ? wanted.size->height : height,
                wanted_width = wanted.size ? wanted.size->width : width;
  if (channels != wanted_channels || height != wanted_height || width != wanted_width)
    fail(ErrorKind::data, "{}: images are {}x{}x{}, expected {}x{}x{}", path.string(), height, width,
         channels, wanted_height, wanted_width, wanted_channels);
  return images;
}

/// The roots, of which that which somebody named must be there and readable.
std::vector<fs::path> readable_roots(const fs::path& data_dir) {
  if (const auto named = named_root(data_dir)) {
    const char* origin = data_dir.empty() ? "VAE_DATA_DIR: " : "";
    std::error_code error;
    if (!fs::is_directory(*named, error))
      fail(ErrorKind::io, "{}{}: no such data folder", origin, named->string());
    fs::directory_iterator(*named, error);
    if (error) fail(ErrorKind::io, "{}{}: cannot be read ({})", origin, named->string(), error.message());
  }
  return data_roots(data_dir);
}

constexpr const char *kImages = "images-idx3-ubyte", *kLabels = "labels-idx1-ubyte";
const char* stem_of(Part part) { return part == Part::train ? "train" : "t10k"; }

std::optional<fs::path> idx_file(const fs::path& folder, Part part, const char* content) {
  return plain_or_packed(folder / fmt::format("{}-{}", stem_of(part), content));
}

std::vector<fs::path> idx_places(const std::string& name, const fs::path& data_dir) {
  std::vector<fs::path> places;
  for (const fs::path& root : readable_roots(data_dir))
    for (const fs::path& folder : idx_folders(name)) places.push_back(folder.empty() ? root : root / folder);
  return places;
}

/// Whether any file of an IDX set lies in a folder.
bool has_idx_files(const fs::path& folder) {
  for (const Part part : {Part::train, Part::test})
    for (const char* content : {kImages, kLabels})
      if (idx_file(folder, part, content)) return true;
  return false;
}

Dataset load_idx(const DatasetOptions& options) {
  const IdxFiles files = find_idx(options);
  const Tensor pixels = check_format(read_idx_images(files.images), options, files.images);
  return make_dataset(fmt::format("{} ({})", options.name, name_of(options.part)), pixels,
                      read_idx_labels(files.labels, options.num_classes, options.label_offset),
                      options.num_classes);
}

/// The picture folder of a part, in the first root that has it.
fs::path picture_folder(const DatasetOptions& options, Part part) {
  std::vector<std::string> searched;
  for (const fs::path& root : readable_roots(options.data_dir)) {
    const fs::path folder = root / fmt::format("{}_images", name_of(part));
    std::error_code error;
    if (fs::is_directory(folder, error)) return folder;
    searched.push_back(folder.string());
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

std::vector<fs::path> data_roots(const fs::path& data_dir) {
  std::error_code error;
  if (!data_dir.empty()) {
    if (!fs::is_directory(data_dir, error)) fail(ErrorKind::io, "{}: no such data folder", data_dir.string());
    return {data_dir};
  }
  std::vector<fs::path> roots;
  for (const auto& root : {named_root({}), cache_root()})
    if (root) roots.push_back(*root);
  if (roots.empty()) fail(ErrorKind::usage, "no data folder: name one with --data-dir, VAE_DATA_DIR or HOME");
  return roots;
}

fs::path cache_folder() {
  if (const auto cache = cache_root()) return *cache;
  fail(ErrorKind::usage, "no cache folder: name one with XDG_CACHE_HOME or HOME");
}

std::optional<fs::path> named_root(const fs::path& data_dir) {
  const fs::path named = data_dir.empty() ? environment("VAE_DATA_DIR") : data_dir;
  return named.empty() ? std::nullopt : std::optional(named);
}

bool holds_any_of(const std::string& name, const fs::path& data_dir) {
  if (!named_root(data_dir) && !cache_root()) return false;
  std::error_code error;
  for (const fs::path& place : idx_places(name, data_dir))
    if (has_idx_files(place)) return true;
  for (const fs::path& root : data_roots(data_dir))
    for (const fs::path& folder : idx_folders(name))
      if (!folder.empty() && fs::is_directory(root / folder, error)) return true;
  return false;
}

std::vector<fs::path> idx_folders(const std::string& name) {
  if (name == "mnist") return {"", "mnist", "MNIST/raw"};
  if (name == "fashion-mnist") return {"fashion-mnist", "FashionMNIST/raw"};
  if (name == "idx") return {""};
  fail(ErrorKind::usage, "unknown data set '{}', expected one of {}", name, fmt::join(kDatasetNames, ", "));
}

IdxFiles find_idx(const DatasetOptions& options) {
  const std::string remedy = options.name != "idx" ? "; get it with: datasets download " + options.name : "";
  const auto places = idx_places(options.name, options.data_dir);
  const auto place = std::ranges::find_if(places, has_idx_files);
  if (place == places.end()) {
    std::vector<std::string> searched;
    for (const fs::path& folder : places) searched.push_back(folder.string());
    fail(ErrorKind::io, "{}: no {}-{}[.gz] in {}{}", options.name, stem_of(options.part), kImages,
         fmt::join(searched, ", "), remedy);
  }
  const auto file = [&](const char* content) {
    const auto found = idx_file(*place, options.part, content);
    if (!found)
      fail(ErrorKind::io, "{}: the data set is incomplete, {}-{}[.gz] is missing{}", place->string(),
           stem_of(options.part), content, remedy);
    return *found;
  };
  return {file(kImages), file(kLabels)};
}

Dataset load_dataset(const DatasetOptions& options) {
  if (options.name == "synth" && options.num_classes != 10)
    fail(ErrorKind::usage, "the synthetic digits are ten classes, not {}", options.num_classes);
  if ((options.name == "synth" || options.name == "subfolders") && options.label_offset != 0)
    fail(ErrorKind::usage, "the labels of '{}' are in no file: no offset of {}", options.name,
         options.label_offset);
  if (options.name == "synth")
    return synthetic_digits(options.part == Part::train ? options.synth_train : options.synth_test,
                            options.part, options.synth_seed);
  if (options.name == "folder" || options.name == "subfolders") return load_pictures(options);
  return load_idx(options);
}

}  // namespace vae::data
