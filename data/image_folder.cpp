#include "data/image_folder.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "data/new_folder.h"

namespace vae::data {
namespace {

namespace fs = std::filesystem;

struct LabeledFile {
  fs::path path;
  int64_t label;  ///< or kNoLabel
};

/// The number before the underscore of NUMBER_anything; a number beyond int64 counts as the largest.
std::optional<int64_t> label_in_name(const fs::path& path) {
  const std::string stem = path.stem().string();
  const size_t digits = stem.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string::npos || stem[digits] != '_' || digits + 1 == stem.size())
    return std::nullopt;
  int64_t label = INT64_MAX;
  std::from_chars(stem.data(), stem.data() + digits, label);
  return label;
}

std::string no_picture(const fs::path& path) {
  const std::string extension = path.extension().string();
  return fmt::format("files that are no pictures ({})", extension.empty() ? "no extension" : extension);
}

/// Files and folders directly in a folder, sorted by name.
struct Listing {
  std::vector<fs::path> files, folders;
};

Listing list(const fs::path& folder, Ignored& ignored) {
  Listing found;
  try {
    for (const auto& entry : fs::directory_iterator(folder)) {
      std::error_code error;
      const fs::file_type type = entry.status(error).type();  // of what a link leads to
      if (entry.path().filename().string().starts_with('.'))
        ++ignored["entries whose names begin with a dot"];
      else if (type == fs::file_type::directory)
        found.folders.push_back(entry.path());
      else if (type == fs::file_type::regular)
        found.files.push_back(entry.path());
      else if (type == fs::file_type::not_found)
        fail(ErrorKind::io, "{}: a link that leads nowhere", entry.path().string());
      else if (error)
        fail(ErrorKind::io, "{}: cannot be read ({})", entry.path().string(), error.message());
      else
        ++ignored["entries that are neither files nor folders"];
    }
  } catch (const fs::filesystem_error& e) {
    fail(ErrorKind::io, "{}: cannot read the folder ({})", folder.string(), e.code().message());
  }
  std::sort(found.files.begin(), found.files.end());
  std::sort(found.folders.begin(), found.folders.end());
  return found;
}

/// Whether there are pictures in a folder, however deep.
bool holds_pictures(const fs::path& folder) {
  Ignored ignored;
  const Listing found = list(folder, ignored);
  return std::ranges::any_of(found.files, is_picture) ||
         std::ranges::any_of(found.folders,
                             [](const fs::path& f) { return !fs::is_symlink(f) && holds_pictures(f); });
}

/// Order of names in which runs of digits count as numbers: "2" before "10".
bool natural_less(const std::string& a, const std::string& b) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto number_at = [&](const std::string& text, size_t& at) {
    const size_t begin = std::min(text.find_first_not_of('0', at), text.size());
    for (at = begin; at < text.size() && is_digit(text[at]);) ++at;
    return std::string_view(text).substr(begin, at - begin);
  };
  size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (is_digit(a[i]) && is_digit(b[j])) {
      const auto x = number_at(a, i), y = number_at(b, j);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
    } else if (a[i] != b[j]) {
      return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[j]);
    } else {
      ++i, ++j;
    }
  }
  const size_t rest_of_a = a.size() - i, rest_of_b = b.size() - j;
  return rest_of_a != rest_of_b ? rest_of_a < rest_of_b : a < b;
}

/// Grey images [N, H, W, 1] as RGB.
Tensor in_colour(const Tensor& grey) {
  const Tensor colour = Tensor::empty({grey.size(0), grey.size(1), grey.size(2), 3}, DType::u8);
  for (int64_t i = 0; i < grey.numel(); ++i)
    std::fill_n(colour.data<uint8_t>() + 3 * i, 3, grey.data<uint8_t>()[i]);
  return colour;
}

/// Room for n pictures like the first. It is filled as they are read, so it costs nothing where the second is
/// of another size.
Tensor room_for(int64_t n, const Image& first, const fs::path& path) try {
  return Tensor::empty({n, first.size.height, first.size.width, first.channels}, DType::u8);
} catch (const Error&) {
  fail(ErrorKind::data, "{}: {} pictures of {}x{} like this one do not fit into memory (--resize)",
       path.string(), n, first.size.width, first.size.height);
}

ImageFolder read_files(const std::vector<LabeledFile>& files, ImageFormat format, Ignored ignored) {
  const auto n = static_cast<int64_t>(files.size());
  ImageFolder set{{}, Tensor::empty({n}, DType::i64), std::move(ignored)};
  for (int64_t i = 0; i < n; ++i) {
    const Image image = read_image(files[i].path, format);
    if (i == 0) {
      format.size = image.size;
      set.images = room_for(n, image, files[0].path);
    } else if (image.channels != set.images.size(3)) {
      set.images = in_colour(set.images);
    }
    if (image.channels == 3) format.channels = 3;
    set.transparent |= image.transparent;
    std::memcpy(set.images.data<uint8_t>() + i * image.pixels.size(), image.pixels.data(),
                image.pixels.size());
    set.labels.data<int64_t>()[i] = files[i].label;
  }
  return set;
}

