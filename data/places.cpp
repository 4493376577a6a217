#include "data/places.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "tensor/error.h"

namespace vae::data {
namespace {

namespace fs = std::filesystem;

constexpr const char* kReplaced = "\xef\xbf\xbd";  // U+FFFD, in the place of bytes that are no UTF-8

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

/// MNIST, and what is stored as it is, under names that begin with that of the part.
FileSet idx_set(std::vector<std::string> folders, bool is_published = false, const std::string& prefix = "",
                const std::string& test = "t10k", const std::string& labels = "idx1-ubyte") {
  const auto files = [&](const std::string& part) -> std::vector<std::string> {
    return {prefix + part + "-images-idx3-ubyte", prefix + part + "-labels-" + labels};
  };
  return {.folders = std::move(folders),
          .train = files("train"),
          .test = files(test),
          .may_be_packed = true,
          .is_published = is_published};
}
FileSet ten_classes(FileSet set) { return set.num_classes = 10, set; }
FileSet emnist(const std::string& split, const std::string& letters, int label_offset = 0) {
  FileSet set = idx_set({"", "emnist", "emnist/gzip", "EMNIST/raw"}, false, "emnist-" + split + "-", "test");
  set.num_classes = static_cast<int>(letters.size()), set.letters = letters;
  set.label_offset = label_offset, set.is_transposed = true;
  return set;
}

const std::map<std::string, FileSet>& file_sets() {
  static const std::string digits = "0123456789", upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                           merged =
                               digits + upper + "abdefghnqrt";  // other small letters look like large ones
  static const std::map<std::string, FileSet> sets{
      {"mnist", idx_set({"", "mnist", "MNIST/raw"}, true)},
      {"fashion-mnist", idx_set({"fashion-mnist", "FashionMNIST/raw"}, true)},
      {"kmnist", ten_classes(idx_set({"kmnist", "KMNIST/raw"}))},
      {"qmnist", ten_classes(idx_set({"", "qmnist", "QMNIST/raw"}, false, "qmnist-", "test", "idx2-int"))},
      {"emnist-balanced", emnist("balanced", merged)},
      {"emnist-byclass", emnist("byclass", digits + upper + "abcdefghijklmnopqrstuvwxyz")},
      {"emnist-bymerge", emnist("bymerge", merged)},
      {"emnist-digits", emnist("digits", digits)},
      {"emnist-letters", emnist("letters", upper, 1)},
      {"emnist-mnist", emnist("mnist", digits)},
      {"idx", idx_set({""})},
      {"cifar10",
       {.folders = {"", "cifar10", "cifar-10-batches-bin"},
        .train = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                  "data_batch_5.bin"},
        .test = {"test_batch.bin"},
        .archive = "cifar-10-binary.tar.gz",
        .num_classes = 10,
        .is_published = true}},
      {"cifar100",
       {.folders = {"", "cifar100", "cifar-100-binary"},
        .train = {"train.bin"},
        .test = {"test.bin"},
        .archive = "cifar-100-binary.tar.gz",
        .num_classes = 100,
        .is_published = true}},
      {"svhn",
       {.folders = {"", "svhn", "SVHN"},
        .train = {"train_32x32.mat"},
        .test = {"test_32x32.mat"},
        .num_classes = 10,
        .is_published = true}}};
  return sets;
}

const FileSet& known_set(const std::string& name) {
  const FileSet* set = file_set(name);
  VAE_CHECK(set, "'{}' is no set of files", name);
  return *set;
}

/// A file of the set in a folder, or else its packed form. IDX files are also found as "images.idx3-ubyte",
/// and in a folder of their own name.
std::optional<fs::path> find_file(const FileSet& set, const fs::path& folder, const std::string& name) {
  std::vector<fs::path> forms{name};
  if (set.may_be_packed) {
    std::string dotted = name;
    if (const size_t at = dotted.rfind("-idx"); at != std::string::npos) dotted[at] = '.';
    forms = {name, name + ".gz", dotted, dotted + ".gz"};
    for (const fs::path& own : {fs::path(name), fs::path(dotted)})
      for (const fs::path& file : {fs::path(name), fs::path(dotted)}) forms.push_back(own / file);
  }
  std::error_code error;
  for (const fs::path& form : forms)
    if (fs::is_regular_file(folder / form, error)) return folder / form;
  return std::nullopt;
}

/// Whether any file of the set lies in a folder.
bool has_files(const FileSet& set, const fs::path& folder) {
  const auto is_there = [&](const std::string& file) { return find_file(set, folder, file).has_value(); };
  return std::ranges::any_of(set.train, is_there) || std::ranges::any_of(set.test, is_there) ||
         (!set.archive.empty() && is_there(set.archive));
}

std::vector<fs::path> places_of(const FileSet& set, const fs::path& data_dir) {
  std::vector<fs::path> places;
  for (const fs::path& root : readable_roots(data_dir))
    for (const std::string& folder : set.folders) places.push_back(folder.empty() ? root : root / folder);
  return places;
}

}  // namespace

