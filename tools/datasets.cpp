// datasets synth|download|verify|export-images: makes, fetches, checks and converts data sets.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <numeric>

#include "data/download.h"
#include "data/idx.h"
#include "data/new_folder.h"
#include "tensor/print.h"
#include "tools/common/cli.h"
#include "tools/common/dataset_options.h"

namespace {

using namespace vae;
using data::Part;
namespace fs = std::filesystem;

struct Options {
  data::DatasetOptions dataset;
  data::DownloadOptions download;
  fs::path out;
  bool force = false;
  std::string format = "png";
  std::optional<int64_t> limit;  ///< none: all
};

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail(ErrorKind::io, "{}: cannot create the folder ({})", folder.string(), error.message());
}

void show(const data::Dataset& set) {
  say("{}: {} images {}x{}x{}, {} classes\n", set.name, set.size(), set.images.size(1), set.images.size(2),
      set.images.size(3), set.num_classes);
  const auto counts = data::class_counts(set.labels, set.num_classes);
  std::vector<std::string> classes;
  const bool named = !set.class_names.empty();
  for (size_t k = 0; k < counts.size(); ++k)
    classes.push_back(named ? fmt::format("{} {}", set.class_names[k], counts[k]) : fmt::to_string(counts[k]));
  say("  per class: {}\n", fmt::join(classes, named ? ", " : " "));
  if (const auto labeled = std::reduce(counts.begin(), counts.end()); labeled < set.size())
    say("  without a label: {}\n", set.size() - labeled);
  say("  sha256: {}\n", set.sha256);
  for (const std::string& remark : tool::remarks_on(set)) say("  {}\n", remark);
}

data::Dataset load(Options options, Part part) {
  options.dataset.part = part;
  return data::load_dataset(options.dataset);
}

/// Refuses what stands under MNIST's names, plain or packed, wherever it is looked for in a folder; with
/// --force only what is no file.
void check_replaceable(const Options& options) {
  for (const std::string& place : data::file_set("mnist")->folders)
    for (const data::PublishedFile& file : data::published_files("mnist"))
      for (const char* suffix : {"", ".gz"}) {
        const fs::path path = options.out / place / fmt::format("{}{}", file.name, suffix);
        std::error_code error;
        const fs::file_type type = fs::symlink_status(path, error).type();
        if (type == fs::file_type::not_found || type == fs::file_type::none) continue;
        if (!options.force)
          fail(ErrorKind::usage, "{}: exists already; --force writes over files of these names",
               path.string());
        if (type != fs::file_type::regular && type != fs::file_type::symlink)
          fail(ErrorKind::io, "{}: not a file", path.string());
      }
}

void synth(const Options& options) {
  check_replaceable(options);
  const auto train = load(options, Part::train), test = load(options, Part::test);
  make_folder(options.out);
  for (const auto& [set, stem] : {std::pair(train, "train"), std::pair(test, "t10k")}) {
    const auto write = [&](const char* what, auto* write_idx, const Tensor& values) {
      const fs::path plain = options.out / fmt::format("{}-{}-ubyte", stem, what);
      write_idx(plain.string() + ".gz", values);
      fs::remove(plain);  // it would be read instead
    };
    write("images-idx3", data::write_idx_images, set.images);
    write("labels-idx1", data::write_idx_labels, set.labels);
    show(set);
  }
}

void download(Options options) {
  options.download.data_dir = options.dataset.data_dir;
  const bool terminal = isatty(STDERR_FILENO) != 0;
  std::string finished;
  const auto progress = [&](const std::string& name, int64_t done, int64_t total) {
    if (done == 0 && total == 0) note("{}: another process fetches it, waiting\n", name);
    if (total <= 0 || name == finished) return;
    if (terminal) note("\r{}: {:3}%", name, 100 * done / total);
    if (done < total) return;
    note("{}{}: {} bytes\n", terminal ? "\r" : "", name, total);
    finished = name;
  };
  const fs::path folder = data::download_dataset(options.download, progress);
  say("{}: complete and verified in {}\n", options.download.name, folder.string());
}

void verify(const Options& options) {
  for (const Part part : {Part::train, Part::test}) show(load(options, part));
  const std::string& name = options.dataset.name;
  if (!std::ranges::count(data::kPublishedNames, name)) return;
  data::check_published(options.dataset);
  say("the published files of {}\n", name);
}

void export_images(const Options& options) {
  const auto train = load(options, Part::train), test = load(options, Part::test);
  data::NewFolder folder(options.out);
  std::string written;
  for (const auto& [set, name] : {std::pair(train, "train_images"), std::pair(test, "test_images")}) {
    const int64_t images = std::min(options.limit.value_or(set.size()), set.size());
    data::export_images(set, folder.path() / name, options.format, images);
    written += fmt::format("{}: {} images\n", (options.out / name).string(), images);
  }
  folder.finish();
  say("{}", written);
}

int run(int argc, char** argv) {
  using namespace tool;
  CLI::App app{"Makes, fetches, checks and converts data sets.", "datasets"};
  app.require_subcommand(1);
  Options o;
  OptionTable of_synth, of_download, of_verify, of_export;

  of_synth.add("out", o.out, "folder to write to").required();
  of_synth.flag("force", o.force, "write over files of these names");
  of_synth.add("train", o.dataset.synth_train, "training images", at_least(1));
  of_synth.add("test", o.dataset.synth_test, "test images", at_least(1));
  of_synth.add("seed", o.dataset.synth_seed, "seed");
  auto* synth_command =
      app.add_subcommand("synth", "write the synthetic digits as IDX files under MNIST's names");
  of_synth.add_to(*synth_command);

  auto* download_command = app.add_subcommand("download", "fetch a published data set and verify it");
  download_command
      ->add_option("name", o.download.name, fmt::format("{}", fmt::join(data::kPublishedNames, ", ")))
      ->required();
  of_download.add("data-dir", o.dataset.data_dir,
                  "root folder (default: $VAE_DATA_DIR, else the user's cache)");
  of_download.add("mirror", o.download.mirror, "URL of a folder with the files");
  of_download.add_to(*download_command);

  auto* verify_command = app.add_subcommand(
      "verify", "read and validate a data set; print counts and hashes; compare published ones");
  auto* export_command = app.add_subcommand(
      "export-images", "write a data set as train_images/ and test_images/ of a new folder");
  of_export.add("out", o.out, "folder to write to").required();
  of_export.add("format", o.format, "kind of picture", choice<std::string>({{"png", "png"}, {"bmp", "bmp"}}));
  of_export.add("limit", o.limit, "at most so many images of each part", or_none(at_least(1)));
  for (const auto& [command, table] :
       {std::pair(verify_command, of_verify), std::pair(export_command, of_export)}) {
    command->add_option("name", o.dataset.name, "data set")
        ->required()
        ->check(
            CLI::IsMember(std::vector<std::string>(data::kDatasetNames.begin(), data::kDatasetNames.end())));
    describe(table, o.dataset);
    table.add("resize", o.dataset.format.resize, "size of all pictures, e.g. 32x32: the middle of each",
              or_none(image_size()));
    table.add_to(*command);
  }

  if (!parse_command_line(app, argc, argv)) return 0;
  if (*synth_command) synth(o);
  if (*download_command) download(o);
  if (*verify_command) verify(o);
  if (*export_command) export_images(o);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return vae::tool::guarded_main([&] { return run(argc, argv); });
}
