#include "data/image_folder.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <optional>

namespace vae::data {
namespace {

namespace fs = std::filesystem;

struct LabeledFile {
  fs::path path;
  int64_t label;
};

bool is_picture(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".bmp" || extension == ".png" || extension == ".jpg";
}

/// The number before the underscore of NUMBER_anything.extension; a number beyond int64 counts as the
/// largest.
std::optional<int64_t> label_in_name(const fs::path& path) {
  const std::string stem = path.stem().string();
  const size_t digits = stem.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string::npos || stem[digits] != '_' || digits + 1 == stem.size() ||
      !is_picture(path))
    return std::nullopt;
  int64_t label = INT64_MAX;
  std::from_chars(stem.data(), stem.data() + digits, label);
  return label;
}

/// Files (or sub-folders) directly in a folder, sorted by name.
std::vector<fs::path> entries(const fs::path& folder, bool directories) {
  std::vector<fs::path> found;
  try {
    for (const auto& entry : fs::directory_iterator(folder))
      if (directories ? entry.is_directory() : entry.is_regular_file()) found.push_back(entry.path());
  } catch (const fs::filesystem_error& e) {
    fail(ErrorKind::io, "{}: cannot read the folder ({})", folder.string(), e.code().message());
  }
  std::sort(found.begin(), found.end());
  return found;
}

ImageFolder read_files(const std::vector<LabeledFile>& files, const fs::path& folder, ImageFormat format) {
  if (files.empty()) fail(ErrorKind::data, "{}: no pictures found", folder.string());
  ImageFolder set;
  const auto n = static_cast<int64_t>(files.size());
  set.labels = Tensor::empty({n}, DType::i64);
  for (int64_t i = 0; i < n; ++i) {
    const Image image = read_image(files[i].path, format.channels, format.size);
    if (i == 0) {
      format.size = image.size;
      set.images = Tensor::empty({n, image.size.height, image.size.width, format.channels}, DType::u8);
    }
    std::memcpy(set.images.data<uint8_t>() + i * image.pixels.size(), image.pixels.data(),
                image.pixels.size());
    set.labels.data<int64_t>()[i] = files[i].label;
  }
  return set;
}

/// An empty neighbour of a folder that does not exist yet or is empty; renamed to it by finish(), else
/// removed.
class NewFolder {
 public:
  explicit NewFolder(const fs::path& target)
      : target_(target.has_filename() ? target : target.parent_path()), partial_(target_.string() + ".part") {
    std::error_code error;
    if (fs::exists(target_, error) && !fs::is_empty(target_, error))
      fail(ErrorKind::io, "{}: exists already and is not an empty folder", target_.string());
    fs::remove_all(partial_, error);
    fs::create_directories(partial_, error);
    if (error) fail(ErrorKind::io, "{}: cannot create the folder ({})", partial_.string(), error.message());
  }
  ~NewFolder() {
    std::error_code ignored;
    fs::remove_all(partial_, ignored);
  }
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;
  const fs::path& partial() const { return partial_; }
  void finish() {
    std::error_code error;
    fs::rename(partial_, target_, error);
    if (error) fail(ErrorKind::io, "{}: cannot create the folder ({})", target_.string(), error.message());
  }

 private:
  fs::path target_, partial_;
};

}  // namespace

ImageFolder read_labeled_names(const fs::path& folder, int num_classes, ImageFormat format) {
  std::vector<LabeledFile> files;
  int64_t ignored = 0;
  for (const auto& path : entries(folder, false)) {
    const auto label = label_in_name(path);
    if (!label) {
      ++ignored;
      continue;
    }
    if (*label >= num_classes)
      fail(ErrorKind::data, "{}: label {} is out of range, there are {} classes", path.string(), *label,
           num_classes);
    files.push_back({path, *label});
  }
  ImageFolder set = read_files(files, folder, format);
  set.ignored = ignored;
  return set;
}

std::vector<std::string> class_folders(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& path : entries(folder, true)) names.push_back(path.filename().string());
  if (names.empty()) fail(ErrorKind::data, "{}: no class folders found", folder.string());
  return names;
}

ImageFolder read_class_folders(const fs::path& folder, const std::vector<std::string>& classes,
                               ImageFormat format) {
  std::vector<LabeledFile> files;
  int64_t ignored = 0;
  for (const auto& subfolder : entries(folder, true)) {
    const auto found = std::find(classes.begin(), classes.end(), subfolder.filename().string());
    if (found == classes.end())
      fail(ErrorKind::data, "{}: not one of the {} classes of the training set", subfolder.string(),
           classes.size());
    for (const auto& path : entries(subfolder, false)) {
      if (is_picture(path))
        files.push_back({path, found - classes.begin()});
      else
        ++ignored;
    }
  }
  ImageFolder set = read_files(files, folder, format);
  set.ignored = ignored;
  return set;
}

void export_images(const Dataset& set, const fs::path& folder, const std::string& extension, int64_t limit) {
  if (extension != "png" && extension != "bmp")
    fail(ErrorKind::usage, "image format {}, expected png or bmp", extension);
  if (limit < 0) fail(ErrorKind::usage, "a limit of {} images", limit);
  const ImageSize size{static_cast<int>(set.images.size(1)), static_cast<int>(set.images.size(2))};
  const int channels = static_cast<int>(set.images.size(3));
  const size_t bytes = static_cast<size_t>(size.height) * size.width * channels;
  NewFolder target(folder);
  for (int64_t i = 0; i < std::min(limit, set.size()); ++i)
    write_image(target.partial() / fmt::format("{}_{:05}.{}", set.labels.data<int64_t>()[i], i, extension),
                {set.images.data<uint8_t>() + i * bytes, bytes}, size, channels);
  target.finish();
}

}  // namespace vae::data