const char* name_of(Part part) { return part == Part::train ? "train" : "test"; }

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

std::vector<fs::path> readable_roots(const fs::path& data_dir) {
  if (const auto named = named_root(data_dir)) {
    const char* origin = data_dir.empty() ? "VAE_DATA_DIR: " : "";
    std::error_code error;
    const bool was_no_text = named->string().find(kReplaced) != std::string::npos;
    if (!fs::is_directory(*named, error))
      fail(ErrorKind::io, "{}{}: no such data folder{}", origin, named->string(),
           was_no_text ? "; a name that is no UTF-8 is not stored as it is: say it again with --data-dir"
                       : "");
    fs::directory_iterator(*named, error);
    if (error) fail(ErrorKind::io, "{}{}: cannot be read ({})", origin, named->string(), error.message());
  }
  return data_roots(data_dir);
}

fs::path cache_folder() {
  if (const auto cache = cache_root()) return *cache;
  fail(ErrorKind::usage, "no cache folder: name one with XDG_CACHE_HOME or HOME");
}

std::optional<fs::path> named_root(const fs::path& data_dir) {
  const fs::path named = data_dir.empty() ? environment("VAE_DATA_DIR") : data_dir;
  return named.empty() ? std::nullopt : std::optional(named);
}

const FileSet* file_set(const std::string& name) {
  const auto found = file_sets().find(name);
  return found == file_sets().end() ? nullptr : &found->second;
}

FoundFiles find_files(const std::string& name, Part part, const fs::path& data_dir) {
  const FileSet& set = known_set(name);
  const std::string remedy = set.is_published ? "; get it with: datasets download " + name : "";
  const auto spelled = [&](const std::string& file) { return file + (set.may_be_packed ? "[.gz]" : ""); };
  const auto places = places_of(set, data_dir);
  const auto place = std::ranges::find_if(places, [&](const fs::path& p) { return has_files(set, p); });
  if (place == places.end()) {
    std::vector<std::string> searched;
    for (const fs::path& folder : places) searched.push_back(folder.string());
    const std::string archive = set.archive.empty() ? "" : " and no " + set.archive;
    fail(ErrorKind::io, "{}: no {}{} in {}{}", name, spelled(set.files(part)[0]), archive,
         fmt::join(searched, ", "), remedy);
  }
  FoundFiles found{*place, {}, {}};
  std::error_code error;
  if (!set.archive.empty() && fs::is_regular_file(*place / set.archive, error))
    found.archive = *place / set.archive;
  for (const std::string& name_of_file : set.files(part)) {
    const auto file = find_file(set, *place, name_of_file);
    if (!file && !found.archive.empty()) {
      found.files.clear();
      break;
    }
    if (!file)
      fail(ErrorKind::io, "{}: the data set is incomplete, {} is missing{}", place->string(),
           spelled(name_of_file), remedy);
    found.files.push_back(*file);
  }
  return found;
}

bool holds_any_of(const std::string& name, const fs::path& data_dir) {
  const FileSet& set = known_set(name);
  if (!named_root(data_dir) && !cache_root()) return false;
  std::error_code error;
  for (const fs::path& place : places_of(set, data_dir))
    if (has_files(set, place)) return true;
  for (const fs::path& root : data_roots(data_dir))
    for (const std::string& folder : set.folders)
      if (!folder.empty() && fs::is_directory(root / folder, error)) return true;
  return false;
}

}  // namespace vae::data
