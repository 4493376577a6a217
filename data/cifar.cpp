#include "data/cifar.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "data/gzip.h"
#include "data/tar.h"
#include "tensor/file.h"

namespace vae::data {
namespace {

namespace fs = std::filesystem;

constexpr size_t kSide = 32, kPlane = kSide * kSide, kPixels = 3 * kPlane;
constexpr size_t kMaxBytes = size_t{256} << 20;  // of a file or archive; the published ones unpack to 176 MiB

struct Format {
  const char* names;        ///< of the file with those of the classes, one a line
  std::vector<int> labels;  ///< how many there are of each kind; the last kind counts
  size_t record() const { return labels.size() + kPixels; }
};

Format format_of(const std::string& name) {
  if (name == "cifar10") return {"batches.meta.txt", {10}};
  VAE_CHECK(name == "cifar100", "'{}' is no CIFAR set", name);
  return {"fine_label_names.txt", {20, 100}};
}

/// The files of a set, whether they lie in a folder or in an archive.
class Files {
 public:
  explicit Files(const FoundFiles& found) : folder_(found.folder) {
    if (!found.files.empty()) return;
    archive_ = found.archive.string();
    unpacked_ = gunzip(read_file(found.archive, kMaxBytes), kMaxBytes, archive_);
    members_ = read_tar(unpacked_, archive_);
  }

  /// As errors name a file.
  std::string path(const std::string& name) const {
    return archive_.empty() ? (folder_ / name).string() : fmt::format("{}, {}", archive_, name);
  }

  /// The content of a file, in `kept` where it is read; none where there is no such file.
  std::optional<std::span<const std::byte>> find(const std::string& name,
                                                 std::vector<std::byte>& kept) const {
    std::error_code error;
    if (archive_.empty()) {
      if (!fs::exists(folder_ / name, error)) return std::nullopt;
      return kept = read_file(folder_ / name, kMaxBytes);
    }
    const auto has_name = [&](const TarFile& file) { return file.name == name; };
    const auto member = std::ranges::find_if(members_, has_name);
    if (member == members_.end()) return std::nullopt;
    if (std::find_if(member + 1, members_.end(), has_name) != members_.end())
      fail(ErrorKind::data, "{}: is there twice", path(name));
    return member->content;
  }

 private:
  fs::path folder_;
  std::string archive_;
  std::vector<std::byte> unpacked_;
  std::vector<TarFile> members_;
};

/// Appends to `pixels` [N, H, W, C] and `labels`.
void read_records(std::span<const std::byte> content, const Format& format, const std::string& path,
                  std::vector<uint8_t>& pixels, std::vector<int64_t>& labels) {
  const size_t size = format.record();
  if (content.empty()) fail(ErrorKind::data, "{}: file is empty", path);
  if (content.size() % size != 0)
    fail(ErrorKind::data, "{}: {} bytes are no whole number of records of {} bytes", path, content.size(),
         size);
  for (size_t i = 0; i < content.size() / size; ++i) {
    const auto* record = reinterpret_cast<const uint8_t*>(&content[i * size]);
    for (size_t kind = 0; kind < format.labels.size(); ++kind)
      if (record[kind] >= format.labels[kind])
        fail(ErrorKind::data, "{}, record {}: label {} is out of range, there are {} {}classes", path, i,
             record[kind], format.labels[kind], kind + 1 < format.labels.size() ? "coarse " : "");
    labels.push_back(record[format.labels.size() - 1]);
    const uint8_t* planes = record + format.labels.size();
    pixels.resize(pixels.size() + kPixels);
    uint8_t* image = &pixels[pixels.size() - kPixels];
    for (size_t p = 0; p < kPlane; ++p)
      for (size_t c = 0; c < 3; ++c) image[3 * p + c] = planes[c * kPlane + p];
  }
}

/// The lines of a text that are not empty.
std::vector<std::string> read_names(std::span<const std::byte> content, int classes,
                                    const std::string& path) {
  std::vector<std::string> names;
  std::string_view text(reinterpret_cast<const char*>(content.data()), content.size());
  bool good = true;
  const auto is_plain = [](char c) { return c > ' ' && c <= '~'; };
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    good = good && std::ranges::all_of(line, is_plain);
    names.emplace_back(line);
  }
  if (!good || static_cast<int>(names.size()) != classes)
    fail(ErrorKind::data, "{}: not the names of {} classes, one a line", path, classes);
  return names;
}

}  // namespace

Dataset read_cifar(const std::string& name, Part part, const FoundFiles& found) {
  const Format format = format_of(name);
  const int classes = format.labels.back();
  const Files files(found);
  std::vector<uint8_t> pixels;
  std::vector<int64_t> labels;
  std::vector<std::byte> kept;
  for (const std::string& file : file_set(name)->files(part)) {
    const auto content = files.find(file, kept);
    if (!content) fail(ErrorKind::data, "{}: is not there", files.path(file));
    pixels.reserve(pixels.size() + content->size());
    read_records(*content, format, files.path(file), pixels, labels);
  }
  const auto n = static_cast<int64_t>(labels.size());
  Dataset set = make_dataset(fmt::format("{} ({})", name, name_of(part)),
                             Tensor::from(pixels, {n, kSide, kSide, 3}), Tensor::from(labels, {n}), classes);
  if (const auto content = files.find(format.names, kept))
    set.class_names = read_names(*content, classes, files.path(format.names));
  return set;
}

}  // namespace vae::data