/// Appends all pictures directly in a folder.
void add_pictures(const fs::path& folder, std::vector<LabeledFile>& files, int64_t label, Ignored& ignored) {
  const Listing found = list(folder, ignored);
  if (!found.folders.empty()) ignored["folders"] += static_cast<int64_t>(found.folders.size());
  for (const auto& path : found.files) {
    if (is_picture(path))
      files.push_back({path, label});
    else
      ++ignored[no_picture(path)];
  }
}

}  // namespace

ImageFolder read_labeled_names(const fs::path& folder, int num_classes, const ImageFormat& format,
                               int label_offset, const Unlabeled& unlabeled) {
  std::vector<LabeledFile> files;
  bool labeled = false;
  Ignored ignored;
  const Listing found = list(folder, ignored);
  if (!found.folders.empty()) ignored["folders"] = static_cast<int64_t>(found.folders.size());
  for (const auto& path : found.files) {
    const auto label = label_in_name(path);
    if (!is_picture(path))
      ++ignored[no_picture(path)];
    else if (!label && unlabeled.names)
      files.push_back({path, kNoLabel});
    else if (!label)
      ++ignored["pictures whose names do not begin with a label, like 3_name.png"];
    else if (*label < label_offset || *label - label_offset >= num_classes)
      fail_label(path.string(), *label, num_classes, label_offset);
    else
      labeled = true, files.push_back({path, *label - label_offset});
  }
  if (!labeled) fail(ErrorKind::data, "{}: no pictures found with names like 3_name.png", folder.string());
  if (!unlabeled.folder.empty()) add_pictures(unlabeled.folder, files, kNoLabel, ignored);
  return read_files(files, format, std::move(ignored));
}

ImageFolder read_pictures(const fs::path& folder, const ImageFormat& format) {
  std::vector<LabeledFile> files;
  Ignored ignored;
  add_pictures(folder, files, 0, ignored);
  if (files.empty()) fail(ErrorKind::data, "{}: no pictures found", folder.string());
  return read_files(files, format, std::move(ignored));
}

std::vector<std::string> class_folders(const fs::path& folder) {
  std::vector<std::string> names;
  Ignored ignored;
  for (const auto& path : list(folder, ignored).folders) names.push_back(path.filename().string());
  if (names.empty()) fail(ErrorKind::data, "{}: no class folders found", folder.string());
  std::sort(names.begin(), names.end(), natural_less);
  return names;
}

ImageFolder read_class_folders(const fs::path& folder, const std::vector<std::string>& classes,
                               const ImageFormat& format, const Unlabeled& unlabeled) {
  const std::vector<std::string> names = class_folders(folder);
  for (const auto& name : names)
    if (!std::ranges::count(classes, name))
      fail(ErrorKind::data, "{}: not one of the {} classes of the training set", (folder / name).string(),
           classes.size());
  std::vector<LabeledFile> files;
  Ignored ignored;
  for (const auto& path : list(folder, ignored).files)
    ++ignored[is_picture(path) ? "pictures outside the class folders" : no_picture(path)];
  for (size_t label = 0; label < classes.size(); ++label) {
    const fs::path place = folder / classes[label];
    if (!std::ranges::count(names, classes[label]))
      fail(ErrorKind::data, "{}: class '{}' of the training set has no folder here", folder.string(),
           classes[label]);
    const Listing found = list(place, ignored);
    const size_t before = files.size();
    for (const auto& path : found.files) {
      if (is_picture(path))
        files.push_back({path, static_cast<int64_t>(label)});
      else
        ++ignored[no_picture(path)];
    }
    for (const auto& below : found.folders) {
      if (holds_pictures(below))
        fail(ErrorKind::data, "{}: pictures within the folder of class '{}', they must lie directly in it",
             below.string(), classes[label]);
      ++ignored["folders without pictures"];
    }
    if (files.size() == before)
      fail(ErrorKind::data, "{}: no pictures of class '{}'", place.string(), classes[label]);
  }
  if (!unlabeled.folder.empty()) add_pictures(unlabeled.folder, files, kNoLabel, ignored);
  return read_files(files, format, std::move(ignored));
}

void export_images(const Dataset& set, const fs::path& folder, const std::string& extension, int64_t limit) {
  if (extension != "png" && extension != "bmp")
    fail(ErrorKind::usage, "image format {}, expected png or bmp", extension);
  if (limit < 0) fail(ErrorKind::usage, "a limit of {} images", limit);
  const ImageSize size{static_cast<int>(set.images.size(1)), static_cast<int>(set.images.size(2))};
  const int channels = static_cast<int>(set.images.size(3));
  const size_t bytes = static_cast<size_t>(size.height) * size.width * channels;
  NewFolder target(folder);
  for (int64_t i = 0; i < std::min(limit, set.size()); ++i) {
    const int64_t label = set.labels.data<int64_t>()[i];
    const std::string first = label == kNoLabel ? "unlabeled" : std::to_string(label);
    write_image(target.path() / fmt::format("{}_{:05}.{}", first, i, extension),
                {set.images.data<uint8_t>() + i * bytes, bytes}, size, channels);
  }
  target.finish();
}

}  // namespace vae::data
