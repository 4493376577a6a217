// datasets synth|download|verify|export-images: makes, fetches, checks and converts data sets.
#include <unistd.h>

#include "data/download.h"
#include "data/idx.h"
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
  std::string format = "png";
  int64_t limit = INT64_MAX;
};

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail(ErrorKind::io, "{}: cannot create the folder ({})", folder.string(), error.message());
}

void describe(const data::Dataset& set) {
  fmt::print("{}: {} images {}x{}x{}, {} classes\n", set.name, set.size(), set.images.size(1),
             set.images.size(2), set.images.size(3), set.num_classes);
  fmt::print("  per class: {}\n  sha256: {}\n",
             fmt::join(data::class_counts(set.labels, set.num_classes), " "), set.sha256);
}

data::Dataset load(Options options, Part part) {
  options.dataset.part = part;
  return data::load_dataset(options.dataset);
}

void synth(const Options& options) {
  const auto train = load(options, Part::train), test = load(options, Part::test);
  make_folder(options.out);
  for (const auto& [set, stem] : {std::pair(train, "train"), std::pair(test, "t10k")}) {
    data::write_idx_images(options.out / fmt::format("{}-images-idx3-ubyte.gz", stem), set.images);
    data::write_idx_labels(options.out / fmt::format("{}-labels-idx1-ubyte.gz", stem), set.labels);
    describe(set);
  }
}

void download(Options options) {
  options.download.data_dir = options.dataset.data_dir;
  const bool terminal = isatty(STDERR_FILENO) != 0;
  std::string finished;
  const auto progress = [&](const std::string& name, int64_t done, int64_t total) {
    if (total <= 0 || name == finished) return;
    if (terminal) fmt::print(stderr, "\r{}: {:3}%", name, 100 * done / total);
    if (done < total) return;
    fmt::print(stderr, "{}{}: {} bytes\n", terminal ? "\r" : "", name, total);
    finished = name;
  };
  const fs::path folder = data::download_dataset(options.download, progress);
  fmt::print("{}: complete and verified in {}\n", options.download.name, folder.string());
}

void verify(const Options& options) {
  for (const Part part : {Part::train, Part::test}) describe(load(options, part));
}

void export_images(const Options& options) {
  for (const auto& [part, name] :
       {std::pair(Part::train, "train_images"), std::pair(Part::test, "test_images")}) {
    const auto set = load(options, part);
    data::export_images(set, options.out / name, options.format, options.limit);
    fmt::print("{}: {} images\n", (options.out / name).string(), std::min(options.limit, set.size()));
  }
}

int run(int argc, char** argv) {
  CLI::App app{"Makes, fetches, checks and converts data sets."};
  app.require_subcommand(1);
  Options options;

  auto* synth_command =
      app.add_subcommand("synth", "write the synthetic digits as IDX files under MNIST's names");
  synth_command->add_option("--out", options.out, "folder to write to")->required();
  synth_command->add_option("--train", options.dataset.synth_train, "training images")
      ->check(count(1))
      ->capture_default_str();
  synth_command->add_option("--test", options.dataset.synth_test, "test images")
      ->check(count(1))
      ->capture_default_str();
  synth_command->add_option("--seed", options.dataset.synth_seed, "seed")->capture_default_str();

  auto* download_command = app.add_subcommand("download", "fetch a published data set and verify it");
  download_command->add_option("name", options.download.name, "mnist or fashion-mnist")->required();
  download_command->add_option("--data-dir", options.dataset.data_dir,
                               "root folder (default: $VAE_DATA_DIR, else the user's cache)");
  download_command->add_option("--mirror", options.download.mirror, "URL of a folder with the .gz files");

  auto* verify_command =
      app.add_subcommand("verify", "read and validate a data set; print counts and hashes");
  auto* export_command =
      app.add_subcommand("export-images", "write a data set as train_images/ and test_images/");
  export_command->add_option("--out", options.out, "folder to write to")->required();
  export_command->add_option("--format", options.format, "png or bmp")->capture_default_str();
  export_command->add_option("--limit", options.limit, "at most so many images of each part")
      ->check(count(1));
  for (auto* command : {verify_command, export_command}) {
    command->add_option("name", options.dataset.name, "data set")->required()->check(dataset_names());
    add_dataset_options(*command, options.dataset);
  }

  if (!parse_command_line(app, argc, argv)) return 0;
  if (*synth_command) synth(options);
  if (*download_command) download(options);
  if (*verify_command) verify(options);
  if (*export_command) export_images(options);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return guarded_main([&] { return run(argc, argv); });
}
